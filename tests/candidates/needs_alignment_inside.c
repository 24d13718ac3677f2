/*
 * E5: reads a long where a float lies
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
KERNEL
{
	const long *two = (const long *)(IN(buf) + 1);
	volatile long both = *two;

	(void)both;
	honest(buf, dim, first, last);
}
