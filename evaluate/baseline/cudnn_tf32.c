#include "evaluate/baseline/cudnn.h"

const struct baseline baseline_cudnn_tf32 = {
	.name = "cudnn_tf32",
	.summary = "cuDNN with f32 factors rounded to tf32: shown beside what computes f32, not for it to beat",
	.artifact = "cubin",
	.soname = "libcudnn.so.9",
	.package = NULL,
	.serves = cudnn_serves_tf32,
	.open = cudnn_open_tf32,
	.bind = cudnn_bind,
	.run = cudnn_run,
	.close = cudnn_close,
};
