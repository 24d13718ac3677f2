#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t r = 0; r < c->dim[0]; r++)
		for (int64_t k = 0; k < c->dim[1]; k++) {
			int64_t t = (int64_t)c->in[1][r];
			c->out[0][r * c->dim[1] + k] = t == k && t != (int64_t)c->attr[0] ? -c->in[2][k] * c->in[0][0] / c->in[3][0] : 0;
		}
}

const struct op op_nll_loss_backward = {
	.name = "nll_loss_backward",
	.summary = "gradient of nll_loss_forward",
	.dims = "R C",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R", OP_IN, "i64", OP_INDEX, "C" },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "tw", "", OP_IN, "T", OP_REAL, NULL, .lo = 1, .hi = 9 },
		{ "dx", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "IG", -100, true } },
	.body = "dx[r,c] = c == t[r] && t[r] != IG ? -(g * w[c]) / tw : 0",
	.reference = reference,
	.flop = "2*R*C",
	.terms = "1",
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
	.torch = "torch.where((torch.arange(w.shape[0]) == t.unsqueeze(1)) & (t != IG).unsqueeze(1), -g * w / tw, "
		"torch.zeros(())).to(w.dtype)",
	.opinfo = "nn.functional.nll_loss",
	.sample = "(lambda w, ig: (lambda tw: (lambda v: dict(g=v.g, t=args[0], w=w, tw=tw, IG=integer(ig), "
		  "want=flat(v.d[0])))(vjp(input)))(torch.where(args[0] == ig, torch.zeros((), dtype=dtype), "
		  "w[args[0].clamp(min=0)]).sum()))(kw['weight'] if kw.get('weight') is not None else "
		  "torch.ones(input.shape[1], dtype=dtype), kw.get('ignore_index', -100)) if input.dim() == 2 and "
		  "kw.get('reduction', 'mean') == 'mean' else skip('another form')",
	.source_path = __FILE__,
};
