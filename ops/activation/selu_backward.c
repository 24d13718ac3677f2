#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double scale = c->attr[0];
	double alpha = c->attr[1];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v > 0 ? g * scale : g * scale * (alpha * exp(v));
	}
}

const struct op op_selu_backward = {
	.name = "selu_backward",
	.summary = "gradient of selu",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "scale", 1.0507009873554805, false }, { "alpha", 1.6732632423543772, false } },
	.body = "dx[n] = g[n] * scale * (x[n] > 0 ? 1 : alpha * exp(x[n]))",
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
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.selu(x), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.selu",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), want=flat(v.d[0])))(vjp(input)) if not "
		  "input.isnan().any() else skip('PyTorch is of two minds at NaN: vectors and tails differ')",
	.source_path = __FILE__,
};
