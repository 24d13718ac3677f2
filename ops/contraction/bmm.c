#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], M = c->dim[1], N = c->dim[2], K = c->dim[3];
	for (int64_t b = 0; b < B; b++)
		for (int64_t m = 0; m < M; m++)
			for (int64_t n = 0; n < N; n++) {
				double sum = 0;
				for (int64_t k = 0; k < K; k++)
					sum += c->in[0][(b * M + m) * K + k] * c->in[1][(b * K + k) * N + n];
				c->out[0][(b * M + m) * N + n] = sum;
			}
}

const struct op op_bmm = {
	.name = "bmm",
	.summary = "batched matrix product",
	.dims = "B M N K",
	.tensor = {
		{ "x", "B M K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "B K N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,m,n] = sum(k) x[b,m,k] * w[b,k,n]",
	.reference = reference,
	.flop = "2*B*M*N*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=8 M=256 N=256 K=256", OP_FULL, "f32" },
		{ "B=3 M=201 N=177 K=123", OP_HELDOUT, "f32" },
		{ "B=128 M=512 N=2048 K=1024", OP_LARGE, "f32", "kb1/3" },
		{ "B=2 M=512 N=512 K=256", OP_FULL, "f32", "kb1/3/cpu" },
		{ "B=3 M=5 N=7 K=9", OP_CHECK, NULL },
		{ "B=1 M=1 N=1 K=1", OP_CHECK, NULL },
		{ "B=2 M=17 N=33 K=65", OP_CHECK, NULL },
		{ "B=1 M=3 N=70 K=131", OP_CHECK, NULL },
		{ "B=2 M=9 N=11 K=1100", OP_CHECK, NULL },
	},
	.torch = "torch.bmm(x, w)",
	.opinfo = "bmm",
	.sample = "dict(x=input, w=args[0])",
	.source_path = __FILE__,
};
