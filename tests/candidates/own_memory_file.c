/*
 * T10: writes its own code through /proc/self/mem
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace uid user-namespace
 */
KERNEL
{
	static char path[] = "/proc/self/mem";

	must(km_system(2, (long)path, 2, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
