#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = trunc(v);
	}
}

const struct op op_to_i32 = {
	.name = "to_i32",
	.summary = "conversion to i32, truncated",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL, .lo = -100, .hi = 100 },
		{ "y", "N", OP_OUT, "i32", OP_REAL, NULL },
	},
	.body = "y[n] = i32(x[n])",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i16 i8 f8e4m3 f8e5m2",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "x.to(torch.int32)",
	.opinfo = "int",
	.sample = "dict(x=flat(input)) if (input.double().abs() < 2 ** 31).all() else skip('beyond the integer')",
	.source_path = __FILE__,
};
