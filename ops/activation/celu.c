#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double alpha = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v > 0 ? v : alpha * expm1(v / alpha);
	}
}

const struct op op_celu = {
	.name = "celu",
	.summary = "x where positive, alpha (exp(x / alpha) - 1) elsewhere",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "alpha", 1.5, false } },
	.require = "alpha != 0",
	.body = "y[n] = x[n] > 0 ? x[n] : alpha * (exp(x[n] / alpha) - 1)",
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
	.torch = "torch.nn.functional.celu(x, alpha)",
	.opinfo = "nn.functional.celu",
	.sample = "dict(x=flat(input), alpha=kw.get('alpha', 1.0))",
	.source_path = __FILE__,
};
