#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t n = c->dim[0] * c->dim[1];

	for (int64_t i = 0; i < n; i++) {
		double x = c->in[0][i];
		c->out[0][i] = isnan(x) ? x : x > 0 ? x : 0;
	}
}

const struct op op_relu = {
	.name = "relu",
	.summary = "rectified linear unit, max(x, 0); keeps NaN",
	.dims = "M N",
	.tensor = { { "x", "M N", OP_IN, "T", OP_REAL, NULL }, { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[m,n] = relu(x[m,n])",
	.reference = reference,
	.flop = "M*N",
	.terms = "1",
	.dtypes = "f32",
	.shape = {
		{ "M=1024 N=4096", OP_SEARCH, NULL },
		{ "M=64 N=1024", OP_FULL, NULL },
		{ "M=777 N=3001", OP_HELDOUT, NULL },
		{ "M=3 N=5", OP_CHECK, NULL },
		{ "M=1 N=1", OP_CHECK, NULL },
		{ "M=17 N=67", OP_CHECK, NULL },
		{ "M=2 N=4099", OP_CHECK, NULL },
	},
	.torch = "torch.relu(x)",
	.source_path = __FILE__,
};
