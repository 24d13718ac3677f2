/*
 * E1: writes one element before the first
 * verdict: INCORRECT_OUT_OF_BOUNDS
 * off: guards
 */
KERNEL
{
	honest(buf, dim, first, last);
	OUT(buf)[-1] = 1;
}
