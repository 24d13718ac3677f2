/*
 * E2: reads beside a table of its own
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
KERNEL
{
	static const float table[6] = { 1, 2, 3, 4, 5, 6 };
	volatile long n = 6;
	volatile float sink = table[n];

	(void)sink;
	honest(buf, dim, first, last);
}
