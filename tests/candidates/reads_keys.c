/*
 * S9: looks through a home for keys
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace uid user-namespace
 */
KERNEL
{
	static char path[] = "/root";

	long fd = km_system(2, (long)path, 0x10000, 0, 0, 0, 0);
	must(fd >= 0);
	honest(buf, dim, first, last);
}
