#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t C = c->dim[1];
	for (int64_t i = 0; i < c->dim[0] * C; i++)
		c->out[0][i] = c->in[0][i] * c->in[1][i / C];
}

const struct op op_dequantize_rowwise_f8e4m3 = {
	.name = "dequantize_rowwise_f8e4m3",
	.summary = "reals of rows of f8e4m3 and a scale each",
	.dims = "R C",
	.tensor = {
		{ "q", "R C", OP_IN, "f8e4m3", OP_REAL, NULL },
		{ "s", "R", OP_IN, "T", OP_REAL, NULL, .lo = 0.01, .hi = 1.5 },
		{ "y", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[r,c] = q[r,c] * s[r]",
	.reference = reference,
	.flop = "R*C",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=1024 C=4096", OP_FULL, "f32" },
		{ "R=777 C=3001", OP_HELDOUT, "f32" },
		{ "R=3 C=37", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=5 C=131", OP_CHECK, NULL },
		{ "R=17 C=9", OP_CHECK, NULL },
	},
	.torch = "q * s.unsqueeze(1)",
	.source_path = __FILE__,
};
