#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double least = c->attr[0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = fabs(v) > least ? v - copysign(least, v) : isnan(v) ? v : 0;
	}
}

const struct op op_softshrink = {
	.name = "softshrink",
	.summary = "x moved towards 0 by lambda",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "least", 0.5, false } },
	.require = "least >= 0",
	.body = "y[n] = x[n] > least ? x[n] - least : x[n] < -least ? x[n] + least : x[n] != x[n] ? x[n] : 0",
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
	.torch = "torch.where(x.isnan(), x, torch.nn.functional.softshrink(x, least))", /* PyTorch 1 has 0 for NaN */
	.opinfo = "nn.functional.softshrink",
	.sample = "dict(x=flat(input), least=kw.get('lambd', 0.5)) if torch.__version__ >= '2' or not input.isnan().any() else "
		  "skip('NaN, of which PyTorch 1 makes 0')",
	.source_path = __FILE__,
};
