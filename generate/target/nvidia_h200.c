#include "generate/target.h"

static int is_here(void)
{
	return nvidia_is_here("H200");
}

const struct target target_nvidia_h200 = {
	.name = "nvidia-h200",
	.summary = "NVIDIA H200 (Hopper, sm_90a)",
	.artifact = "cubin",
	.best_state = STATE_MEASURED,
	.isa = ISA_BIT(wgmma) | ISA_BIT(mma_sync),
	.march = "sm_90a",
	.vector_reg_count = 255,     /* a thread's: CUDA C++ Programming Guide 13.0, technical specifications for 9.0 */
	.warp = 32,
	.core_count = 132,           /* multiprocessors of the SXM part: NVIDIA H100 architecture white paper (2022) */
	.l1_bytes = 256 << 10,       /* with shared memory: the same */
	.l2_bytes = 60 << 20,        /* as the driver reports it */
	.l3_bytes = 60 << 20,        /* the last level is the second */
	.shared_bytes = 227 << 10,   /* of a block: Programming Guide, the same table */
	.static_shared_bytes = 48 << 10,
	.max_threads = 1024,
	.max_cluster = 16,           /* 8 everywhere, 16 where the function asks for it: Programming Guide, thread block clusters */
	.peak_flop_per_s = {         /* NVIDIA H200 data sheet (2024), SXM, without sparsity; f32 outside the matrix units */
		[DTYPE_f32] = 67e12, [DTYPE_f64] = 67e12,
		[DTYPE_f16] = 989.5e12, [DTYPE_bf16] = 989.5e12, [DTYPE_i8] = 1979e12,
	},
	.peak_bytes_per_s = 4.8e12,  /* HBM3e, data sheet */
	.mma = nvidia_hopper_mma,
	.probe = is_here,
	.here = nvidia_here,
};
