#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v < 0 ? v - log1p(exp(v)) : -log1p(exp(-v));
	}
}

const struct op op_log_sigmoid = {
	.name = "log_sigmoid",
	.aliases = "logsigmoid",
	.summary = "logarithm of the logistic function",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = -softplus(-x[n])",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.logsigmoid(x)",
	.opinfo = "nn.functional.logsigmoid",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
