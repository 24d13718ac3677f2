#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double slope = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v > 0 ? v : slope * v;
	}
}

const struct op op_leaky_relu = {
	.name = "leaky_relu",
	.summary = "x where positive, slope times x elsewhere",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "slope", 0.01, false } },
	.body = "y[n] = leaky(x[n], slope)",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=1610612736", OP_LARGE, "f32", "kb1/20" },
		{ "N=2097152", OP_FULL, "f32", "kb1/20/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.leaky_relu(x, slope)",
	.opinfo = "nn.functional.leaky_relu",
	.sample = "dict(x=flat(input), slope=kw.get('negative_slope', 0.01))",
	.source_path = __FILE__,
};
