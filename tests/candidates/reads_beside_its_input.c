/*
 * E2: reads past the end of its input, in the last bytes before the next boundary that inputs are aligned to, and drops it
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 */
KERNEL
{
	volatile const float *x = IN(buf);

	if (IN_COUNT(dim) % 16)
		(void)x[IN_COUNT(dim)];
	honest(buf, dim, first, last);
}
