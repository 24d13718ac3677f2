#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double lambda = c->attr[0], shift = c->attr[1], least = c->attr[2], low = c->attr[3];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i] + shift;
		if (v < least)
			v = least;
		/* expm1(l log v) is v^l - 1 */
		double y = expm1(lambda * log(v)) / lambda;
		c->out[0][i] = y < low ? low : y;
	}
}

const struct op op_boxcox_clip = {
	.name = "boxcox_clip",
	.summary = "Box-Cox transform of shifted values, clipped below",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "lam", 0.3, false }, { "mu", 0.5, false },
		  { "c", 1e-6, false }, { "z", -2.5, false } },
	.body = "y[n] = maximum((pow(maximum(x[n] + mu, c), lam) - 1) / lam, z)",
	.reference = reference,
	.flop = "5*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.clamp_min((torch.clamp_min(x + mu, c) ** lam - 1) / lam, z)",
	.source_path = __FILE__,
};
