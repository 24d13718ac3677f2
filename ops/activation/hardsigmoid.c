#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = isnan(v) ? v : v <= -3 ? 0 : v >= 3 ? 1 : v / 6 + 0.5;
	}
}

const struct op op_hardsigmoid = {
	.name = "hardsigmoid",
	.summary = "clamp(x + 3, 0, 6) / 6",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = clamp(x[n] + 3, 0, 6) / 6",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=1610612736", OP_LARGE, "f32", "kb1/28" },
		{ "N=2097152", OP_FULL, "f32", "kb1/28/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.hardsigmoid(x)",
	.opinfo = "nn.functional.hardsigmoid",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
