#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double weight = 0, total = 0;
	for (int64_t r = 0; r < c->dim[0]; r++) {
		int64_t t = (int64_t)c->in[1][r];
		double w = t == (int64_t)c->attr[0] ? 0 : c->in[2][t];
		weight += w;
		total -= w * c->in[0][r * c->dim[1] + t];
	}
	c->out[0][0] = total / weight;
	c->out[1][0] = weight;
}

const struct op op_nll_loss_forward = {
	.name = "nll_loss_forward",
	.summary = "weighted mean of -x at the target class, and the total weight; targets equal to IG do not count",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R", OP_IN, "i64", OP_INDEX, "C" },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
		{ "tw", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "IG", -100, true } },
	.body = "k[r] = t[r] == IG ? 0 : w[t[r]]; tw = sum(r) k[r]; y = sum(r) -(k[r] * x[r,t[r]]) / tw",
	.reference = reference,
	.flop = "3*R",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
		{ "R=17 C=5 IG=2", OP_CHECK, NULL },
	},
	.torch = "(torch.nn.functional.nll_loss(x, t, w, ignore_index=IG), torch.where(t == IG, "
		"torch.zeros_like(w[t]), w[t]).sum())",
	.opinfo = "nn.functional.nll_loss",
	.sample = "(lambda w, ig: (lambda tw: dict(x=input, t=args[0], w=w, IG=integer(ig), want=(call(), "
		  "tw)))(torch.where(args[0] == ig, torch.zeros((), dtype=dtype), "
		  "w[args[0].clamp(min=0)]).sum()))(kw['weight'] if kw.get('weight') is not None else "
		  "torch.ones(input.shape[1], dtype=dtype), kw.get('ignore_index', -100)) if input.dim() == 2 and "
		  "kw.get('reduction', 'mean') == 'mean' else skip('another form')",
	.source_path = __FILE__,
};
