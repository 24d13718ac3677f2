#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double scale = c->in[1][0], zero = c->in[2][0];
	for (int64_t i = 0; i < c->dim[0]; i++)
		c->out[0][i] = scale * c->in[0][i] - scale * zero;
}

const struct op op_dequantize_per_tensor_int8 = {
	.name = "dequantize_per_tensor_int8",
	.summary = "reals of 8-bit integers by one scale and zero point",
	.dims = "N",
	.tensor = {
		{ "q", "N", OP_IN, "i8", OP_REAL, NULL, .lo = -128, .hi = 127 },
		{ "s", "", OP_IN, "T", OP_REAL, NULL, .lo = 0.01, .hi = 1.5 },
		{ "z", "", OP_IN, "i32", OP_REAL, NULL, .lo = -20, .hi = 20 },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = (q[n] - z) * s",
	.reference = reference,
	.flop = "2*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "(q - z) * s",
	.source_path = __FILE__,
};
