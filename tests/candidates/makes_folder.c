/*
 * S4: makes folders
 * verdict: RUNTIME_ERROR
 * off: seccomp landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/tmp/km-test-folder";

	long made = km_system(83, (long)path, 0700, 0, 0, 0, 0);
	km_system(84, (long)path, 0, 0, 0, 0, 0);
	must(!made);
	honest(buf, dim, first, last);
}
