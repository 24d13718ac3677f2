#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t A = c->dim[0], B = c->dim[1], C = c->dim[2];
	int64_t RA = (int64_t)c->attr[0], RB = (int64_t)c->attr[1], RC = (int64_t)c->attr[2];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t a = 0; a < A * RA; a++)
		for (int64_t b = 0; b < B * RB; b++)
			for (int64_t k = 0; k < RC; k++)
				for (int64_t i = 0; i < C; i++)
					*y++ = x[(a % A * B + b % B) * C + i];
}

const struct op op_repeat = {
	.name = "repeat",
	.aliases = "tile",
	.summary = "a tensor laid side by side with itself RA, RB and RC times",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "A*RA B*RB C*RC", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "RA", 1, true }, { "RB", 1, true }, { "RC", 1, true } },
	.body = "y[a<A*RA,b<B*RB,c<C*RC] = x[a%A,b%B,c%C]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "A=64 B=64 C=128 RA=2 RB=3 RC=2", OP_FULL, "f32" },
		{ "A=7 B=33 C=65 RA=2 RB=3 RC=2", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5 RA=2 RB=3 RC=2", OP_CHECK, NULL },
		{ "A=1 B=1 C=1", OP_CHECK, NULL },
		{ "A=3 B=2 C=7 RC=4", OP_CHECK, NULL },
		{ "A=1 B=4 C=33 RA=3", OP_CHECK, NULL },
	},
	.torch = "x.repeat(RA, RB, RC)",
	.opinfo = "repeat",
	.sample = "(lambda r, n: dict(x=input.reshape((1,) * (3 - n) + tuple(input.shape)), **dict(zip(('RA', "
		  "'RB', 'RC'), (1,) * (3 - len(r)) + tuple(r))), out=lambda y: flat(y)))(args[0], input.dim()) "
		  "if len(args[0]) <= 3 and min(args[0], default=1) > 0 else skip('more than three dimensions')",
	.source_path = __FILE__,
};
