#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < M * N; k++)
		y[k] = 0;
	for (int64_t k = 0; k < M && k < N; k++)
		y[k * N + k] = 1;
}

const struct op op_eye = {
	.name = "eye",
	.summary = "a matrix with ones on the diagonal",
	.dims = "M N",
	.tensor = {
		{ "y", "M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[m,n] = m == n ? 1 : 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "M=1024 N=1024", OP_FULL, "f32" },
		{ "M=303 N=201", OP_HELDOUT, "f32" },
		{ "M=5 N=7", OP_CHECK, NULL },
		{ "M=1 N=1", OP_CHECK, NULL },
		{ "M=9 N=4", OP_CHECK, NULL },
		{ "M=33 N=67", OP_CHECK, NULL },
	},
	.torch = "torch.eye(M, N)",
	.opinfo = "eye",
	.sample = "dict(M=input, N=args[0] if args else input)",
	.source_path = __FILE__,
};
