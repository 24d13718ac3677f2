#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1], K = c->dim[2];
	for (int64_t i = 0; i < M * K; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < K * N; i++)
		c->out[1][i] = 0;
	for (int64_t m = 0; m < M; m++)
		for (int64_t n = 0; n < N; n++) {
			double g = c->in[0][m * N + n];
			for (int64_t k = 0; k < K; k++) {
				c->out[0][k * M + m] += g * c->in[2][k * N + n];
				c->out[1][k * N + n] += g * c->in[1][k * M + m];
			}
		}
}

const struct op op_matmul_transposed_a_backward = {
	.name = "matmul_transposed_a_backward",
	.summary = "gradients of matmul_transposed_a",
	.dims = "M N K",
	.tensor = {
		{ "g", "M N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "K M", OP_IN, "T", OP_REAL, NULL },
		{ "w", "K N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "K M", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "K N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[k,m] = sum(n) g[m,n] * w[k,n]; dw[k,n] = sum(m) x[k,m] * g[m,n]",
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
		{ "M=3 N=70 K=131", OP_CHECK, NULL },
	},
	.torch = "(lambda x, w: torch.autograd.grad(x.t() @ w, (x, w), g))(x.detach().requires_grad_(), "
		"w.detach().requires_grad_())",
	.source_path = __FILE__,
};
