#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	for (int64_t m = 0; m < c->dim[0]; m++)
		for (int64_t n = 0; n < c->dim[1]; n++)
			c->out[0][n * c->dim[0] + m] = c->in[0][m * c->dim[1] + n];
}

const struct op op_transpose = {
	.name = "transpose",
	.aliases = "t",
	.summary = "matrix transpose",
	.dims = "M N",
	.tensor = { { "x", "M N", OP_IN, "T", OP_REAL, NULL }, { "y", "N M", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[n,m] = x[m,n]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "M=2048 N=2048", OP_SEARCH, "f32" },
		{ "M=512 N=8192", OP_FULL, "f32" },
		{ "M=777 N=3001", OP_HELDOUT, "f32" },
		{ "M=3 N=5", OP_CHECK, NULL },
		{ "M=1 N=1", OP_CHECK, NULL },
		{ "M=17 N=67", OP_CHECK, NULL },
		{ "M=129 N=70", OP_CHECK, NULL },
	},
	.torch = "x.t().contiguous()",
	.opinfo = "transpose",
	.sample = "dict(x=input) if input.dim() == 2 and args[0] % 2 != args[1] % 2 else skip('not a matrix')",
	.source_path = __FILE__,
};
