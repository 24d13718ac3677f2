#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = g * (tanh(v > 30 ? v : log1p(exp(v))) + v * (1 / (1 + exp(-v))) * (1 - pow(tanh(v > 30 ? v : log1p(exp(v))), 2)));
	}
}

const struct op op_mish_backward = {
	.name = "mish_backward",
	.summary = "gradient of mish",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	/*
	 * tanh(softplus(x)) is p (p + 2 r) / Q, its slope and the rest of the formula quotients of the same, with exp(x) = p / r,
	 * p = exp(minimum(x, 0)), r = exp(minimum(-x, 0)) and Q = p^2 + 2 p r + 2 r^2.  exp(x / 2) stands on both sides of the
	 * product: below 0 the slope alone, near exp(x), is lost in f32 where g times it is not.
	 */
	.body = "dx[n] = g[n] * exp(minimum(0.5 * x[n], 0)) * (exp(minimum(x[n], 0)) + 2 * exp(minimum(-x[n], 0)) + "
		"4 * x[n] * (1 + exp(-abs(x[n]))) * sq(exp(minimum(-x[n], 0))) / "
		"(sq(exp(minimum(x[n], 0))) + 2 * exp(-abs(x[n])) + 2 * sq(exp(minimum(-x[n], 0))))) / "
		"(sq(exp(minimum(x[n], 0))) + 2 * exp(-abs(x[n])) + 2 * sq(exp(minimum(-x[n], 0)))) * exp(minimum(0.5 * x[n], 0))",
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
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.mish(x), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.mish",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), want=flat(v.d[0])))(vjp(input))",
	.source_path = __FILE__,
};
