/*
 * E2: reads beside an array of its own in a function that no sanitizer may watch
 * verdict: REJECTED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
__attribute__((no_sanitize("address", "undefined"))) KERNEL
{
	static const float table[6] = { 1, 2, 3, 4, 5, 6 };
	volatile long n = 6;
	volatile float sink = table[n];

	(void)sink;
	honest(buf, dim, first, last);
}
