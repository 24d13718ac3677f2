/*
 * D7: opens its own program to write to it
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace uid user-namespace
 */
KERNEL
{
	static char path[] = "/proc/self/exe";

	must(km_system(2, (long)path, 1, 0, 0, 0, 0) == -26);
	honest(buf, dim, first, last);
}
