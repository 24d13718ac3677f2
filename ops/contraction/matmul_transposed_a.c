#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1], K = c->dim[2];
	for (int64_t m = 0; m < M; m++)
		for (int64_t n = 0; n < N; n++) {
			double sum = 0;
			for (int64_t k = 0; k < K; k++)
				sum += c->in[0][k * M + m] * c->in[1][k * N + n];
			c->out[0][m * N + n] = sum;
		}
}

const struct op op_matmul_transposed_a = {
	.name = "matmul_transposed_a",
	.summary = "x transposed times w",
	.dims = "M N K",
	.tensor = {
		{ "x", "K M", OP_IN, "T", OP_REAL, NULL },
		{ "w", "K N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[m,n] = sum(k) x[k,m] * w[k,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=2048 N=4096 K=8192", OP_LARGE, "f32", "kb1/16" },
		{ "M=512 N=512 K=512", OP_FULL, "f32", "kb1/16/cpu" },
		{ "M=201 N=177 K=123", OP_HELDOUT, "f32" },
		{ "M=5 N=7 K=9", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=33 K=65", OP_CHECK, NULL },
		{ "M=3 N=70 K=131", OP_CHECK, NULL },
		{ "M=9 N=11 K=1100", OP_CHECK, NULL },
	},
	.torch = "x.t() @ w",
	.source_path = __FILE__,
};
