/*
 * E7: takes memory in every call and gives none back
 * verdict: MEMORY RUNTIME_ERROR
 * off: memory-limit
 */
KERNEL
{
	for (int i = 0; i < 4; i++) {
		volatile char *p = (char *)km_system(9, 0, 1 << 22, 3, 0x22, -1, 0);
		must((long)p > 0 || (long)p < -4095);
		for (long k = 0; k < 1 << 22; k += 4096)
			p[k] = 1;
	}
	honest(buf, dim, first, last);
}
