#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[1], D = c->dim[2], K = c->dim[3];
	for (int64_t b = 0; b < c->dim[0]; b++)
		for (int64_t n = 0; n < N; n++)
			for (int64_t k = 0; k < K; k++) {
				double sum = 0;
				for (int64_t d = 0; d < D; d++) {
					double t = 0;
					for (int64_t j = 0; j < N; j++)
						t += c->in[0][(b * N + j) * D + d] * c->in[1][(b * N + j) * K + k];
					sum += c->in[0][(b * N + n) * D + d] * t;
				}
				c->out[0][(b * N + n) * K + k] = sum;
			}
}

const struct op op_optimized_fm = {
	.name = "optimized_fm",
	.summary = "X (X^T Y): interactions of a factorization machine",
	.dims = "B N D K",
	.tensor = {
		{ "x", "B N D", OP_IN, "T", OP_REAL, NULL },
		{ "w", "B N K", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B N K", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "t[b,d,k] = sum(n) x[b,n,d] * w[b,n,k]; y[b,n,k] = sum(d) x[b,n,d] * t[b,d,k]",
	.reference = reference,
	.flop = "4*B*N*D*K",
	.terms = "N*D",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 N=2198 D=224 K=24", OP_LARGE, "f32", "paper/fm_1024x24x224x2198" },
		{ "B=1024 N=448 D=224 K=40", OP_LARGE, "f32", "paper/fm_1024x40x224x448" },
		{ "B=1024 N=448 D=224 K=48", OP_LARGE, "f32", "paper/fm_1024x48x224x448" },
		{ "B=4 N=448 D=224 K=40", OP_FULL, "f32", "paper/fm/cpu" },
		{ "B=2 N=201 D=77 K=23", OP_HELDOUT, "f32" },
		{ "B=2 N=5 D=7 K=3", OP_CHECK, NULL },
		{ "B=1 N=1 D=1 K=1", OP_CHECK, NULL },
		{ "B=3 N=17 D=9 K=11", OP_CHECK, NULL },
	},
	.torch = "x @ (x.transpose(1, 2) @ w)",
	.source_path = __FILE__,
};
