#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	const double *a = c->in[0], *b = c->in[1];

	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++) {
			double s = 0;
			for (int64_t l = 0; l < k; l++)
				s += a[i * k + l] * b[l * n + j];
			c->out[0][i * n + j] = s;
		}
}

const struct op op_matmul = {
	.name = "matmul",
	.summary = "dense matrix product, accumulated and stored in f32",
	.dims = "M N K",
	.tensor = { { "A", "M K", OP_IN, "T", OP_REAL, NULL }, { "B", "K N", OP_IN, "T", OP_REAL, NULL },
		    { "C", "M N", OP_OUT, "acc", OP_REAL, NULL } },
	.body = "C[m,n] = sum(k) A[m,k] * B[k,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32 bf16",
	.shape = {
		{ "M=1024 N=1024 K=1024", OP_SEARCH, NULL },
		{ "M=512 N=512 K=512", OP_SEARCH, "f32" },
		{ "M=2048 N=2048 K=2048", OP_FULL, NULL },
		{ "M=64 N=4096 K=1024", OP_FULL, NULL },
		{ "M=700 N=900 K=500", OP_HELDOUT, NULL },
		{ "M=5 N=7 K=3", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=37 N=67 K=131", OP_CHECK, NULL },
		{ "M=130 N=29 K=35", OP_CHECK, NULL },
	},
	.torch = "torch.matmul(A, B)",
	.source_path = __FILE__,
};
