#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double total = 0;
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++)
		for (int64_t k = 0; k < C; k++) {
			double loss = 1 - c->in[0][r * C + k] * c->in[1][k];
			total += loss < 0 ? 0 : loss;
		}
	c->out[0][0] = total / ((double)R * (double)C);
}

const struct op op_hinge_loss = {
	.name = "hinge_loss",
	.summary = "mean of relu(1 - p t)",
	.dims = "R C",
	.tensor = {
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y = sum(r,c) relu(1 - p[r,c] * t[c]) / (R*C)",
	.reference = reference,
	.flop = "4*R*C",
	.terms = "R*C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=32768 C=32768", OP_LARGE, "f32", "kb1/100" },
		{ "R=256 C=8192", OP_FULL, "f32", "kb1/100/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.mean(torch.clamp(1 - p * t, min=0))",
	.source_path = __FILE__,
};
