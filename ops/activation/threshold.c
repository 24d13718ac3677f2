#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double above = c->attr[0];
	double value = c->attr[1];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v <= above ? value : v;
	}
}

const struct op op_threshold = {
	.name = "threshold",
	.summary = "x where above the threshold, a value elsewhere",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "above", 0.5, false }, { "value", -2, false } },
	.body = "y[n] = x[n] <= above ? value : x[n]",
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
	.torch = "torch.nn.functional.threshold(x, above, value)",
	.opinfo = "nn.functional.threshold",
	.sample = "dict(x=flat(input), above=number(args[0] if args else kw['threshold']), value=number(args[1] if "
		"args else kw['value']))",
	.source_path = __FILE__,
};
