#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t K = c->dim[2], N = c->dim[3];
	for (int64_t i = 0; i < c->dim[0] * N; i++) {
		const double *w = c->in[1] + (int64_t)c->in[2][i / N] * K * N + i % N;
		double sum = 0;
		for (int64_t k = 0; k < K; k++)
			sum += c->in[0][i / N * K + k] * w[k * N];
		c->out[0][i] = sum;
	}
}

const struct op op_moe_gather_gemm = {
	.name = "moe_gather_gemm",
	.summary = "rows times the matrix that each chooses",
	.dims = "T E K N",
	.tensor = {
		{ "x", "T K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "E K N", OP_IN, "T", OP_REAL, NULL },
		{ "e", "T", OP_IN, "i64", OP_INDEX, "E" },
		{ "y", "T N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[t,n] = sum(k) x[t,k] * w[e[t],k,n]",
	.reference = reference,
	.flop = "2*T*K*N",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "T=512 E=8 K=256 N=256", OP_FULL, "f32" },
		{ "T=201 E=5 K=77 N=133", OP_HELDOUT, "f32" },
		{ "T=5 E=3 K=7 N=9", OP_CHECK, NULL },
		{ "T=1 E=1 K=1 N=1", OP_CHECK, NULL },
		{ "T=17 E=4 K=33 N=6", OP_CHECK, NULL },
	},
	.torch = "torch.einsum('tk,tkn->tn', x, w[e])",
	.source_path = __FILE__,
};
