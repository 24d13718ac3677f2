#include "evaluate/baseline/cudnn.h"

const struct baseline baseline_cudnn_channels_last_tf32 = {
	.name = "cudnn_channels_last_tf32",
	.summary = "cuDNN channels last and rounded to tf32: shown beside what computes f32, not for it to beat",
	.artifact = "cubin",
	.soname = "libcudnn.so.9",
	.package = NULL,
	.is_laid_out_otherwise = true,
	.serves = cudnn_serves_tf32,
	.open = cudnn_open_channels_last_tf32,
	.bind = cudnn_bind,
	.run = cudnn_run,
	.close = cudnn_close,
};
