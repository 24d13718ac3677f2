#include "evaluate/baseline/cudnn.h"

const struct baseline baseline_cudnn_channels_last = {
	.name = "cudnn_channels_last",
	.summary = "cuDNN on tensors that lie channels last, as a program could keep them",
	.artifact = "cubin",
	.soname = "libcudnn.so.9",
	.package = NULL,
	.is_laid_out_otherwise = true,
	.serves = cudnn_serves,
	.open = cudnn_open_channels_last,
	.bind = cudnn_bind,
	.run = cudnn_run,
	.close = cudnn_close,
};
