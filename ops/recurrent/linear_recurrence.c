#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t b = 0; b < c->dim[0]; b++) {
		double h = 0;
		for (int64_t t = 0; t < c->dim[1]; t++)
			c->out[0][b * c->dim[1] + t] = h = c->in[0][b * c->dim[1] + t] * h + c->in[1][b * c->dim[1] + t];
	}
}

const struct op op_linear_recurrence = {
	.name = "linear_recurrence",
	.summary = "h[t] = a[t] h[t-1] + x[t]",
	.dims = "B T",
	.tensor = {
		{ "a", "B T", OP_IN, "T", OP_REAL, NULL, .lo = -1, .hi = 1 },
		{ "x", "B T", OP_IN, "T", OP_REAL, NULL },
		{ "h", "B T", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "h[b,t] = a[b,t] * (h[b,t-1] else 0) + x[b,t]",
	.reference = reference,
	.flop = "2*B*T",
	.terms = "T",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=512 T=4096", OP_FULL, "f32" },
		{ "B=33 T=777", OP_HELDOUT, "f32" },
		{ "B=3 T=5", OP_CHECK, NULL },
		{ "B=1 T=1", OP_CHECK, NULL },
		{ "B=2 T=67", OP_CHECK, NULL },
	},
	.torch = "(lambda hs: torch.stack(hs, 1))((lambda f: f(f, [], 0))(lambda f, hs, t: hs if t == x.shape[1] "
		"else f(f, hs + [a[:, t] * (hs[-1] if hs else 0) + x[:, t]], t + 1)))",
	.source_path = __FILE__,
};
