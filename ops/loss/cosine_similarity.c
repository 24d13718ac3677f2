#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *x = c->in[0] + r * C, *t = c->in[1] + r * C;
		double a = 0, b = 0, dot = 0;
		for (int64_t i = 0; i < C; i++) {
			a += x[i] * x[i];
			b += t[i] * t[i];
			dot += x[i] * t[i];
		}
		a = sqrt(a) < c->attr[0] ? c->attr[0] : sqrt(a);
		b = sqrt(b) < c->attr[0] ? c->attr[0] : sqrt(b);
		c->out[0][r] = dot / (a * b);
	}
}

const struct op op_cosine_similarity = {
	.name = "cosine_similarity",
	.summary = "cosine of the angle between rows",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-8, false } },
	.body = "a[r] = sum(c) sq(x[r,c]); b[r] = sum(c) sq(t[r,c]); d[r] = sum(c) x[r,c] * t[r,c]; "
		"y[r] = d[r] / (maximum(sqrt(a[r]), eps) * maximum(sqrt(b[r]), eps))",
	.reference = reference,
	.flop = "6*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.cosine_similarity(x, t, dim=1, eps=eps)",
	.opinfo = "nn.functional.cosine_similarity",
	.sample = "(lambda x, t, d: dict(x=rows(x, d), t=rows(t, d), eps=number(kw.get('eps', 1e-8)), out=lambda "
		  "y: flat(y)))(*expanded(input, args[0]), kw.get('dim', 1))",
	.source_path = __FILE__,
};
