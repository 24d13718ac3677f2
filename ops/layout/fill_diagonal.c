#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], M = c->dim[1], N = c->dim[2];
	const double *x = c->in[0], *v = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < B * M * N; k++)
		y[k] = k / N % M == k % N ? *v : x[k];
}

const struct op op_fill_diagonal = {
	.name = "fill_diagonal",
	.aliases = "fill_diagonal_",
	.summary = "matrices with a value on the diagonal",
	.dims = "B M N",
	.tensor = {
		{ "x", "B M N", OP_IN, "T", OP_REAL, NULL },
		{ "v", "", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,m,n] = m == n ? v : x[b,m,n]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "B=4 M=1024 N=512", OP_FULL, "f32" },
		{ "B=3 M=303 N=201", OP_HELDOUT, "f32" },
		{ "B=2 M=5 N=7", OP_CHECK, NULL },
		{ "B=1 M=1 N=1", OP_CHECK, NULL },
		{ "B=2 M=9 N=4", OP_CHECK, NULL },
	},
	.torch = "torch.where(torch.eye(M, N, dtype=torch.bool)[None], v, x)",
	.source_path = __FILE__,
};
