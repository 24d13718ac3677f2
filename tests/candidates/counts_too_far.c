/*
 * N5: counts beyond what an int holds, as if no count were large
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
