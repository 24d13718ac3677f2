#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], M = c->dim[1], N = c->dim[2];
	int64_t K = (int64_t)c->attr[0];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < B * M * N; k++) {
		int64_t row = k / N % M, column = k % N;
		y[k] = column < row + K ? 0 : x[k];
	}
}

const struct op op_triu = {
	.name = "triu",
	.summary = "matrices with zeros below diagonal K",
	.dims = "B M N",
	.tensor = {
		{ "x", "B M N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 0, true } },
	.body = "y[b,m,n] = n - m >= K ? x[b,m,n] : 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "B=4 M=1024 N=1024", OP_FULL, "f32" },
		{ "B=3 M=303 N=201", OP_HELDOUT, "f32" },
		{ "B=2 M=5 N=7", OP_CHECK, NULL },
		{ "B=1 M=1 N=1", OP_CHECK, NULL },
		{ "B=2 M=9 N=4 K=2", OP_CHECK, NULL },
		{ "B=3 M=7 N=9 K=-3", OP_CHECK, NULL },
		{ "B=1 M=33 N=17 K=1", OP_CHECK, NULL },
	},
	.torch = "torch.triu(x, diagonal=K)",
	.opinfo = "triu",
	.sample = "dict(x=input.reshape(-1, *input.shape[-2:]), K=integer(arg(0, 'diagonal', 0)), out=lambda y: "
		  "flat(y))",
	.source_path = __FILE__,
};
