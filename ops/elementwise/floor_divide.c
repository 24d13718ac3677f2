#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0] * c->dim[1] * c->dim[2]; i++) {
		double x = c->in[0][i], y = c->in[1][i];
		/* What is left over is exact, the quotient of the rest nearly whole. */
		double left = fmod(x, y);
		if (left && (left < 0) != (y < 0))
			left += y;
		c->out[0][i] = y == 0 ? x / y : nearbyint((x - left) / y);
	}
}

const struct op op_floor_divide = {
	.name = "floor_divide",
	.summary = "quotient rounded down",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL, .ones = "OX" },
		{ "y", "A B C", OP_IN, "T", OP_REAL, NULL, .ones = "OY", .lo = 1, .hi = 8 },
		{ "z", "A B C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "OX", 0, true }, { "OY", 0, true } },
	.body = "z[a,b,c] = x[a,b,c] // y[a,b,c]",
	.reference = reference,
	.flop = "A*B*C",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "A=1 B=1024 C=4096 OY=2", OP_FULL, "f32" },
		{ "A=1 B=777 C=3001 OY=2", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5", OP_CHECK, NULL },
		{ "A=3 B=4 C=7 OY=2", OP_CHECK, NULL },
		{ "A=1 B=1 C=1", OP_CHECK, NULL },
		{ "A=2 B=17 C=67 OY=3", OP_CHECK, NULL },
		{ "A=3 B=4 C=7 OX=5 OY=2", OP_CHECK, NULL },
		{ "A=1 B=2 C=1033 OY=7", OP_CHECK, NULL },
		{ "A=3 B=5 C=9 OX=4", OP_CHECK, NULL },
	},
	.torch = "torch.floor_divide(x, y)",
	.opinfo = "floor_divide",
	.sample = "dict(**broadcast(x=input, y=args[0]))",
	.source_path = __FILE__,
};
