#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v > c->attr[0] || isnan(v) ? 0 : g;
	}
}

const struct op op_clamp_max_backward = {
	.name = "clamp_max_backward",
	.summary = "gradient of clamp_max: 1 at the bound",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "hi", 0.5, false } },
	.body = "dx[n] = x[n] <= hi ? g[n] : 0",
	.reference = reference,
	.flop = "2*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.clamp_max(x, hi), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "clamp_max",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), hi=number(args[0]), want=flat(v.d[0])))(vjp(input))",
	.source_path = __FILE__,
};
