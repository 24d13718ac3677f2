/*
 * T9: makes the kernel's own clock page writable
 * verdict: RUNTIME_ERROR
 * never: newer kernels seal that page; elsewhere it needs what detours_the_clock needs
 */
KERNEL
{
	static char path[] = "/proc/self/auxv";
	u64 pair[64];

	long fd = km_system(2, (long)path, 0, 0, 0, 0, 0), n = fd < 0 ? 0 : km_system(0, fd, (long)pair, sizeof(pair), 0, 0, 0) / 16;
	for (long i = 0; i < n; i++)
		if (pair[2 * i] == 33) {
			must(!km_system(10, (long)pair[2 * i + 1], 4096, 7, 0, 0, 0));
			honest(buf, dim, first, last);
			return;
		}
	must(0);
}
