#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = fabs(v) < 3 ? g / 6 : 0;
	}
}

const struct op op_hardsigmoid_backward = {
	.name = "hardsigmoid_backward",
	.summary = "gradient of hardsigmoid",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[n] = x[n] > -3 && x[n] < 3 ? g[n] / 6 : 0",
	.reference = reference,
	.flop = "8*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.where((x > -3) & (x < 3), g / 6, torch.zeros_like(g))",
	.opinfo = "nn.functional.hardsigmoid",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), want=flat(v.d[0])))(vjp(input)) if dtype != "
		  "torch.float64 else skip('PyTorch takes 1/6 as a float')",
	.source_path = __FILE__,
};
