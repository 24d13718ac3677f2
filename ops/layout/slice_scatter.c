#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], S = c->dim[2], I = c->dim[3];
	int64_t START = (int64_t)c->attr[0], STEP = (int64_t)c->attr[1];
	const double *x = c->in[0], *s = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < O * R * I; k++)
		y[k] = x[k];
	for (int64_t o = 0; o < O; o++)
		for (int64_t k = 0; k < S * I; k++)
			y[(o * R + START + k / I * STEP) * I + k % I] = s[o * S * I + k];
}

const struct op op_slice_scatter = {
	.name = "slice_scatter",
	.summary = "a tensor with every STEP-th slice of a dimension from START on replaced",
	.dims = "O R S I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "s", "O S I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "START", 0, true }, { "STEP", 1, true } },
	.require = "START >= 0; STEP >= 1; START + (S-1)*STEP < R",
	.body = "y[o,r,i] = r >= START && (r - START) % STEP == 0 && (r - START) // STEP < S ? "
		"s[o,(r-START)//STEP,i] : x[o,r,i]",
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
	.torch = "torch.slice_scatter(x, s, 1, START, START + (S - 1) * STEP + 1, STEP)",
	.opinfo = "slice_scatter",
	.sample = "dict(x=oril(input, args[1]), s=oril(args[0], args[1]), "
		  "START=range(input.shape[args[1]])[slice(*args[2:4])].start, STEP=integer(args[4] if len(args) "
		  "> 4 and args[4] else 1), out=lambda y: flat(y))",
	.source_path = __FILE__,
};
