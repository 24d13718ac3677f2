#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = isnan(v) ? v : v < 0 ? acos(-1.0) : 0;
	}
}

const struct op op_angle = {
	.name = "angle",
	.summary = "argument of a real number: 0, or pi where it is negative",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "real", OP_REAL, NULL },
	},
	.body = "y[n] = x[n] != x[n] ? x[n] : x[n] < 0 ? 3.14159265358979323846 : 0.0",
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
	.torch = "torch.angle(x)",
	.opinfo = "angle",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
