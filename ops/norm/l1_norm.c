#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *x = c->in[0] + r * C;
		double *y = c->out[0] + r * C, mean = 0;
		for (int64_t i = 0; i < C; i++)
			mean += fabs(x[i]);
		mean /= (double)C;
		for (int64_t i = 0; i < C; i++)
			y[i] = x[i] / mean;
	}
}

const struct op op_l1_norm = {
	.name = "l1_norm",
	.summary = "x over the mean of |x| of its row",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "q[r] = sum(c) abs(x[r,c]) / C; y[r,c] = x[r,c] / q[r]",
	.reference = reference,
	.flop = "3*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=32768 C=65535", OP_LARGE, "f32", "kb1/38" },
		{ "R=256 C=8192", OP_FULL, "f32", "kb1/38/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "x / x.abs().mean(1, keepdim=True)",
	.source_path = __FILE__,
};
