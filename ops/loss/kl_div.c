#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double total = 0;
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++)
		for (int64_t k = 0; k < C; k++) {
			double p = c->in[0][r * C + k], t = c->in[1][r * C + k];
			if (t > 0)
				total += t * log(t) - t * log(p);
		}
	c->out[0][0] = total / (double)R;
}

const struct op op_kl_div = {
	.name = "kl_div",
	.summary = "sum of t (log t - log p) over the batch size",
	.dims = "R C",
	.tensor = {
		{ "p", "R C", OP_IN, "T", OP_REAL, NULL, .lo = 0.01, .hi = 1 },
		{ "t", "R C", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y = sum(r,c) (t[r,c] > 0 ? t[r,c] * (log(t[r,c]) - log(p[r,c])) : 0) / R",
	.reference = reference,
	.flop = "3*R*C",
	.terms = "R*C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=16384 C=16384", OP_LARGE, "f32", "kb1/98" },
		{ "R=256 C=8192", OP_FULL, "f32", "kb1/98/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.kl_div(torch.log(p), t, reduction='batchmean')",
	.opinfo = "nn.functional.kl_div",
	.sample = "dict(p=input.exp(), t=args[0]) if input.dim() == 2 and kw.get('reduction') == 'batchmean' and not kw.get('log_target') and dtype in (torch.float64, torch.float32) else "
		"skip('another reduction, logarithms, or a dtype in which they round')",
	.source_path = __FILE__,
};
