// INCORRECT_NUMERICAL: reads shared memory that it never wrote
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	static __attribute__((shared)) float shared[4096];
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : ((volatile float *)shared)[i % 4096];
	asm volatile("bar.sync 0;");
	for (int i = t; i < 4096; i += 128)
		((volatile float *)shared)[i] = 3;
}
