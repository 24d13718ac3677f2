#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double total = 0;
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++)
		for (int64_t k = 0; k < C; k++) {
			double p = c->in[0][r * C + k], t = c->in[1][r * C + k];
			double d = fabs(p - t), beta = c->attr[0];
			total += d < beta ? d * d / (2 * beta) : d - beta / 2;
		}
	c->out[0][0] = total / ((double)R * (double)C);
}

const struct op op_smooth_l1_loss = {
	.name = "smooth_l1_loss",
	.summary = "mean of a loss that is quadratic below beta and linear above",
	.dims = "R C",
	.tensor = {
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "beta", 1, false } },
	.require = "beta >= 0",
	.body = "d[r,c] = abs(p[r,c] - t[r,c]); "
		"y = sum(r,c) (d[r,c] < beta ? 0.5 * sq(d[r,c]) / beta : d[r,c] - 0.5 * beta) / (R*C)",
	.reference = reference,
	.flop = "3*R*C",
	.terms = "R*C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=32768 C=32768", OP_LARGE, "f32", "kb1/96" },
		{ "R=256 C=8192", OP_FULL, "f32", "kb1/96/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=4 C=9 beta=0.5", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.smooth_l1_loss(p, t, beta=beta)",
	.opinfo = "nn.functional.smooth_l1_loss",
	.sample = "dict(p=input.reshape(1, -1), t=args[0].reshape(1, -1), beta=number(kw.get('beta', 1))) if "
		  "kw.get('reduction', 'mean') == 'mean' and input.shape == args[0].shape and kw.get('weight') is "
		  "None and True else skip('another reduction')",
	.source_path = __FILE__,
};
