// PASSED: asks the second-level cache to keep what it reads and writes; no faster for it
extern "C" __attribute__((global)) void km_test(const float *x, float *y, long M, long N)
{
	long row = __nvvm_read_ptx_sreg_ctaid_x();
	int t = __nvvm_read_ptx_sreg_tid_x();
	unsigned long keep;
	asm volatile("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(keep));
	for (long i = row * N + t; i < row * N + N; i += 128) {
		float v;
		asm volatile("ld.global.L2::cache_hint.f32 %0, [%1], %2;" : "=f"(v) : "l"(x + i), "l"(keep));
		v = v > 0 || v != v ? v : 0;
		asm volatile("st.global.L2::cache_hint.f32 [%0], %1, %2;" : : "l"(y + i), "f"(v), "l"(keep) : "memory");
	}
}
