#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t C = c->dim[1];
	for (int64_t i = 0; i < c->dim[0] * C; i++) {
		double sum = c->in[3][i % C];
		for (int64_t j = 0; j < C; j++)
			sum += c->in[1][i / C * C + j] * c->in[2][i % C * C + j];
		c->out[0][i] = c->in[0][i] * sum + c->in[1][i];
	}
}

const struct op op_dcn_v2_cross = {
	.name = "dcn_v2_cross",
	.summary = "cross layer of DCNv2: x0 (W x + b) + x",
	.dims = "R C",
	.tensor = {
		{ "x0", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "l[r,c] = b[c] + sum(j<C) x[r,j] * w[c,j]; y[r,c] = x0[r,c] * l[r,c] + x[r,c]",
	.reference = reference,
	.flop = "2*R*C*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=512 C=512", OP_FULL, "f32" },
		{ "R=201 C=333", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=33", OP_CHECK, NULL },
	},
	.torch = "x0 * torch.nn.functional.linear(x, w, b) + x",
	.source_path = __FILE__,
};
