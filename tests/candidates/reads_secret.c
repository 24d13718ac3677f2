/*
 * S9: reads a file of the system's
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/etc/passwd";

	must(km_system(2, (long)path, 0, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
