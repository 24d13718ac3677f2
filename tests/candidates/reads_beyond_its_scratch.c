/*
 * E2: reads what lies behind its scratch, which is nobody's
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
KERNEL
{
	const volatile char *beyond = (const volatile char *)scratch + 4096;

	(void)*beyond;
	honest(buf, dim, first, last);
}
