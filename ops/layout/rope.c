#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t T = c->dim[1], H = c->dim[2];
	for (int64_t row = 0; row < c->dim[0] * T; row++) {
		const double *x = c->in[0] + row * 2 * H;
		double *y = c->out[0] + row * 2 * H;
		const double *co = c->in[1] + row % T * H, *si = c->in[2] + row % T * H;
		/* a point (x[h], x[H+h]) turned by its angle */
		for (int64_t h = 0; h < H; h++) {
			y[h] = co[h] * x[h] - si[h] * x[H + h];
			y[H + h] = si[h] * x[h] + co[h] * x[H + h];
		}
	}
}

const struct op op_rope = {
	.name = "rope",
	.summary = "rotary position embedding: halves of a row turned by angles",
	.dims = "B T H",
	.tensor = {
		{ "x", "B T 2*H", OP_IN, "T", OP_REAL, NULL },
		{ "co", "T H", OP_IN, "T", OP_REAL, NULL, .lo = -1, .hi = 1 },
		{ "si", "T H", OP_IN, "T", OP_REAL, NULL, .lo = -1, .hi = 1 },
		{ "y", "B T 2*H", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,t,d<2*H] = d < H ? x[b,t,d] * co[t,d] - x[b,t,d+H] * si[t,d]"
		"    : x[b,t,d] * co[t,d-H] + x[b,t,d-H] * si[t,d-H]",
	.reference = reference,
	.flop = "6*B*T*H",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=16 T=2048 H=64", OP_FULL, "f32" },
		{ "B=7 T=777 H=48", OP_HELDOUT, "f32" },
		{ "B=2 T=5 H=3", OP_CHECK, NULL },
		{ "B=1 T=1 H=1", OP_CHECK, NULL },
		{ "B=3 T=7 H=33", OP_CHECK, NULL },
	},
	.torch = "torch.cat((x[:, :, :H] * co - x[:, :, H:] * si, "
		"x[:, :, H:] * co + x[:, :, :H] * si), 2)",
	.source_path = __FILE__,
};
