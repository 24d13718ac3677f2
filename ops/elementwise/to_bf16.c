#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = v;
	}
}

const struct op op_to_bf16 = {
	.name = "to_bf16",
	.summary = "conversion to bf16",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "bf16", OP_REAL, NULL },
	},
	.body = "y[n] = f64(x[n])",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 i64 i32 i16 i8 u8 bool f8e4m3 f8e5m2",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "x * 1.0",
	.opinfo = "bfloat16",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
