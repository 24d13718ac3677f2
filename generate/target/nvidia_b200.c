#include "generate/target.h"

const struct target target_nvidia_b200 = {
	.name = "nvidia-b200",
	.summary = "NVIDIA B200 (Blackwell, sm_100a)",
	.artifact = "cubin",
	/* No machine with this device: compiled and inspected, never run. */
	.best_state = STATE_COMPILED,
	.isa = ISA_BIT(mma_sync),
	.march = "sm_100a",
	.vector_reg_count = 255,     /* a thread's: CUDA C++ Programming Guide 13.0, technical specifications for 10.0 */
	.warp = 32,
	.core_count = 148,           /* multiprocessors, of two dies: as the driver reports it */
	.l1_bytes = 256 << 10,       /* with shared memory: Programming Guide, the same table */
	.l2_bytes = 126 << 20,       /* as the driver reports it */
	.l3_bytes = 126 << 20,       /* the last level is the second */
	.shared_bytes = 227 << 10,   /* of a block: Programming Guide, the same table */
	.static_shared_bytes = 48 << 10,
	.max_threads = 1024,
	.max_cluster = 16,           /* 8 everywhere, 16 where the function asks for it: Programming Guide, thread block clusters */
	.peak_flop_per_s = {         /* NVIDIA HGX B200 data sheet (2025), an eighth of it, without sparsity; f32 outside the matrix units */
		[DTYPE_f32] = 75e12, [DTYPE_f64] = 37e12,
		[DTYPE_f16] = 2250e12, [DTYPE_bf16] = 2250e12, [DTYPE_i8] = 4500e12,
	},
	.peak_bytes_per_s = 8e12,    /* HBM3e: the same */
	.mma = nvidia_warp_mma,
	.here = nvidia_here,
};
