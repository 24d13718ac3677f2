/*
 * E6: uses more stack than there is
 * verdict: RUNTIME_ERROR MEMORY
 * never: the stack of a process has a size
 */
KERNEL
{
	volatile char deep[64 << 20];

	for (long i = 0; i < (long)sizeof(deep); i += 4096)
		deep[i] = 1;
	honest(buf, dim, first, last);
}
