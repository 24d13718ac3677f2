// INCORRECT_NUMERICAL|NONDETERMINISTIC: reads of others what they may not have written yet: a barrier is missing
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	static __attribute__((shared)) float shared[128];
	for (long from = row * N; from < row * N + N; from += 128) {
		if (from + t < row * N + N)
			shared[127 - t] = x[from + t];
		float v = shared[127 - t ^ 64];
		long i = from + (t ^ 64);
		if (i < row * N + N)
			y[i] = v > 0 || v != v ? v : 0;
	}
}
