#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double alpha = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], x = c->in[1][i];
		c->out[0][i] = x > 0 ? g : g * exp(x / alpha);
	}
}

const struct op op_celu_backward = {
	.name = "celu_backward",
	.summary = "gradient of celu",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "alpha", 1.5, false } },
	.require = "alpha != 0",
	.body = "dx[n] = x[n] > 0 ? g[n] : g[n] * exp(x[n] / alpha)",
	.reference = reference,
	.flop = "4*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
		{ "N=67 alpha=0.5", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.celu(x, alpha), x, "
		"g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.celu",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), alpha=number(kw.get('alpha', 1.0)), "
		"want=flat(v.d[0])))(vjp(input)) if set(kw) <= {'alpha', 'inplace'} and not input.isnan().any() and "
		"(dtype != torch.float64 or number(kw.get('alpha', 1.0)) * 4 % 1 == 0) else skip('other attributes, "
		"or NaN')",
	.source_path = __FILE__,
};
