#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = fabs(v) > 20 ? copysign(1, v) : expm1(2 * v) / (expm1(2 * v) + 2);
	}
}

const struct op op_tanh = {
	.name = "tanh",
	.summary = "hyperbolic tangent",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "real", OP_REAL, NULL },
	},
	.body = "y[n] = tanh(x[n])",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=1610612736", OP_LARGE, "f32", "kb1/22" },
		{ "N=2097152", OP_FULL, "f32", "kb1/22/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.tanh(x)",
	.opinfo = "tanh",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
