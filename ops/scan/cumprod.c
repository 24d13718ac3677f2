#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double product = 1;
			for (int64_t r = 0; r < R; r++)
				c->out[0][(o * R + r) * I + i] = product *= x[r * I];
		}
}

const struct op op_cumprod = {
	.name = "cumprod",
	.summary = "running product",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_FACTORS, NULL },
		{ "y", "O R I", OP_OUT, "sum", OP_REAL, NULL },
	},
	.body = "y[o,r,i] = prod(j<=r) x[o,j,i]",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "2", /* not R: the magnitude of a product is R times its value already */
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "O=512 R=4096 I=1", OP_FULL, "f32" },
		{ "O=3 R=501 I=333", OP_HELDOUT, "f32" },
		{ "O=32768 R=32768 I=1", OP_LARGE, "f32", "kb1/90" },
		{ "O=1024 R=2048 I=1", OP_FULL, "f32", "kb1/90/cpu" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
	},
	.torch = "torch.cumprod(x, 1)",
	.opinfo = "cumprod",
	.sample = "dict(x=oril(input, arg(0, 'dim', 0)), out=lambda y: oril(y, arg(0, 'dim', 0)))",
	.source_path = __FILE__,
};
