#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v * c->attr[0] > c->attr[1] ? v : log1p(exp(v * c->attr[0])) / c->attr[0];
	}
}

const struct op op_softplus = {
	.name = "softplus",
	.summary = "log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "beta", 1, false }, { "threshold", 20, false } },
	.body = "y[n] = x[n] * beta > threshold ? x[n] : softplus(x[n] * beta) / beta",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=1610612736", OP_LARGE, "f32", "kb1/29" },
		{ "N=2097152", OP_FULL, "f32", "kb1/29/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
		{ "N=67 threshold=2", OP_CHECK, NULL },
		{ "N=53 beta=3 threshold=1.5", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.softplus(x, beta, threshold)",
	.opinfo = "nn.functional.softplus",
	.sample = "dict(x=flat(input), beta=kw.get('beta', 1), threshold=kw.get('threshold', 20))",
	.source_path = __FILE__,
};
