#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	double scale = c->in[0][0] / ((double)R * (double)C);
	for (int64_t i = 0; i < R * C; i++) {
		double p = c->in[1][i], t = c->in[2][i];
		double slope = p - t;
		if (fabs(slope) > c->attr[0])
			slope = copysign(c->attr[0], slope);
		c->out[0][i] = scale * slope;
	}
}

const struct op op_huber_loss_backward = {
	.name = "huber_loss_backward",
	.summary = "gradient of huber_loss",
	.dims = "R C",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "dp", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "delta", 0.7, false } },
	.require = "delta > 0",
	.body = "d[r,c] = p[r,c] - t[r,c]; "
		"dp[r,c] = g * (d[r,c] >= delta ? delta : d[r,c] <= -delta ? -delta : d[r,c]) / (R*C)",
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
	.torch = "(lambda p: torch.autograd.grad(torch.nn.functional.huber_loss(p, t, delta=delta), p, g)[0])"
		"(p.detach().requires_grad_())",
	.opinfo = "nn.functional.huber_loss",
	.sample = "(lambda v: dict(g=v.g, p=input.reshape(1, -1), t=args[0].reshape(1, -1), want=flat(v.d[0]), "
		  "delta=number(kw.get('delta', 1))))(vjp(input)) if kw.get('reduction', 'mean') == 'mean' and "
		  "input.shape == args[0].shape and kw.get('weight') is None and True else skip('another "
		  "reduction')",
	.source_path = __FILE__,
};
