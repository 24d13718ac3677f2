#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], S = c->dim[2], I = c->dim[3];
	const double *x = c->in[0], *i = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < O * S * I; k++)
		y[k] = x[(k / (S * I) * R + (int64_t)i[k / I % S]) * I + k % I];
}

const struct op op_index_select = {
	.name = "index_select",
	.summary = "slices of a dimension, named by indices",
	.dims = "O R S I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "i", "S", OP_IN, "i64", OP_INDEX, "R" },
		{ "y", "O S I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,s,e<I] = x[o,i[s],e]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=64 R=256 S=100 I=128", OP_FULL, "f32" },
		{ "O=31 R=101 S=43 I=33", OP_HELDOUT, "f32" },
		{ "O=2 R=5 S=7 I=3", OP_CHECK, NULL },
		{ "O=1 R=1 S=1 I=1", OP_CHECK, NULL },
		{ "O=3 R=9 S=4 I=1", OP_CHECK, NULL },
		{ "O=1 R=17 S=33 I=5", OP_CHECK, NULL },
	},
	.torch = "torch.index_select(x, 1, i)",
	.opinfo = "index_select",
	.sample = "dict(x=oril(input, args[0]), i=flat(args[1]), out=lambda y: flat(y)) if input.dim() else "
		  "skip('a scalar')",
	.source_path = __FILE__,
};
