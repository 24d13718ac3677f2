#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	double scale = c->in[0][0] / ((double)R * (double)C);
	for (int64_t i = 0; i < R * C; i++) {
		double p = c->in[1][i], t = c->in[2][i];
		c->out[0][i] = scale * ((1 - t) / (1 - p) - t / p);
	}
}

const struct op op_binary_cross_entropy_backward = {
	.name = "binary_cross_entropy_backward",
	.summary = "gradient of binary_cross_entropy",
	.dims = "R C",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL, .lo = 0.0625, .hi = 0.9375 },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "dp", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dp[r,c] = g * (p[r,c] - t[r,c]) / (p[r,c] * (1 - p[r,c])) / (R*C)",
	.reference = reference,
	.flop = "4*R*C",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "(lambda p: torch.autograd.grad(torch.nn.functional.binary_cross_entropy(p, t), p, g)[0])"
		"(p.detach().requires_grad_())",
	.opinfo = "nn.functional.binary_cross_entropy",
	.sample = "(lambda v: dict(g=v.g, p=input.reshape(1, -1), t=args[0].reshape(1, -1), "
		  "want=flat(v.d[0])))(vjp(input)) if kw.get('reduction', 'mean') == 'mean' and input.shape == "
		  "args[0].shape and kw.get('weight') is None and True else skip('another reduction')",
	.source_path = __FILE__,
};
