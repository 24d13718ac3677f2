#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double lo = c->attr[0];
	double hi = c->attr[1];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		double least = v < lo ? lo : v;
		c->out[0][i] = least > hi ? hi : least; /* NaN stays; hi wins over a larger lo */
	}
}

const struct op op_clamp = {
	.name = "clamp",
	.aliases = "hardtanh",
	.summary = "limited to lo..hi; NaN stays",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "lo", -1, false }, { "hi", 1, false } },
	.body = "y[n] = clamp(x[n], lo, hi)",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=1610612736", OP_LARGE, "f32", "kb1/32" },
		{ "N=2097152", OP_FULL, "f32", "kb1/32/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.clamp(x, lo, hi)",
	.opinfo = "clamp nn.functional.hardtanh",
	.sample = "(dict(x=flat(input), lo=number(args[0]), hi=number(args[1])) if len(args) == 2 and "
		"all(isinstance(a, (int, float)) for a in args) else dict(x=flat(input), lo=kw.get('min_val', "
		"-1.0), hi=kw.get('max_val', 1.0)) if op.name == 'nn.functional.hardtanh' else skip('tensor bounds'))",
	.source_path = __FILE__,
};
