#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0] * c->dim[1] * c->dim[2]; i++) {
		double step = c->in[1][i] - c->in[0][i];
		c->out[0][i] = c->in[2][i] < 0.5 ? c->in[0][i] + c->in[2][i] * step : c->in[1][i] - step * (1 - c->in[2][i]);
	}
}

const struct op op_lerp = {
	.name = "lerp",
	.summary = "linear interpolation: x + w (y - x)",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "A B C", OP_IN, "T", OP_REAL, NULL },
		{ "w", "A B C", OP_IN, "T", OP_REAL, NULL, .ones = "OW", .lo = -0.5, .hi = 1.5 },
		{ "z", "A B C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "OW", 0, true } },
	.body = "z[a,b,c] = w[a,b,c] < 0.5 ? x[a,b,c] + w[a,b,c] * (y[a,b,c] - x[a,b,c])"
		" : y[a,b,c] - (1 - w[a,b,c]) * (y[a,b,c] - x[a,b,c])",
	.reference = reference,
	.flop = "3*A*B*C",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "A=1 B=1024 C=4096 OW=7", OP_FULL, "f32" },
		{ "A=1 B=777 C=3001 OW=7", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5", OP_CHECK, NULL },
		{ "A=3 B=4 C=7 OW=7", OP_CHECK, NULL },
		{ "A=1 B=1 C=1", OP_CHECK, NULL },
		{ "A=2 B=17 C=67 OW=3", OP_CHECK, NULL },
		{ "A=1 B=2 C=1033 OW=7", OP_CHECK, NULL },
	},
	.torch = "torch.lerp(x, y, w.expand(x.shape))",
	.opinfo = "lerp",
	.sample = "dict(zip('xyw', [t.reshape(1, 1, -1) for t in expanded(input, *args)])) if isinstance(args[1], "
		  "torch.Tensor) else skip('a weight that no dtype holds')",
	.source_path = __FILE__,
};
