#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double above = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v <= above ? 0 : g;
	}
}

const struct op op_threshold_backward = {
	.name = "threshold_backward",
	.summary = "gradient of threshold",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "above", 0.5, false } },
	.body = "dx[n] = x[n] <= above ? 0 : g[n]",
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
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.threshold(x, above, 0), x, "
		"g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.threshold",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), above=number(arg(0, 'threshold')), "
		  "want=flat(v.d[0])))(vjp(input))",
	.source_path = __FILE__,
};
