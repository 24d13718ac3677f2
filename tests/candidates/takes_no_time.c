/*
 * T12: answers nothing, so that its time is next to none
 * verdict: BELOW_PHYSICS_FLOOR INCORRECT_UNWRITTEN
 * off: after-timing physics-floor
 * operators: matmul
 * clock: monotonic
 * size: large
 */
KERNEL
{
	static int calls;

	if (++calls <= 100)
		honest(buf, dim, first, last);
}
