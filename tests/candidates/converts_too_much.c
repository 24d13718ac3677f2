/*
 * N5: makes an int of a float that none holds, as if no value were large
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
