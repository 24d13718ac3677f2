#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double some = 0;
			for (int64_t r = 0; r < R; r++)
				some += x[r * I] != 0;
			c->out[0][o * I + i] = some > 0;
		}
}

const struct op op_any = {
	.name = "any",
	.summary = "is some value not zero?",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "y", "O I", OP_OUT, "bool", OP_REAL, NULL },
	},
	.body = "y[o,i] = max(r) (x[o,r,i] != 0)",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "R",
	.dtypes = "i8 u8 i16 i32 i64 bool",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "i8" },
		{ "O=2048 R=2048 I=1", OP_FULL, "i8" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "i8" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=1 R=131 I=2", OP_CHECK, NULL },
	},
	.torch = "torch.any(x != 0, 1)",
	.opinfo = "any",
	.sample = "dict(x=oril(input, dims()), out=lambda y: flat(y))",
	.source_path = __FILE__,
};
