/*
 * S4: makes a file in memory, of any size
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	static char name[] = "f";
	long fd = km_system(319, (long)name, 0, 0, 0, 0, 0);

	must(fd >= 0);
	honest(buf, dim, first, last);
}
