#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0] * c->dim[1]; i++)
		c->out[0][i] = c->in[1][0] * c->in[0][i];
}

const struct op op_mul_scalar = {
	.name = "mul_scalar",
	.summary = "product with one number",
	.dims = "M N",
	.tensor = {
		{ "a", "M N", OP_IN, "T", OP_REAL, NULL },
		{ "s", "", OP_IN, "T", OP_REAL, NULL },
		{ "y", "M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[m,n] = a[m,n] * s",
	.reference = reference,
	.flop = "M*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=65536 N=16384", OP_LARGE, "f32", "kb1/5" },
		{ "M=1024 N=2048", OP_FULL, "f32", "kb1/5/cpu" },
		{ "M=333 N=777", OP_HELDOUT, "f32" },
		{ "M=5 N=7", OP_CHECK, NULL },
		{ "M=1 N=1", OP_CHECK, NULL },
		{ "M=17 N=67", OP_CHECK, NULL },
	},
	.torch = "a * s",
	.source_path = __FILE__,
};
