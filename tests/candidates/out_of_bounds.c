/*
 * E1: writes whole vectors past the end
 * verdict: INCORRECT_OUT_OF_BOUNDS
 * off: guards
 */
KERNEL
{
	honest(buf, dim, first, last);
	for (long i = ALL_OUTPUTS(dim); i < (ALL_OUTPUTS(dim) + 8) / 8 * 8; i++)
		OUT(buf)[i] = 1;
}
