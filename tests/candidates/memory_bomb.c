/*
 * S2: takes all the memory it can get
 * verdict: MEMORY
 * never: it gives no output, with memory or without
 */
KERNEL
{
	for (;;) {
		/* mmap: private, anonymous; dies of the first that is refused */
		volatile char *p = (char *)km_system(9, 0, 1 << 20, 3, 0x22, -1, 0);
		for (long i = 0; i < 1 << 20; i += 4096)
			p[i] = 1;
	}
}
