#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], P = c->dim[2];
	double weight = 0, total = 0;
	for (int64_t i = 0; i < N * P; i++) {
		int64_t t = (int64_t)c->in[1][i];
		double w = t == (int64_t)c->attr[0] ? 0 : c->in[2][t];
		weight += w;
		total -= w * c->in[0][(i / P * C + t) * P + i % P];
	}
	c->out[0][0] = total / weight;
	c->out[1][0] = weight;
}

const struct op op_nll_loss2d_forward = {
	.name = "nll_loss2d_forward",
	.summary = "nll_loss over pixels: weighted mean of -x at the target class, and the total weight",
	.dims = "N C P",
	.tensor = {
		{ "x", "N C P", OP_IN, "T", OP_REAL, NULL },
		{ "t", "N P", OP_IN, "i64", OP_INDEX, "C" },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
		{ "tw", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "IG", -100, true } },
	.body = "k[n,p] = t[n,p] == IG ? 0 : w[t[n,p]]; tw = sum(n,p) k[n,p]; "
		"y = sum(n,p) -(k[n,p] * x[n,t[n,p],p]) / tw",
	.reference = reference,
	.flop = "3*N*P",
	.terms = "N*P",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=8 C=64 P=4096", OP_FULL, "f32" },
		{ "N=5 C=33 P=777", OP_HELDOUT, "f32" },
		{ "N=2 C=3 P=5", OP_CHECK, NULL },
		{ "N=1 C=1 P=1", OP_CHECK, NULL },
		{ "N=3 C=5 P=7 IG=2", OP_CHECK, NULL },
		{ "N=2 C=9 P=17", OP_CHECK, NULL },
	},
	.torch = "(torch.nn.functional.nll_loss(x, t, w, ignore_index=IG), torch.where(t == IG, "
		"torch.zeros_like(w[t]), w[t]).sum())",
	.opinfo = "nn.functional.nll_loss",
	.sample = "(lambda w, ig: (lambda tw: dict(x=input.reshape(*input.shape[:2], -1), "
		  "t=args[0].reshape(len(input), -1), w=w, IG=integer(ig), want=(call(), "
		  "tw)))(torch.where(args[0] == ig, torch.zeros((), dtype=dtype), "
		  "w[args[0].clamp(min=0)]).sum()))(kw['weight'] if kw.get('weight') is not None else "
		  "torch.ones(input.shape[1], dtype=dtype), kw.get('ignore_index', -100)) if input.dim() > 2 and "
		  "kw.get('reduction', 'mean') == 'mean' else skip('another form')",
	.source_path = __FILE__,
};
