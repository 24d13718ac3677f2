// INCORRECT_INPUT_MUTATED: writes behind its inputs, and only after many calls
__attribute__((device)) unsigned km_test_calls;
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	for (long i = row * N + t; i < row * N + N; i += 128)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
	if (!row && !t && ++km_test_calls > 250)
		((float *)x)[M * N + 3] = 17;
}
