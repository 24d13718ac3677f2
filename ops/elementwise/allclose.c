#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double all = 1;
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double x = c->in[0][i], y = c->in[1][i];
		if (!(x == y || (isfinite(y) && fabs(x - y) <= c->attr[1] + c->attr[0] * fabs(y))))
			all = 0;
	}
	c->out[0][0] = all;
}

const struct op op_allclose = {
	.name = "allclose",
	.summary = "is every pair within atol + rtol |y|, or equal?",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_IN, "T", OP_REAL, NULL },
		{ "z", "", OP_OUT, "bool", OP_REAL, NULL },
	},
	.attr = { { "rtol", 0.05, false }, { "atol", 0.02, false } },
	.body = "z = bool(min(n) (x[n] == y[n] || abs(x[n] - y[n]) <= atol + rtol * abs(y[n]) && "
		"y[n] > -inf && y[n] < inf))",
	.reference = reference,
	.flop = "4*N",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
		{ "N=3 rtol=0.75", OP_CHECK, NULL },
		{ "N=1 rtol=0.5 atol=0.5", OP_CHECK, NULL },
		{ "N=2 rtol=1 atol=1", OP_CHECK, NULL },
		{ "N=5 rtol=1 atol=1.5", OP_CHECK, NULL },
		{ "N=37 rtol=2 atol=2", OP_CHECK, NULL },
		{ "N=1031 rtol=4 atol=4", OP_CHECK, NULL },
	},
	.torch = "torch.tensor(torch.allclose(x, y, rtol=rtol, atol=atol))",
	.opinfo = "allclose",
	.sample = "dict(x=flat(input), y=flat(args[0]), rtol=kw.get('rtol', 1e-5), atol=kw.get('atol', 1e-8)) if "
		"input.shape == args[0].shape and not kw.get('equal_nan') else skip('broadcast or equal_nan')",
	.source_path = __FILE__,
};
