#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t half = c->dim[1] * c->dim[2];
	for (int64_t o = 0; o < c->dim[0]; o++)
		for (int64_t k = 0; k < half; k++) {
			const double *x = c->in[1] + 2 * o * half;
			double *dx = c->out[0] + 2 * o * half, g = c->in[0][o * half + k], s = 1 / (1 + exp(-x[half + k]));
			dx[k] = g * s;
			dx[half + k] = g * x[k] * s * (1 - s);
		}
}

const struct op op_glu_backward = {
	.name = "glu_backward",
	.summary = "gradient of glu",
	.dims = "O H I",
	.tensor = {
		{ "g", "O H I", OP_IN, "T", OP_REAL, NULL },
		{ "x", "O 2*H I", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "O 2*H I", OP_OUT, "T", OP_REAL, NULL },
	},
	/* sigmoid(v) of v < 0 in halves, so that what is tiny keeps its digits until it meets what is large. */
	.body = "dx[o,j<2*H,i] = j < H ? g[o,j,i] * sigmoid(x[o,j+H,i]) : g[o,j-H,i] * x[o,j-H,i] * exp(minimum(0.5 * x[o,j,i], 0)) * "
		"sigmoid(abs(x[o,j,i])) * (1 - sigmoid(x[o,j,i])) * exp(minimum(0.5 * x[o,j,i], 0))",
	.reference = reference,
	.flop = "10*O*H*I",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=1024 H=2048 I=1", OP_FULL, "f32" },
		{ "O=301 H=777 I=3", OP_HELDOUT, "f32" },
		{ "O=3 H=5 I=7", OP_CHECK, NULL },
		{ "O=1 H=1 I=1", OP_CHECK, NULL },
		{ "O=2 H=67 I=1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.glu(x, dim=1), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.glu",
	.sample = "(lambda v, d: dict(g=oril(v.g, d), x=oril(input, d), want=oril(v.d[0], d)))(vjp(input), arg(0, "
		  "'dim', -1))",
	.source_path = __FILE__,
};
