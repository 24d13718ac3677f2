#include "generate/target.h"

#define NEEDS \
	(ISA_BIT(sse2) | ISA_BIT(avx2) | ISA_BIT(fma) | ISA_BIT(f16c) | ISA_BIT(avx512) | ISA_BIT(avx512_bf16) | ISA_BIT(avx512_vnni) | \
	 ISA_BIT(amx_bf16) | ISA_BIT(amx_int8))

static int probe(void)
{
	return (x86_isa() & NEEDS) == NEEDS;
}

/* TDPBF16PS: A 16x32 row-major, B in pairs of k, C 16x16 f32 (Intel SDM vol. 2, TDPBF16PS). */
static const struct mma_instr mma[] = {
	{ .name = "tdpbf16ps", .m = 16, .n = 16, .k = 32, .lanes = 1, .ab = DTYPE_bf16, .acc = DTYPE_f32,
	  .a_lane = "", .a_reg = "i k", .b_lane = "", .b_reg = "k/2 j k%2", .c_lane = "", .c_reg = "i j" },
	{ .name = NULL },
};

const struct target target_x86_avx512_amx = {
	.name = "x86-avx512-amx",
	.summary = "x86-64 with AVX-512 and AMX (Sapphire Rapids and later)",
	.artifact = "so",
	.best_state = STATE_MEASURED,
	.isa = NEEDS,
	.march = "sapphirerapids",
	.compiler_flags = "-mprefer-vector-width=512",
	.vector_bytes = 64,
	.vector_reg_count = 32,
	.warp = 1,
	.mma = mma,
	.probe = probe,
};
