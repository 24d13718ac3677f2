#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *x = c->in[1] + r * C;
		double most = -INFINITY, sum = 0;
		for (int64_t i = 0; i < C; i++)
			most = isnan(x[i]) || x[i] > most ? x[i] : most;
		for (int64_t i = 0; i < C; i++)
			sum += exp(x[i] - most);
		for (int64_t i = 0; i < C; i++)
			c->out[0][r * C + i] = (exp(x[i] - most) / sum - (i == (int64_t)c->in[2][r] ? 1 : 0)) * c->in[0][0] / (double)R;
	}
}

const struct op op_cross_entropy_backward = {
	.name = "cross_entropy_backward",
	.summary = "gradient of cross_entropy",
	.dims = "R C",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R", OP_IN, "i64", OP_INDEX, "C" },
		{ "dx", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "m[r] = max(c) x[r,c]; s[r] = sum(c) exp(x[r,c] - m[r]); "
		"dx[r,c] = g * (exp(x[r,c] - m[r]) / s[r] - (c == t[r])) / R",
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
		{ "R=40 C=571", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.cross_entropy(x, t), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.cross_entropy",
	.sample = "(lambda v: dict(g=v.g, x=input, t=args[0], want=v.d[0]))(vjp(input)) if input.dim() == 2 and "
		  "args[0].dtype == torch.int64 and kw.get('reduction', 'mean') == 'mean' and kw.get('weight') is "
		  "None and not kw.get('label_smoothing') and not set(kw) & {'ignore_index'} else skip('another "
		  "form')",
	.source_path = __FILE__,
};
