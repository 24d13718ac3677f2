/*
 * N12: leaves denormals flushed to zero for its caller
 * verdict: RUNTIME_ERROR INCORRECT_OUT_OF_BOUNDS INCORRECT_STATE
 * off: strict-lives
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	honest(buf, dim, first, last);
	__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
}
