#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	int64_t SHIFT = (int64_t)c->attr[0];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t o = 0; o < O; o++)
		for (int64_t r = 0; r < R; r++)
			for (int64_t i = 0; i < I; i++)
				y[(o * R + ((r + SHIFT) % R + R) % R) * I + i] = *x++;
}

const struct op op_roll = {
	.name = "roll",
	.summary = "a dimension shifted, what leaves at one end entering at the other",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SHIFT", 1, true } },
	.body = "y[o,r,i] = x[o,(r-SHIFT)%R,i]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=64 R=512 I=64 SHIFT=3", OP_FULL, "f32" },
		{ "O=7 R=201 I=33 SHIFT=3", OP_HELDOUT, "f32" },
		{ "O=2 R=5 I=3", OP_CHECK, NULL },
		{ "O=1 R=1 I=1 SHIFT=2", OP_CHECK, NULL },
		{ "O=2 R=7 I=3 SHIFT=3", OP_CHECK, NULL },
		{ "O=3 R=9 I=1 SHIFT=-2", OP_CHECK, NULL },
		{ "O=1 R=4 I=17 SHIFT=11", OP_CHECK, NULL },
	},
	.torch = "torch.roll(x, SHIFT, 1)",
	.opinfo = "roll",
	.sample = "(lambda s, d: dict(x=oril(input, d), SHIFT=integer(s), out=lambda y: flat(y)))(*[(v[0] if "
		  "isinstance(v, (tuple, list)) else v) for v in (arg(0, 'shifts'), arg(1, 'dims'))]) if "
		  "input.dim() and arg(1, 'dims') not in (None, ()) and (not isinstance(arg(1, 'dims'), (tuple, "
		  "list)) or len(arg(1, 'dims')) == 1) else skip('not along one dimension')",
	.source_path = __FILE__,
};
