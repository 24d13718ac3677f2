#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = isinf(v) != 0;
	}
}

const struct op op_isinf = {
	.name = "isinf",
	.summary = "is it infinite?",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "bool", OP_REAL, NULL },
	},
	.body = "y[n] = x[n] == inf || x[n] == -inf",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.isinf(x)",
	.opinfo = "isinf",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
