#include "ops/core/op.h"

#include <math.h>

/* Scale and quotient are f32, as the body says: rounding then has one right answer,
   and no quotient rounds beyond 57344. */
static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *x = c->in[0] + r * C;
		double top = c->attr[0];
		for (int64_t j = 0; j < C; j++)
			top = fmax(top, fabs(x[j]));
		float scale = (float)top / 57344.0f;
		c->out[0][r] = scale;
		for (int64_t j = 0; j < C; j++) {
			double q = (float)x[j] / scale;
			c->out[1][r * C + j] = q;
		}
	}
}

const struct op op_quantize_rowwise_f8e5m2 = {
	.name = "quantize_rowwise_f8e5m2",
	.summary = "rows as fp8 e5m2 and a scale each",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL, .lo = -100, .hi = 100 },
		{ "s", "R", OP_OUT, "f32", OP_REAL, NULL },
		{ "y", "R C", OP_OUT, "f8e5m2", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-12, false } },
	.body = "a[r] = max(c) abs(x[r,c]); "
		"s[r] = f32(f32(maximum(a[r], eps)) / 57344); "
		"y[r,c] = f32(x[r,c] / s[r])",
	.reference = reference,
	.flop = "3*R*C",
	.terms = "1",
	.dtypes = "f32 f16 bf16",
	.shape = {
		{ "R=1024 C=4096", OP_FULL, "f32" },
		{ "R=777 C=3001", OP_HELDOUT, "f32" },
		{ "R=3 C=37", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=5 C=131", OP_CHECK, NULL },
		{ "R=17 C=9", OP_CHECK, NULL },
		{ "R=13 C=2 eps=64", OP_CHECK, NULL },
	},
	.torch = "(lambda s: (s.double(), "
		"(x.float() / s.unsqueeze(1)).double()))("
		"(x.abs().amax(1).clamp_min(eps).float() / 57344))",
	.source_path = __FILE__,
};
