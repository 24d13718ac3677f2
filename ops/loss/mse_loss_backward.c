#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++)
		c->out[0][i] = 2 / (double)c->dim[0] * (c->in[1][i] - c->in[2][i]) * c->in[0][0];
}

const struct op op_mse_loss_backward = {
	.name = "mse_loss_backward",
	.summary = "gradient of mse_loss",
	.dims = "N",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "p", "N", OP_IN, "T", OP_REAL, NULL },
		{ "t", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dp", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dp[n] = g * 2 * (p[n] - t[n]) / N",
	.reference = reference,
	.flop = "3*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "(lambda p: torch.autograd.grad(torch.nn.functional.mse_loss(p, t), p, g)[0])(p.detach().requires_grad_())",
	.opinfo = "nn.functional.mse_loss",
	.sample = "(lambda v: dict(g=v.g, p=flat(input), t=flat(args[0]), want=flat(v.d[0])))(vjp(input)) if "
		  "kw.get('reduction', 'mean') == 'mean' and input.shape == args[0].shape and kw.get('weight') is "
		  "None and True else skip('another reduction')",
	.source_path = __FILE__,
};
