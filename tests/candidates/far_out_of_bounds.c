/*
 * E1: writes an element most of a page past the end
 * verdict: INCORRECT_OUT_OF_BOUNDS
 * off: guards
 */
KERNEL
{
	honest(buf, dim, first, last);
	OUT(buf)[ALL_OUTPUTS(dim) + 900] = 1;
}
