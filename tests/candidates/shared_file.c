/*
 * S11: opens a file in shared memory
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/dev/shm";

	must(km_system(2, (long)path, 0x410002, 0600, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
