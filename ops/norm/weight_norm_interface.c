#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t r = 0; r < c->dim[0]; r++) {
		double square = 0;
		for (int64_t i = 0; i < c->dim[1]; i++)
			square += pow(c->in[0][r * c->dim[1] + i], 2);
		c->out[1][r] = sqrt(square);
		for (int64_t i = 0; i < c->dim[1]; i++)
			c->out[0][r * c->dim[1] + i] = c->in[0][r * c->dim[1] + i] * (c->in[1][r] / sqrt(square));
	}
}

const struct op op_weight_norm_interface = {
	.name = "weight_norm_interface",
	.aliases = "_weight_norm_interface",
	.summary = "v g / |v| by rows, and the lengths",
	.dims = "R C",
	.tensor = {
		{ "v", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "g", "R", OP_IN, "T", OP_REAL, NULL },
		{ "w", "R C", OP_OUT, "T", OP_REAL, NULL },
		{ "n", "R", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "n[r] = sqrt(sum(c) sq(v[r,c])); w[r,c] = v[r,c] * (g[r] / n[r])",
	.reference = reference,
	.flop = "3*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "(lambda n: (v * (g.unsqueeze(1) / n), n.squeeze(1)))(v.norm(dim=1, keepdim=True))",
	.source_path = __FILE__,
};
