#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], A = c->dim[1], B = c->dim[2], I = c->dim[3];
	const double *x = c->in[0], *z = c->in[1];
	double *y = c->out[0];

	for (int64_t o = 0; o < O; o++, y += (A + B) * I) {
		for (int64_t k = 0; k < A * I; k++)
			y[k] = x[o * A * I + k];
		for (int64_t k = 0; k < B * I; k++)
			y[A * I + k] = z[o * B * I + k];
	}
}

const struct op op_cat = {
	.name = "cat",
	.aliases = "concat concatenate hstack vstack row_stack column_stack",
	.summary = "two tensors, one after the other along a dimension",
	.dims = "O A B I",
	.tensor = {
		{ "x", "O A I", OP_IN, "T", OP_REAL, NULL },
		{ "z", "O B I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O A+B I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,a<A+B,i] = x[o,a,i] else z[o,a-A,i]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=1 A=2048 B=2048 I=256", OP_FULL, "f32" },
		{ "O=1024 A=600 B=424 I=1", OP_FULL, "f32" },
		{ "O=33 A=301 B=77 I=65", OP_HELDOUT, "f32" },
		{ "O=2 A=3 B=5 I=7", OP_CHECK, NULL },
		{ "O=1 A=1 B=1 I=1", OP_CHECK, NULL },
		{ "O=3 A=4 B=2 I=1", OP_CHECK, NULL },
		{ "O=1 A=17 B=33 I=67", OP_CHECK, NULL },
	},
	.torch = "torch.cat([x, z], dim=1)",
	.opinfo = "cat",
	.sample = "(lambda d: dict(x=oril(input[0], d), z=oril(input[1], d), out=lambda y: flat(y)))(arg(0, "
		  "'dim', 0)) if len(input) == 2 and input[0].dim() == input[1].dim() else skip('not two tensors')",
	.source_path = __FILE__,
};
