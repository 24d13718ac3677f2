#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v * c->attr[0] > c->attr[1] ? g : g / (1 + exp(-v * c->attr[0]));
	}
}

const struct op op_softplus_backward = {
	.name = "softplus_backward",
	.summary = "gradient of softplus",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "beta", 1, false }, { "threshold", 20, false } },
	.body = "dx[n] = x[n] * beta > threshold ? g[n] : g[n] * sigmoid(x[n] * beta)",
	.reference = reference,
	.flop = "8*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
		{ "N=67 threshold=2", OP_CHECK, NULL },
		{ "N=53 beta=3 threshold=1.5", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.softplus(x, beta, threshold), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.softplus",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), beta=kw.get('beta', 1), threshold=kw.get('threshold', 20), want=flat(v.d[0])))(vjp(input))",
	.source_path = __FILE__,
};
