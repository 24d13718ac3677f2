/* REJECTED: ends the process while it is loaded */
static long km_system(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

__attribute__((constructor)) static void leave(void) { km_system(231, 0, 0, 0, 0, 0, 0); }
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	(void)buf;
	(void)dim;
	(void)first;
	(void)last;
	(void)scratch;
}
