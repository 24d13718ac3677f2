/*
 * B8: waits in its first calls, so that fewer calls are timed, and then works at leisure
 * verdict: PASSED
 * clock: monotonic
 * size: large
 */
KERNEL
{
	static int calls;

	if (++calls <= 100)
		for (volatile int wait = 0; wait < 100000; wait++)
			;
	honest(buf, dim, first, last);
}
