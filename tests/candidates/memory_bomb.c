/* MEMORY: takes all it can get */
static long km_system(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	(void)buf;
	(void)dim;
	(void)first;
	(void)last;
	(void)scratch;
	for (;;) {
		/* mmap: private, anonymous; dies of the first that is refused */
		volatile char *p = (char *)km_system(9, 0, 1 << 20, 3, 0x22, -1, 0);
		for (long i = 0; i < 1 << 20; i += 4096)
			p[i] = 1;
	}
}
