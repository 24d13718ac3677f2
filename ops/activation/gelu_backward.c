#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = g * (0.5 * (1 + erf(v / sqrt(2.0))) + v * exp(-v * v / 2) / sqrt(2 * acos(-1.0)));
	}
}

const struct op op_gelu_backward = {
	.name = "gelu_backward",
	.summary = "gradient of gelu",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[n] = g[n] * (0.5 * (1 + erf(x[n] * 0.70710678118654752440)) + x[n] * exp(-0.5 * sq(x[n])) * "
		"0.39894228040143267794)",
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
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.gelu(x), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.gelu",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), want=flat(v.d[0])))(vjp(input)) if "
		  "kw.get('approximate', 'none') == 'none' else skip('other attributes')",
	.source_path = __FILE__,
};
