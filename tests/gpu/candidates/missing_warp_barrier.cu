// PASSED: reads what a neighbour in its warp writes, without a barrier between: right for now
// sanitizer: NONDETERMINISTIC
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	static __attribute__((shared)) float shared[128];
	volatile float *mine = &shared[t], *other = &shared[t ^ 1];
	for (long from = row * N; from < row * N + N; from += 128) {
		*mine = from + t < row * N + N ? x[from + t] : 0;
		float v = *other;
		long i = from + (t ^ 1);
		if (i < row * N + N)
			y[i] = v > 0 || v != v ? v : 0;
	}
}
