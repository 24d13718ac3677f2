#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], M = c->dim[1], N = c->dim[2], K = c->dim[3];
	for (int64_t i = 0; i < B * M * K; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < B * K * N; i++)
		c->out[1][i] = 0;
	for (int64_t bm = 0; bm < B * M; bm++)
		for (int64_t n = 0; n < N; n++)
			for (int64_t k = 0; k < K; k++) {
				int64_t w = (bm / M * K + k) * N + n;
				c->out[0][bm * K + k] += c->in[0][bm * N + n] * c->in[2][w];
				c->out[1][w] += c->in[0][bm * N + n] * c->in[1][bm * K + k];
			}
}

const struct op op_bmm_backward = {
	.name = "bmm_backward",
	.summary = "gradients of a batched matrix product",
	.dims = "B M N K",
	.tensor = {
		{ "g", "B M N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "B M K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "B K N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "B M K", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "B K N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[b,m,k] = sum(n) g[b,m,n] * w[b,k,n]; dw[b,k,n] = sum(m) x[b,m,k] * g[b,m,n]",
	.reference = reference,
	.flop = "4*B*M*N*K",
	.terms = "maximum(M,N)",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=8 M=256 N=256 K=256", OP_FULL, "f32" },
		{ "B=3 M=201 N=177 K=123", OP_HELDOUT, "f32" },
		{ "B=3 M=5 N=7 K=9", OP_CHECK, NULL },
		{ "B=1 M=1 N=1 K=1", OP_CHECK, NULL },
		{ "B=2 M=17 N=33 K=65", OP_CHECK, NULL },
		{ "B=1 M=3 N=70 K=131", OP_CHECK, NULL },
	},
	.torch = "(lambda x, w: torch.autograd.grad(torch.bmm(x, w), (x, w), g))(x.detach().requires_grad_(), "
		"w.detach().requires_grad_())",
	.opinfo = "bmm",
	.sample = "(lambda v: dict(g=v.g, x=input, w=args[0], want=v.d))(vjp(input, args[0]))",
	.source_path = __FILE__,
};
