/*
 * B7: does the work in every second call
 * verdict: TIMING_FORGED INCORRECT_NUMERICAL INCORRECT_UNWRITTEN
 * off: after-timing judge sanitizers
 * operators: matmul
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	static int calls;

	if (++calls <= 100 || calls % 2)
		honest(buf, dim, first, last);
}
