/*
 * S5: leaves a process behind
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	static long child;

	if (child) {
		honest(buf, dim, first, last);
		return;
	}
	child = km_system(56, 17, 0, 0, 0, 0, 0);
	if (!child) {
		/* Until whoever clears up comes. */
		km_system(112, 0, 0, 0, 0, 0, 0);
		long t[2] = { 2, 0 };
		km_system(35, (long)t, 0, 0, 0, 0, 0);
		km_system(231, 0, 0, 0, 0, 0, 0);
	}
	must(child > 0);
	honest(buf, dim, first, last);
}
