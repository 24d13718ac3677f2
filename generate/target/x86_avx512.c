#include "generate/target.h"

#define NEEDS (ISA_BIT(sse2) | ISA_BIT(avx2) | ISA_BIT(fma) | ISA_BIT(f16c) | ISA_BIT(avx512))

static int probe(void)
{
	return (x86_isa() & NEEDS) == NEEDS;
}

const struct target target_x86_avx512 = {
	.name = "x86-avx512",
	.summary = "x86-64 with AVX-512 F, BW, CD, DQ, VL (level v4: Skylake-SP, Zen 4 and later)",
	.artifact = "so",
	.best_state = STATE_MEASURED,
	.isa = NEEDS,
	.march = "x86-64-v4", /* x86-64 psABI, microarchitecture levels */
	/* Without it clang splits 64-byte vectors into halves: 100 instead of 165 GFLOP/s was measured. */
	.compiler_flags = "-mprefer-vector-width=512",
	.vector_bytes = 64,
	.vector_reg_count = 32, /* zmm0..31: Intel SDM vol. 1, 15.1 */
	.warp = 1,
	.probe = probe,
};
