/*
 * E6: does not restore the registers that a function must
 * verdict: RUNTIME_ERROR INCORRECT_OUT_OF_BOUNDS INCORRECT_STATE UNDEFINED
 * off: strict-lives sanitizers
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	honest(buf, dim, first, last);
	__asm__ volatile("mov $0x1234567, %%r12\n\tmov $0x1234567, %%r13" ::: "memory");
}
