/*
 * E8: makes an int of a float that none holds
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
KERNEL
{
	volatile float large = 1e30f;
	volatile int whole = (int)large;

	(void)whole;
	honest(buf, dim, first, last);
}
