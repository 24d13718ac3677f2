#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double lo = c->attr[0];
	double hi = c->attr[1];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = v > lo && v < hi ? g : 0;
	}
}

const struct op op_hardtanh_backward = {
	.name = "hardtanh_backward",
	.aliases = "relu6_backward clamp_backward",
	.summary = "gradient of hardtanh and clamp, of relu6 where lo is 0 and hi 6; 0 at the bounds",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "lo", -1, false }, { "hi", 1, false } },
	.body = "dx[n] = x[n] > lo && x[n] < hi ? g[n] : 0",
	.reference = reference,
	.flop = "8*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
		{ "N=67 lo=0 hi=6", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.hardtanh(x, lo, hi), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.hardtanh nn.functional.relu6",
	.sample = "(lambda v, six: dict(g=flat(v.g), x=flat(input), lo=0 if six else number(kw.get('min_val', -1)), "
		  "hi=6 if six else number(kw.get('max_val', 1)), want=flat(v.d[0])))(vjp(input), op.name == 'nn.functional.relu6') "
		  "if not input.isnan().any() else skip('PyTorch is of two minds at NaN: vectors and tails differ')",
	.source_path = __FILE__,
};
