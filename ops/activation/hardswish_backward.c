#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v < -3 ? 0 : v > 3 ? g : g * (v + 1.5) / 3;
	}
}

const struct op op_hardswish_backward = {
	.name = "hardswish_backward",
	.summary = "gradient of hardswish",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[n] = x[n] > 3 ? g[n] : x[n] < -3 ? 0 : g[n] * (x[n] / 3 + 0.5)",
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
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.hardswish(x), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.hardswish",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), want=flat(v.d[0])))(vjp(input)) if not "
		  "(input.abs() == 3).any() else skip('PyTorch is of two minds at 3: vectors and tails differ')",
	.source_path = __FILE__,
};
