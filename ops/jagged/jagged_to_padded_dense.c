#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], L = c->dim[2], D = c->dim[3];
	int64_t padding = (int64_t)c->attr[0];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < B * L * D; k++)
		y[k] = (double)padding;
	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
			for (int64_t d = 0, l = t - (int64_t)off[b]; d < D && l < L; d++)
				y[(b * L + l) * D + d] = v[t * D + d];
}

const struct op op_jagged_to_padded_dense = {
	.name = "jagged_to_padded_dense",
	.aliases = "jagged_2d_to_dense",
	.summary = "jagged rows as a dense tensor of L rows each: longer ones cut, shorter ones padded",
	.dims = "B T L D",
	.tensor = {
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "B L D", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "padding", 0, true } },
	.body = "y[b,l,d] = off[b] + l < off[b+1] ? v[off[b]+l,d] : padding",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "B=512 T=10240 L=32 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 L=17 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 L=4 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 L=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 L=5 D=19 padding=-1", OP_CHECK, NULL },
		{ "B=9 T=4 L=3 D=33 padding=2", OP_CHECK, NULL },
	},
	.torch = "torch.stack([torch.cat([v[off[b]:off[b + 1]][:L], torch.full((max(L - int(off[b + "
		"1] - off[b]), 0), D), padding, dtype=v.dtype)]) for b in range(B)])",
	.source_path = __FILE__,
};
