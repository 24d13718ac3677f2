#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double scale = c->attr[0];
	double alpha = c->attr[1];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = scale * fmax(0, v) + scale * fmin(0, alpha * expm1(v)) + (isnan(v) ? v : 0);
	}
}

const struct op op_selu = {
	.name = "selu",
	.summary = "scaled exponential linear unit",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "scale", 1.0507009873554805, false }, { "alpha", 1.6732632423543772, false } },
	.body = "y[n] = scale * (x[n] > 0 ? x[n] : alpha * (exp(x[n]) - 1))",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=1610612736", OP_LARGE, "f32", "kb1/27" },
		{ "N=2097152", OP_FULL, "f32", "kb1/27/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.selu(x)",
	.opinfo = "nn.functional.selu",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
