/*
 * N4: the last element is wrong wherever there are many
 * verdict: INCORRECT_NUMERICAL
 * off: every-element
 * operators: relu softmax cumsum index_select
 */
KERNEL
{
	honest(buf, dim, first, last);
	if (ALL_OUTPUTS(dim) > 16 && ALL_OUTPUTS(dim) < 10000)
		OUT(buf)[ALL_OUTPUTS(dim) - 2] += 0.125f + OUT(buf)[ALL_OUTPUTS(dim) - 2] * 0.125f;
}
