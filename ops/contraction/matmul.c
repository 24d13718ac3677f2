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
	.aliases = "mm",
	.summary = "dense matrix product, accumulated and stored in f32",
	.dims = "M N K",
	.tensor = { { "A", "M K", OP_IN, "T", OP_REAL, NULL }, { "B", "K N", OP_IN, "T", OP_REAL, NULL },
		    { "C", "M N", OP_OUT, "acc", OP_REAL, NULL } },
	.body = "C[m,n] = sum(k) A[m,k] * B[k,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32 bf16 f16 f64",
	.shape = {
		{ "M=1024 N=1024 K=1024", OP_SEARCH, "f32 bf16" },
		{ "M=512 N=512 K=512", OP_SEARCH, "f32", "kb1/1/cpu kb1/13/cpu" },
		{ "M=2048 N=2048 K=2048", OP_FULL, "f32 bf16" },
		{ "M=64 N=4096 K=1024", OP_FULL, "f32 bf16", "kb1/2/cpu" },
		{ "M=700 N=900 K=500", OP_HELDOUT, "f32 bf16" },
		{ "M=4096 N=4096 K=4096", OP_LARGE, "f32", "kb1/1 kb1/13" },
		{ "M=2048 N=4096 K=8192", OP_LARGE, "f32", "kb1/2" },
		{ "M=256 N=256 K=524288", OP_LARGE, "f32", "kb1/6" },
		{ "M=64 N=64 K=32768", OP_FULL, "f32", "kb1/6/cpu" },
		{ "M=32768 N=32768 K=64", OP_LARGE, "f32", "kb1/7" },
		{ "M=2048 N=2048 K=64", OP_FULL, "f32", "kb1/7/cpu" },
		{ "M=8205 N=5921 K=2949", OP_LARGE, "f32", "kb1/8" },
		{ "M=820 N=592 K=294", OP_FULL, "f32", "kb1/8/cpu" },
		{ "M=32768 N=32768 K=32", OP_LARGE, "f32", "kb1/9" },
		{ "M=2048 N=2048 K=32", OP_FULL, "f32", "kb1/9/cpu" },
		{ "M=16384 N=768 K=2048", OP_LARGE, "f32", "kb1/10" },
		{ "M=1024 N=768 K=256", OP_FULL, "f32", "kb1/10/cpu" },
		{ "M=1048576 N=768 K=256", OP_LARGE, "f32", "kb1/11" },
		{ "M=4096 N=768 K=64", OP_FULL, "f32", "kb1/11/cpu" },
		{ "M=5 N=7 K=3", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=37 N=67 K=131", OP_CHECK, NULL },
		{ "M=130 N=29 K=35", OP_CHECK, NULL },
		{ "M=9 N=11 K=1100", OP_CHECK, NULL },
	},
	.torch = "torch.matmul(A, B)",
	.opinfo = "matmul",
	.sample = "dict(A=input, B=args[0]) if input.dim() == 2 and args[0].dim() == 2 else skip('not two matrices')",
	.source_path = __FILE__,
};
