/*
 * E2: reads one element before its input
 * verdict: RUNTIME_ERROR INCORRECT_OUT_OF_BOUNDS INCORRECT_STATE
 * off: strict-lives
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	volatile const float *x = IN(buf);

	(void)x[-1];
	honest(buf, dim, first, last);
}
