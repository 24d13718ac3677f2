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
				c->out[0][m * K + k] += g * c->in[2][n * K + k];
				c->out[1][n * K + k] += g * c->in[1][m * K + k];
			}
		}
}

const struct op op_matmul_transposed_b_backward = {
	.name = "matmul_transposed_b_backward",
	.summary = "gradients of matmul_transposed_b",
	.dims = "M N K",
	.tensor = {
		{ "g", "M N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "M K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "N K", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "M K", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "N K", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[m,k] = sum(n) g[m,n] * w[n,k]; dw[n,k] = sum(m) x[m,k] * g[m,n]",
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
	.torch = "(lambda x, w: torch.autograd.grad(x @ w.t(), (x, w), g))(x.detach().requires_grad_(), "
		"w.detach().requires_grad_())",
	.source_path = __FILE__,
};
