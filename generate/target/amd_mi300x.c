#include "generate/target.h"

/*
 * Lane and register digits of the operands: AMD, "CDNA3 Instruction Set
 * Architecture" (2024), section 7 (matrix arithmetic), and AMD's matrix
 * instruction calculator.  Every one is a wavefront's: 64 lanes.
 */
static const struct mma_instr mma[] = {
	{ .name = "mfma_f32_32x32x8_bf16", .m = 32, .n = 32, .k = 8, .lanes = 64, .ab = DTYPE_bf16, .acc = DTYPE_f32,
	  .a_lane = "k/4 i", .a_reg = "k%4", .b_lane = "k/4 j", .b_reg = "k%4", .c_lane = "i/4%2 j", .c_reg = "i/8 i%4" },
	{ .name = "mfma_f32_16x16x16_bf16", .m = 16, .n = 16, .k = 16, .lanes = 64, .ab = DTYPE_bf16, .acc = DTYPE_f32,
	  .a_lane = "k/4 i", .a_reg = "k%4", .b_lane = "k/4 j", .b_reg = "k%4", .c_lane = "i/4 j", .c_reg = "i%4" },
	{ .name = "mfma_f32_32x32x2_f32", .m = 32, .n = 32, .k = 2, .lanes = 64, .ab = DTYPE_f32, .acc = DTYPE_f32,
	  .a_lane = "k i", .a_reg = "k%1", .b_lane = "k j", .b_reg = "k%1", .c_lane = "i/4%2 j", .c_reg = "i/8 i%4" },
	{ .name = "mfma_f32_16x16x4_f32", .m = 16, .n = 16, .k = 4, .lanes = 64, .ab = DTYPE_f32, .acc = DTYPE_f32,
	  .a_lane = "k i", .a_reg = "k%1", .b_lane = "k j", .b_reg = "k%1", .c_lane = "i/4 j", .c_reg = "i%4" },
	{ .name = NULL },
};

const struct target target_amd_mi300x = {
	.name = "amd-mi300x",
	.summary = "AMD Instinct MI300X (CDNA3, gfx942)",
	.artifact = "hsaco",
	/* No machine with this device: compiled and inspected, never run. */
	.best_state = STATE_COMPILED,
	.isa = ISA_BIT(mfma),
	.march = "gfx942",
	.vector_reg_count = 512,     /* a lane's vector registers, AGPRs included: CDNA3 ISA, 3.6 */
	.warp = 64,
	.core_count = 304,           /* AMD Instinct MI300X data sheet (2023): compute units */
	.l1_bytes = 32 << 10,        /* vector cache of a CU: AMD CDNA 3 white paper (2023) */
	.l2_bytes = 4 << 20,         /* of one accelerator die of eight: the same */
	.l3_bytes = 256 << 20,       /* Infinity Cache: data sheet */
	.shared_bytes = 64 << 10,    /* LDS of a work group: CDNA3 ISA, 1.2 */
	.max_threads = 1024,
	.peak_flop_per_s = {         /* data sheet, without sparsity, by the matrix units where they serve */
		[DTYPE_f32] = 163.4e12, [DTYPE_f64] = 163.4e12,
		[DTYPE_f16] = 1307.4e12, [DTYPE_bf16] = 1307.4e12, [DTYPE_i8] = 2614.9e12,
	},
	.peak_bytes_per_s = 5.3e12,  /* HBM3, data sheet */
	.mma = mma,
};
