#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	double scale = c->in[0][0] / ((double)R * (double)C);
	for (int64_t i = 0; i < R * C; i++) {
		double p = c->in[1][i], t = c->in[2][i];
		c->out[0][i] = t > 0 ? -t / p * scale * (double)C : 0;
	}
}

const struct op op_kl_div_backward = {
	.name = "kl_div_backward",
	.summary = "gradient of kl_div by the probabilities whose logarithm it takes",
	.dims = "R C",
	.tensor = {
		{ "g", "", OP_IN, "T", OP_REAL, NULL },
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL, .lo = 0.01, .hi = 1 },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "dp", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dp[r,c] = t[r,c] > 0 ? -g * t[r,c] / p[r,c] / R : 0",
	.reference = reference,
	.flop = "4*R*C",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "(lambda p: torch.autograd.grad(torch.nn.functional.kl_div(torch.log(p), t, reduction='batchmean'), p, g)[0])"
		"(p.detach().requires_grad_())",
	.opinfo = "nn.functional.kl_div",
	.sample = "(lambda v, p: dict(g=v.g, p=p, t=args[0], want=v.d[0] / p))(vjp(input), input.exp()) if input.dim() == 2 and kw.get('reduction') == 'batchmean' and "
		"not kw.get('log_target') and dtype in (torch.float64, torch.float32) else skip('another reduction, logarithms, or a dtype in which they round')",
	.source_path = __FILE__,
};
