#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *a = c->in[0] + r * C, *p = c->in[1] + r * C, *n = c->in[2] + r * C;
		double near = 0, far = 0;
		for (int64_t i = 0; i < C; i++) {
			near += (a[i] - p[i] + c->attr[1]) * (a[i] - p[i] + c->attr[1]);
			far += (a[i] - n[i] + c->attr[1]) * (a[i] - n[i] + c->attr[1]);
		}
		double loss = sqrt(near) - sqrt(far) + c->attr[0];
		c->out[0][0] = (r ? c->out[0][0] : 0) + (loss < 0 ? 0 : loss) / (double)R;
	}
}

const struct op op_triplet_margin_loss = {
	.name = "triplet_margin_loss",
	.summary = "mean of relu(distance to the positive - distance to the negative + margin)",
	.dims = "R C",
	.tensor = {
		{ "a", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "n", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "margin", 1, false }, { "eps", 1e-6, false } },
	.require = "margin > 0",
	.body = "dp[r] = sqrt(sum(c) sq(a[r,c] - p[r,c] + eps)); dn[r] = sqrt(sum(c) sq(a[r,c] - n[r,c] + eps)); "
		"y = sum(r) relu(dp[r] - dn[r] + margin) / R",
	.reference = reference,
	.flop = "6*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=32768 C=8192", OP_LARGE, "f32", "kb1/99" },
		{ "R=256 C=8192", OP_FULL, "f32", "kb1/99/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=131", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.triplet_margin_loss(a, p, n, margin=margin, eps=eps)",
	.opinfo = "nn.functional.triplet_margin_loss",
	.sample = "dict(a=input, p=args[0], n=args[1], margin=number(kw.get('margin', 1)), "
		  "eps=number(kw.get('eps', 1e-6))) if input.dim() == 2 and kw.get('p', 2) == 2 and not "
		  "kw.get('swap') and kw.get('reduction', 'mean') == 'mean' else skip('another form')",
	.source_path = __FILE__,
};
