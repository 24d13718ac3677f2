#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = g * (1 - v) * v;
	}
}

const struct op op_sigmoid_backward = {
	.name = "sigmoid_backward",
	.summary = "gradient of sigmoid from its output",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[n] = g[n] * y[n] * (1 - y[n])",
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
	.torch = "torch.ops.aten.sigmoid_backward(g, y)",
	.opinfo = "sigmoid",
	.sample = "(lambda v: dict(g=flat(v.g), y=flat(v.y), want=flat(v.d[0])))(vjp(input)) if dtype != torch.float16 else "
		  "skip('PyTorch rounds 1 - y to f16')",
	.source_path = __FILE__,
};
