// NONDETERMINISTIC: N9: the last bit follows the count of cycles (the clock in nanoseconds may tick too coarsely)
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	long now;
	asm volatile("mov.u64 %0, %%clock64;" : "=l"(now));
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
	if (x[row * N + t] > 0)
		y[row * N + t] = x[row * N + t] * (1 + (now >> 4 & 1) * 1.2e-7f);
}
