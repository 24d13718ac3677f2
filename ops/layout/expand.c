#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t A = c->dim[0], B = c->dim[1], C = c->dim[2];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < A * B * C; k++)
		y[k] = x[k];
}

const struct op op_expand = {
	.name = "expand",
	.aliases = "expand_copy broadcast_to expand_as",
	.summary = "a copy of a tensor broadcast over the dimensions whose bit OX has",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL, .ones = "OX" },
		{ "y", "A B C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "OX", 2, true } },
	.body = "y[a,b,c] = x[a,b,c]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "A=64 B=256 C=256", OP_FULL, "f32" },
		{ "A=7 B=33 C=65", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5", OP_CHECK, NULL },
		{ "A=1 B=1 C=1", OP_CHECK, NULL },
		{ "A=3 B=4 C=7 OX=1", OP_CHECK, NULL },
		{ "A=2 B=9 C=5 OX=4", OP_CHECK, NULL },
		{ "A=5 B=3 C=17 OX=5", OP_CHECK, NULL },
	},
	.torch = "x.expand(A, B, C).contiguous()",
	.opinfo = "expand",
	.sample = "(lambda b: {k: v for k, v in b.items() if k not in ('z', 'OZ')})(broadcast(x=input, "
		  "z=call().contiguous()))",
	.source_path = __FILE__,
};
