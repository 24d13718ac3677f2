#include "evaluate/baseline/cublaslt.h"

const struct baseline baseline_cublaslt_tf32 = {
	.name = "cublaslt_tf32",
	.summary = "cuBLASLt with f32 factors rounded to tf32: shown beside what computes f32, not for it to beat",
	.artifact = "cubin",
	.soname = "libcublasLt.so.13",
	.package = NULL,
	.serves = cublaslt_serves_tf32,
	.open = cublaslt_open_tf32,
	.bind = cublaslt_bind,
	.run = cublaslt_run,
	.close = cublaslt_close,
};
