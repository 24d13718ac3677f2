#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2];

	for (int64_t k = 0; k < C; k++)
		c->out[1][k] = c->out[2][k] = 0;
	for (int64_t i = 0; i < N * C * S; i++) {
		int64_t k = i / S % C;
		double g = c->in[0][i], deviation = sqrt(c->in[4][k] + c->attr[0]);
		c->out[0][i] = g * c->in[2][k] / deviation;
		c->out[1][k] += g * (c->in[1][i] - c->in[3][k]) / deviation;
		c->out[2][k] += g;
	}
}

const struct op op_batch_norm_inference_backward = {
	.name = "batch_norm_inference_backward",
	.summary = "gradients of batch_norm_inference: of input, scale and shift",
	.dims = "N C S",
	.tensor = {
		{ "g", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rm", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rv", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "dx", "N C S", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.body = "dx[n,c,s] = g[n,c,s] * w[c] * rsqrt(rv[c] + eps); dw[c] = sum(n,s) g[n,c,s] * (x[n,c,s] - rm[c]) * rsqrt(rv[c] + eps); "
		"db[c] = sum(n,s) g[n,c,s]",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "N*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4 C=64 S=4096", OP_FULL, "f32" },
		{ "N=3 C=19 S=777", OP_HELDOUT, "f32" },
		{ "N=3 C=5 S=7", OP_CHECK, NULL },
		{ "N=2 C=1 S=1", OP_CHECK, NULL },
		{ "N=2 C=6 S=33", OP_CHECK, NULL },
		{ "N=5 C=3 S=2 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "(lambda x, w, b: torch.autograd.grad(torch.nn.functional.batch_norm(x, rm, rv, w, b, False, 0.1, eps), (x, w, b), "
		"g))(x.detach().requires_grad_(), w.detach().requires_grad_(), torch.zeros(C).requires_grad_())",
	.opinfo = "nn.functional.batch_norm",
	.sample = "(lambda v: dict(g=v.g.reshape(*input.shape[:2], -1), x=input.reshape(*input.shape[:2], -1), w=args[2], rm=args[0], "
		"rv=args[1], eps=number(kw.get('eps', 1e-5)), want=(v.d[0].reshape(*input.shape[:2], -1), v.d[1], v.d[2])))(vjp(input, args[2], "
		"args[3])) if not kw.get('training') and args[0] is not None and args[2] is not None and args[3] is not None else "
		"skip('training, or without weights')",
	.source_path = __FILE__,
};
