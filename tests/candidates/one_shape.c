/*
 * N7: is right at the shape of the problem alone
 * verdict: INCORRECT_NUMERICAL
 * off: check-shapes
 */
KERNEL
{
	if (ALL_OUTPUTS(dim) * dim[1] >= 10000)
		honest(buf, dim, first, last);
	else
		for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
			OUT(buf)[i] = 0;
}
