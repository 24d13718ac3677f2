#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			int64_t at = 0;
			for (int64_t r = 1; r < R; r++)
				if (!isnan(x[at * I]) && (isnan(x[r * I]) || x[r * I] > x[at * I]))
					at = r;
			c->out[0][o * I + i] = (double)at;
		}
}

const struct op op_argmax = {
	.name = "argmax",
	.summary = "where the greatest value is, the first of equals",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O I", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "y[o,i] = argmax(r) x[o,r,i]",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=2048 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=128 R=4096 I=4095", OP_LARGE, "f32", "kb1/51" },
		{ "O=4 R=1024 I=1023", OP_FULL, "f32", "kb1/51/cpu" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=1 R=131 I=2", OP_CHECK, NULL },
	},
	.torch = "torch.argmax(x, 1)",
	.opinfo = "argmax",
	.sample = "dict(x=oril(input, dims()), out=lambda y: flat(y))",
	.source_path = __FILE__,
};
