#include "generate/target.h"

#define NEEDS (ISA_BIT(sse2) | ISA_BIT(avx2) | ISA_BIT(fma) | ISA_BIT(f16c))

static int probe(void)
{
	return (x86_isa() & NEEDS) == NEEDS;
}

const struct target target_x86_avx2 = {
	.name = "x86-avx2",
	.summary = "x86-64 with AVX2 and FMA (level v3: Haswell, Zen and later)",
	.artifact = "so",
	.best_state = STATE_MEASURED,
	.isa = NEEDS,
	.march = "x86-64-v3", /* x86-64 psABI, microarchitecture levels */
	.vector_bytes = 32,
	.vector_reg_count = 16, /* ymm0..15: Intel SDM vol. 1, 14.1 */
	.warp = 1,
	.probe = probe,
};
