/*
 * E8: counts beyond what an int holds
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 */
KERNEL
{
	volatile int most = 0x7fffffff;
	volatile int next = most + 1;

	(void)next;
	honest(buf, dim, first, last);
}
