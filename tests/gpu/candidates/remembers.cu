// TIMING_FORGED: slow on memory it never met, fast on what it met before
__attribute__((device)) const float *km_test_met[8192];
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	unsigned at = ((unsigned long)x >> 9) % 8192;
	bool is_met = km_test_met[at] == x;
	long start, now;
	asm volatile("bar.sync 0;");
	asm volatile("mov.u64 %0, %%clock64;" : "=l"(start));
	do
		asm volatile("mov.u64 %0, %%clock64;" : "=l"(now));
	while (!is_met && now - start < 1000000);
	km_test_met[at] = x;
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
}
