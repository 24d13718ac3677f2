/*
 * B7: does the work for as many calls as a check takes, and stops when it is timed
 * verdict: INCORRECT_UNWRITTEN
 * off: after-timing physics-floor
 * clock: monotonic
 */
KERNEL
{
	static int calls;

	if (++calls <= 100)
		honest(buf, dim, first, last);
}
