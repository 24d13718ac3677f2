#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t r = 0; r < c->dim[0]; r++) {
		double dot = 0, n = c->in[3][r];
		for (int64_t i = 0; i < c->dim[1]; i++)
			dot += c->in[0][r * c->dim[1] + i] * c->in[1][r * c->dim[1] + i];
		c->out[1][r] = dot / n;
		for (int64_t i = 0; i < c->dim[1]; i++) {
			int64_t k = r * c->dim[1] + i;
			c->out[0][k] = (c->in[0][k] - c->in[1][k] * dot / (n * n)) * c->in[2][r] / n;
		}
	}
}

const struct op op_weight_norm_interface_backward = {
	.name = "weight_norm_interface_backward",
	.aliases = "_weight_norm_interface_backward",
	.summary = "gradients of weight_norm_interface",
	.dims = "R C",
	.tensor = {
		{ "d", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "v", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "g", "R", OP_IN, "T", OP_REAL, NULL },
		{ "n", "R", OP_IN, "T", OP_REAL, NULL, .lo = 0.5, .hi = 4 },
		{ "dv", "R C", OP_OUT, "T", OP_REAL, NULL },
		{ "dg", "R", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[r] = sum(c) d[r,c] * v[r,c]; dg[r] = s[r] / n[r]; "
		"dv[r,c] = g[r] / n[r] * (d[r,c] - v[r,c] * s[r] / sq(n[r]))",
	.reference = reference,
	.flop = "6*R*C",
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
	.torch = "(lambda a, b: (a, b.squeeze(1)))(*torch.ops.aten._weight_norm_interface_backward(d, v, "
		"g.unsqueeze(1), n.unsqueeze(1), 0))",
	.source_path = __FILE__,
};
