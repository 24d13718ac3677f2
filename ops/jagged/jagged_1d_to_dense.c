#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], L = c->dim[2];
	int64_t padding = (int64_t)c->attr[0];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t l = 0; l < L; l++) {
			int64_t length = (int64_t)(off[b + 1] - off[b]);
			*y++ = l < length ? v[(int64_t)off[b] + l] : (double)padding;
		}
}

const struct op op_jagged_1d_to_dense = {
	.name = "jagged_1d_to_dense",
	.summary = "jagged lists as a matrix of L columns: longer ones cut, shorter ones padded",
	.dims = "B T L",
	.tensor = {
		{ "v", "T", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "B L", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "padding", 0, true } },
	.body = "y[b,l] = off[b] + l < off[b+1] ? v[off[b]+l] : padding",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "B=4096 T=81920 L=32", OP_FULL, "f32" },
		{ "B=100 T=2001 L=17", OP_HELDOUT, "f32" },
		{ "B=3 T=7 L=4", OP_CHECK, NULL },
		{ "B=1 T=1 L=1", OP_CHECK, NULL },
		{ "B=17 T=101 L=5 padding=-1", OP_CHECK, NULL },
		{ "B=9 T=4 L=3 padding=2", OP_CHECK, NULL },
	},
	.torch = "torch.stack([torch.cat([v[off[b]:off[b + 1]][:L], torch.full((max(L - int(off[b + "
		"1] - off[b]), 0),), padding, dtype=v.dtype)]) for b in range(B)])",
	.source_path = __FILE__,
};
