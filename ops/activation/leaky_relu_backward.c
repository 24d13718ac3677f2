#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double slope = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v > 0 ? g : slope * g;
	}
}

const struct op op_leaky_relu_backward = {
	.name = "leaky_relu_backward",
	.summary = "gradient of leaky_relu",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "slope", 0.01, false } },
	.body = "dx[n] = x[n] > 0 ? g[n] : slope * g[n]",
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
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.leaky_relu(x, slope), x, "
		"g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.leaky_relu",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), slope=number(kw.get('negative_slope', 0.01)), "
		  "want=flat(v.d[0])))(vjp(input))",
	.source_path = __FILE__,
};
