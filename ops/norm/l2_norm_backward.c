#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t C = c->dim[1];
	for (int64_t r = 0; r < c->dim[0]; r++) {
		const double *g = c->in[0] + r * C, *x = c->in[1] + r * C;
		double norm = 0, along = 0;
		for (int64_t i = 0; i < C; i++)
			norm += x[i] * x[i];
		norm = sqrt(norm);
		for (int64_t i = 0; i < C; i++)
			along += g[i] * (x[i] / norm);
		for (int64_t i = 0; i < C; i++)
			c->out[0][r * C + i] = (g[i] - x[i] / norm * along) / norm;
	}
}

const struct op op_l2_norm_backward = {
	.name = "l2_norm_backward",
	.summary = "gradient of l2_norm",
	.dims = "R C",
	.tensor = {
		{ "g", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "q[r] = sum(c) sq(x[r,c]); s[r] = sum(c) g[r,c] * x[r,c]; dx[r,c] = (g[r,c] - x[r,c] * (s[r] / q[r])) "
		"/ sqrt(q[r])",
	.reference = reference,
	.flop = "7*R*C",
	.terms = "2*C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=2", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=129", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(x / torch.sqrt((x * x).sum(1, keepdim=True)), x, "
		"g)[0])(x.detach().requires_grad_())",
	.source_path = __FILE__,
};
