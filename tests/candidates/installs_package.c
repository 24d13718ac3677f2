/*
 * S17: takes the lock of the system's package manager, to install what it would like
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace uid user-namespace
 */
KERNEL
{
	static char path[] = "/var/lib/dpkg/lock";

	honest(buf, dim, first, last);
	must(km_system(2, (long)path, 2, 0, 0, 0, 0) >= 0);
}
