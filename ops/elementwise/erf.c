#include "ops/core/op.h"

#include <math.h>

/* Taylor's series near 0, where 1 - erfc(x) would cancel (Abramowitz & Stegun 7.1.5). */
static double near_zero(double x)
{
	double power = x, sum = x;

	for (int n = 1; n < 24; n++) {
		power *= -x * x / n;
		sum += power / (2 * n + 1);
	}
	return 2 / sqrt(acos(-1.0)) * sum;
}

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = fabs(v) < 1 ? near_zero(v) : v < 0 ? erfc(-v) - 1 : 1 - erfc(v);
	}
}

const struct op op_erf = {
	.name = "erf",
	.summary = "error function",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "real", OP_REAL, NULL },
	},
	.body = "y[n] = erf(x[n])",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.erf(x)",
	.opinfo = "erf",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
