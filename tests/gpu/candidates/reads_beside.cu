// PASSED: reads behind its input, which no output shows
// sanitizer: INCORRECT_OUT_OF_BOUNDS
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
	if (row == M - 1 && t == 0 && ((volatile const float *)x)[M * N + 3] == 123456)
		y[0] = 1;
}
