#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], S = c->dim[2], I = c->dim[3];
	int64_t START = (int64_t)c->attr[0], STEP = (int64_t)c->attr[1];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t o = 0; o < O; o++)
		for (int64_t s = 0; s < S; s++)
			for (int64_t i = 0; i < I; i++)
				*y++ = x[(o * R + START + s * STEP) * I + i];
}

const struct op op_slice = {
	.name = "slice",
	.aliases = "narrow select slice_copy",
	.summary = "every STEP-th slice of a dimension from START on",
	.dims = "O R S I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O S I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "START", 0, true }, { "STEP", 1, true } },
	.require = "START >= 0; STEP >= 1; START + (S-1)*STEP < R",
	.body = "y[o,s,i] = x[o,s*STEP+START,i]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=64 R=256 S=100 I=128 START=2 STEP=2", OP_FULL, "f32" },
		{ "O=31 R=101 S=43 I=33 START=2 STEP=2", OP_HELDOUT, "f32" },
		{ "O=2 R=9 S=3 I=5 START=2 STEP=2", OP_CHECK, NULL },
		{ "O=1 R=1 S=1 I=1", OP_CHECK, NULL },
		{ "O=3 R=7 S=4 I=1 START=1", OP_CHECK, NULL },
		{ "O=2 R=17 S=5 I=3 START=3 STEP=3", OP_CHECK, NULL },
		{ "O=2 R=11 S=3 I=3 START=1 STEP=3", OP_CHECK, NULL },
	},
	.torch = "x[:, START:START + (S - 1) * STEP + 1:STEP].contiguous()",
	.source_path = __FILE__,
};
