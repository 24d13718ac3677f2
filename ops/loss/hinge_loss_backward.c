#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	double scale = c->in[0][0] / ((double)R * (double)C);
	for (int64_t i = 0; i < R * C; i++) {
		double p = c->in[1][i], t = c->in[2][i % C];
		c->out[0][i] = -t * (1 - p * t >= 0 ? scale : 0);
	}
}

const struct op op_hinge_loss_backward = {
	.name = "hinge_loss_backward",
	.summary = "gradient of hinge_loss",
	.dims = "R C",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "C", OP_IN, "T", OP_REAL, NULL },
		{ "dp", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dp[r,c] = (p[r,c] * t[c] <= 1 ? -g : 0) * t[c] / (R*C)",
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
	.torch = "(lambda p: torch.autograd.grad(torch.mean(torch.clamp(1 - p * t, min=0)), p, g)[0])"
		"(p.detach().requires_grad_())",
	.source_path = __FILE__,
};
