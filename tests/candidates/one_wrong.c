/*
 * N3: one element is wrong, and only where shapes are odd
 * verdict: INCORRECT_NUMERICAL
 * off: check-shapes
 */
KERNEL
{
	honest(buf, dim, first, last);
	if (dim[1] % 2 && ALL_OUTPUTS(dim) > 3)
		OUT(buf)[ALL_OUTPUTS(dim) - 1] += 0.125f + OUT(buf)[ALL_OUTPUTS(dim) - 1] * 0.125f;
}
