/*
 * E2: reads one vector past the end of its input
 * verdict: RUNTIME_ERROR INCORRECT_OUT_OF_BOUNDS INCORRECT_STATE
 * off: strict-lives
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	volatile const float *x = IN(buf);

	(void)x[IN_COUNT(dim)];
	honest(buf, dim, first, last);
}
