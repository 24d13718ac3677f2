#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double sum = 0;
	for (int64_t k = c->dim[0]; k-- > 0;)
		sum += c->in[0][k] * c->in[1][k];
	c->out[0][0] = sum;
}

const struct op op_dot = {
	.name = "dot",
	.aliases = "vdot",
	.summary = "inner product of two vectors",
	.dims = "K",
	.tensor = {
		{ "x", "K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "K", OP_IN, "T", OP_REAL, NULL },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y = sum(k) x[k] * w[k]",
	.reference = reference,
	.flop = "2*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "K=4194304", OP_FULL, "f32" },
		{ "K=1000003", OP_HELDOUT, "f32" },
		{ "K=37", OP_CHECK, NULL },
		{ "K=1", OP_CHECK, NULL },
		{ "K=1031", OP_CHECK, NULL },
	},
	.torch = "(x * w).sum()",
	.opinfo = "dot vdot",
	.sample = "dict(x=input, w=args[0])",
	.source_path = __FILE__,
};
