/* A user's operator from outside the tree: sum of squares of a row, scaled. */
#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	for (int64_t m = 0; m < c->dim[0]; m++) {
		double s = 0;
		for (int64_t k = 0; k < c->dim[1]; k++)
			s += c->in[0][m * c->dim[1] + k] * c->in[0][m * c->dim[1] + k];
		c->out[0][m] = c->attr[0] * s;
	}
}

const struct op op_scaled_sum = {
	.name = "scaled_sum",
	.summary = "scaled sum of squares over the last dimension",
	.dims = "M K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL }, { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "scale", 0.5, false } },
	.body = "q[m] = sum(k) sq(x[m,k]); y[m] = scale * q[m]",
	.reference = reference,
	.flop = "2*M*K",
	.terms = "K",
	.dtypes = "f32",
	.shape = {
		{ "M=256 K=1000", OP_SEARCH, NULL },
		{ "M=100 K=333", OP_HELDOUT, NULL },
		{ "M=3 K=5", OP_CHECK, NULL },
		{ "M=1 K=1", OP_CHECK, NULL },
		{ "M=17 K=131", OP_CHECK, NULL },
	},
	.torch = "scale * (x * x).sum(dim=1)",
	.source_path = __FILE__,
};
