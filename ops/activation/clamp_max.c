#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double hi = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v > hi ? hi : v;
	}
}

const struct op op_clamp_max = {
	.name = "clamp_max",
	.summary = "at most hi; NaN stays",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "hi", 0.5, false } },
	.body = "y[n] = minimum(x[n], hi)",
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
	.torch = "torch.clamp_max(x, hi)",
	.opinfo = "clamp_max",
	.sample = "dict(x=flat(input), hi=number(args[0]))",
	.source_path = __FILE__,
};
