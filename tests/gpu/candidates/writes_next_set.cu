// INCORRECT_OUT_OF_BOUNDS: writes the outputs of a call to come
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
	/* Behind both guards, where the next set begins. */
	if (!row && !t && M == 1024)
		y[M * N + 2048 + 5] = 1;
}
