#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double least = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], x = c->in[1][i];
		c->out[0][i] = fabs(x) > least ? g : 0;
	}
}

const struct op op_softshrink_backward = {
	.name = "softshrink_backward",
	.summary = "gradient of softshrink",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "least", 0.5, false } },
	.require = "least >= 0",
	.body = "dx[n] = x[n] > least || x[n] < -least ? g[n] : 0",
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
		{ "N=67 least=1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.softshrink(x, least), x, "
		"g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.softshrink",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), least=number(kw.get('lambd', 0.5)), "
		"want=flat(v.d[0])))(vjp(input)) if set(kw) <= {'lambd', 'inplace'} and not input.isnan().any() else "
		"skip('other attributes, or NaN')",
	.source_path = __FILE__,
};
