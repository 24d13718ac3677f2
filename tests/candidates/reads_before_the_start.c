/*
 * E2: reads one element before its input, where no sanitizer looks
 * verdict: RUNTIME_ERROR INCORRECT_OUT_OF_BOUNDS INCORRECT_STATE UNDEFINED
 * off: strict-lives
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	float beside;

	__asm__ volatile("vmovss %1, %0" : "=x"(beside) : "m"(IN(buf)[-1]));
	honest(buf, dim, first, last);
}
