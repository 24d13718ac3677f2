#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double total = 0;
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++)
		for (int64_t k = 0; k < C; k++) {
			double p = c->in[0][r * C + k], t = c->in[1][r * C + k];
			double d = fabs(p - t), delta = c->attr[0];
			total += d <= delta ? d * d / 2 : delta * d - delta * delta / 2;
		}
	c->out[0][0] = total / ((double)R * (double)C);
}

const struct op op_huber_loss = {
	.name = "huber_loss",
	.summary = "mean of a loss that is quadratic below delta and linear above",
	.dims = "R C",
	.tensor = {
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "delta", 0.7, false } },
	.require = "delta > 0",
	.body = "d[r,c] = abs(p[r,c] - t[r,c]); "
		"y = sum(r,c) (d[r,c] <= delta ? 0.5 * sq(d[r,c]) : delta * (d[r,c] - 0.5 * delta)) / (R*C)",
	.reference = reference,
	.flop = "3*R*C",
	.terms = "R*C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.huber_loss(p, t, delta=delta)",
	.opinfo = "nn.functional.huber_loss",
	.sample = "dict(p=input.reshape(1, -1), t=args[0].reshape(1, -1), delta=number(kw.get('delta', 1))) if "
		  "kw.get('reduction', 'mean') == 'mean' and input.shape == args[0].shape and kw.get('weight') is "
		  "None and True else skip('another reduction')",
	.source_path = __FILE__,
};
