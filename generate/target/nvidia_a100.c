#include "generate/target.h"

const struct target target_nvidia_a100 = {
	.name = "nvidia-a100",
	.summary = "NVIDIA A100 (Ampere, sm_80)",
	.artifact = "cubin",
	/* No machine with this device: compiled and inspected, never run. */
	.best_state = STATE_COMPILED,
	.isa = ISA_BIT(mma_sync),
	.march = "sm_80",
	.vector_reg_count = 255,     /* a thread's: CUDA C++ Programming Guide 13.0, technical specifications for 8.0 */
	.warp = 32,
	.core_count = 108,           /* multiprocessors: NVIDIA A100 architecture white paper (2020) */
	.l1_bytes = 192 << 10,       /* with shared memory: the same */
	.l2_bytes = 40 << 20,        /* the same */
	.l3_bytes = 40 << 20,        /* the last level is the second */
	.shared_bytes = 163 << 10,   /* of a block: Programming Guide, the same table */
	.static_shared_bytes = 48 << 10,
	.max_threads = 1024,
	.peak_flop_per_s = {         /* NVIDIA A100 data sheet (2021), without sparsity; f32 outside the matrix units */
		[DTYPE_f32] = 19.5e12, [DTYPE_f64] = 19.5e12,
		[DTYPE_f16] = 312e12, [DTYPE_bf16] = 312e12, [DTYPE_i8] = 624e12,
	},
	.peak_bytes_per_s = 2.039e12, /* HBM2e of the SXM part with 80 GB, data sheet */
	.mma = nvidia_warp_mma,
	.here = nvidia_here,
};
