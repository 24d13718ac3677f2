#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	float scale = (float)c->in[1][0];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double q = nearbyint((float)c->in[0][i] / scale) + c->in[2][0];
		c->out[0][i] = q < -128 ? -128 : q > 127 ? 127 : q;
	}
}

const struct op op_quantize_per_tensor_int8 = {
	.name = "quantize_per_tensor_int8",
	.summary = "8-bit integers by one scale and zero point",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL, .lo = -100, .hi = 100 },
		{ "s", "", OP_IN, "f32", OP_REAL, NULL, .lo = 0.25, .hi = 1.5 },
		{ "z", "", OP_IN, "i32", OP_REAL, NULL, .lo = -20, .hi = 20 },
		{ "y", "N", OP_OUT, "i8", OP_REAL, NULL },
	},
	.body = "y[n] = i8(clamp(round(f32(x[n] / s)) + z, -128, 127))",
	.reference = reference,
	.flop = "3*N",
	.terms = "1",
	.dtypes = "f32 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "(torch.round(x.float() / s.float()) + z).clamp(-128, 127).long()",
	.source_path = __FILE__,
};
