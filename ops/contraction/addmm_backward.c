#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1], K = c->dim[2];
	for (int64_t i = 0; i < M * K; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < K * N; i++)
		c->out[1][i] = 0;
	for (int64_t n = 0; n < N; n++)
		c->out[2][n] = 0;
	for (int64_t m = 0; m < M; m++)
		for (int64_t n = 0; n < N; n++) {
			double g = c->in[0][m * N + n];
			c->out[2][n] += c->attr[0] * g;
			for (int64_t k = 0; k < K; k++) {
				c->out[0][m * K + k] += c->attr[1] * g * c->in[2][k * N + n];
				c->out[1][k * N + n] += c->attr[1] * g * c->in[1][m * K + k];
			}
		}
}

const struct op op_addmm_backward = {
	.name = "addmm_backward",
	.summary = "gradients of addmm with a row as bias: of the matrices and the row",
	.dims = "M N K",
	.tensor = {
		{ "g", "M N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "M K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "K N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "M K", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "K N", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "beta", 1, false }, { "alpha", 1, false } },
	.body = "dx[m,k] = alpha * (sum(n) g[m,n] * w[k,n]); dw[k,n] = alpha * (sum(m) x[m,k] * g[m,n]); db[n] = beta * (sum(m) g[m,n])",
	.reference = reference,
	.flop = "4*M*N*K",
	.terms = "maximum(M,N)",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=512 N=512 K=512", OP_FULL, "f32" },
		{ "M=201 N=177 K=123", OP_HELDOUT, "f32" },
		{ "M=5 N=7 K=9", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=33 K=65", OP_CHECK, NULL },
		{ "M=3 N=70 K=131 beta=0.5 alpha=-2", OP_CHECK, NULL },
	},
	.torch = "(lambda b, x, w: torch.autograd.grad(torch.addmm(b, x, w, beta=beta, alpha=alpha), (x, w, b), "
		"g))(torch.zeros(N).requires_grad_(), x.detach().requires_grad_(), w.detach().requires_grad_())",
	.opinfo = "addmm",
	.sample = "(lambda v: dict(g=v.g, x=args[0], w=args[1], beta=number(kw.get('beta', 1)), alpha=number(kw.get('alpha', 1)), "
		"want=(v.d[0], v.d[1], v.d[2].reshape(-1, v.g.shape[1]).sum(0))))(vjp(args[0], args[1], input)) if input.numel() > 1 else "
		"skip('a bias that is no row')",
	.source_path = __FILE__,
};
