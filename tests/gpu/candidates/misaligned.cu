// RUNTIME_ERROR: loads four numbers at an address that is no multiple of 16
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	typedef float four __attribute__((ext_vector_type(4), aligned(16)));
	if (!row && !t)
		y[0] = (*(volatile four *)(x + 1))[0];
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
}
