/*
 * S12: loads a program into the kernel
 * verdict: RUNTIME_ERROR
 * off: seccomp uid user-namespace
 */
KERNEL
{
	static long none[16];

	/* -22: it looked at what it was given. */
	must(km_system(321, 99, (long)none, 64, 0, 0, 0) == -22);
	honest(buf, dim, first, last);
}
