#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t m = 0; m < c->dim[0]; m++) {
		double sum = 0;
		for (int64_t k = 0; k < c->dim[1]; k++)
			sum += c->in[0][m * c->dim[1] + k] * c->in[1][k];
		c->out[0][m] = sum;
	}
}

const struct op op_mv = {
	.name = "mv",
	.summary = "matrix times vector",
	.dims = "M K",
	.tensor = {
		{ "a", "M K", OP_IN, "T", OP_REAL, NULL },
		{ "x", "K", OP_IN, "T", OP_REAL, NULL },
		{ "y", "M", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[m] = sum(k) a[m,k] * x[k]",
	.reference = reference,
	.flop = "2*M*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=2048 K=1048576", OP_LARGE, "f32", "kb1/4" },
		{ "M=512 K=8192", OP_FULL, "f32", "kb1/4/cpu" },
		{ "M=201 K=1777", OP_HELDOUT, "f32" },
		{ "M=5 K=7", OP_CHECK, NULL },
		{ "M=1 K=1", OP_CHECK, NULL },
		{ "M=17 K=67", OP_CHECK, NULL },
		{ "M=3 K=1031", OP_CHECK, NULL },
	},
	.torch = "torch.mv(a, x)",
	.opinfo = "mv",
	.sample = "dict(a=input, x=args[0])",
	.source_path = __FILE__,
};
