#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t half = c->dim[1] * c->dim[2];
	for (int64_t o = 0; o < c->dim[0]; o++)
		for (int64_t k = 0; k < half; k++) {
			const double *x = c->in[0] + 2 * o * half;
			c->out[0][o * half + k] = x[k] / (1 + exp(-x[half + k]));
		}
}

const struct op op_glu = {
	.name = "glu",
	.summary = "first half times sigmoid of the second half",
	.dims = "O H I",
	.tensor = {
		{ "x", "O 2*H I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O H I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,h,i] = x[o,h,i] * sigmoid(x[o,h+H,i])",
	.reference = reference,
	.flop = "5*O*H*I",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=1024 H=2048 I=1", OP_FULL, "f32" },
		{ "O=301 H=777 I=3", OP_HELDOUT, "f32" },
		{ "O=3 H=5 I=7", OP_CHECK, NULL },
		{ "O=1 H=1 I=1", OP_CHECK, NULL },
		{ "O=2 H=67 I=1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.glu(x, dim=1)",
	.opinfo = "nn.functional.glu",
	.sample = "dict(x=oril(input, arg(0, 'dim', -1)), out=lambda y: oril(y, arg(0, 'dim', -1)))",
	.source_path = __FILE__,
};
