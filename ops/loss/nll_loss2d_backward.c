#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], P = c->dim[2];
	for (int64_t i = 0; i < N * C * P; i++) {
		int64_t k = i / P % C, t = (int64_t)c->in[1][i / (C * P) * P + i % P];
		c->out[0][i] = t == k && t != (int64_t)c->attr[0] ? -c->in[2][k] * c->in[0][0] / c->in[3][0] : 0;
	}
}

const struct op op_nll_loss2d_backward = {
	.name = "nll_loss2d_backward",
	.summary = "gradient of nll_loss2d_forward",
	.dims = "N C P",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "t", "N P", OP_IN, "i64", OP_INDEX, "C" },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "tw", "", OP_IN, "T", OP_REAL, NULL, .lo = 1, .hi = 9 },
		{ "dx", "N C P", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "IG", -100, true } },
	.body = "dx[n,c,p] = c == t[n,p] && t[n,p] != IG ? -(g * w[c]) / tw : 0",
	.reference = reference,
	.flop = "2*N*C*P",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=8 C=64 P=4096", OP_FULL, "f32" },
		{ "N=5 C=33 P=777", OP_HELDOUT, "f32" },
		{ "N=2 C=3 P=5", OP_CHECK, NULL },
		{ "N=1 C=1 P=1", OP_CHECK, NULL },
		{ "N=3 C=5 P=7 IG=2", OP_CHECK, NULL },
		{ "N=2 C=9 P=17", OP_CHECK, NULL },
	},
	.torch = "torch.where((torch.arange(w.shape[0]).reshape(1, -1, 1) == t.unsqueeze(1)) & (t != "
		"IG).unsqueeze(1), -g * w.reshape(1, -1, 1) / tw, torch.zeros(()))",
	.opinfo = "nn.functional.nll_loss",
	.sample = "(lambda w, ig: (lambda tw: (lambda v: dict(g=v.g, t=args[0].reshape(len(input), -1), w=w, "
		  "tw=tw, IG=integer(ig), want=flat(v.d[0])))(vjp(input)))(torch.where(args[0] == ig, "
		  "torch.zeros((), dtype=dtype), w[args[0].clamp(min=0)]).sum()))(kw['weight'] if "
		  "kw.get('weight') is not None else torch.ones(input.shape[1], dtype=dtype), "
		  "kw.get('ignore_index', -100)) if input.dim() > 2 and kw.get('reduction', 'mean') == 'mean' "
		  "and dtype not in (torch.float16, torch.bfloat16) "
		  "else skip('another form, or weights added up in half precision')",
	.source_path = __FILE__,
};
