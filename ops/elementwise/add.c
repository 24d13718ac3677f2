#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	const double *a = c->in[0], *b = c->in[1];

	for (int64_t m = 0; m < c->dim[0]; m++)
		for (int64_t n = 0; n < c->dim[1]; n++)
			c->out[0][m * c->dim[1] + n] = a[m * c->dim[1] + n] + b[n];
}

const struct op op_add = {
	.name = "add",
	.summary = "sum of a matrix and a row that is broadcast over it",
	.dims = "M N",
	.tensor = { { "a", "M N", OP_IN, "T", OP_REAL, NULL }, { "b", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[m,n] = a[m,n] + b[n]",
	.reference = reference,
	.flop = "M*N",
	.terms = "1",
	.dtypes = "f32",
	.shape = {
		{ "M=1024 N=4096", OP_SEARCH, NULL },
		{ "M=4096 N=64", OP_FULL, NULL },
		{ "M=777 N=3001", OP_HELDOUT, NULL },
		{ "M=3 N=5", OP_CHECK, NULL },
		{ "M=1 N=1", OP_CHECK, NULL },
		{ "M=17 N=67", OP_CHECK, NULL },
		{ "M=2 N=4099", OP_CHECK, NULL },
	},
	.torch = "a + b",
	.source_path = __FILE__,
};
