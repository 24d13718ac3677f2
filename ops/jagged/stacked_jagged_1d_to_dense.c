#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t S = c->dim[0], B = c->dim[1], L = c->dim[3];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t s = 0; s < S; s++)
		for (int64_t b = 0; b < B; b++) {
			const double *row = off + s * (B + 1) + b;
			for (int64_t l = 0; l < L; l++)
				*y++ = l < (int64_t)(row[1] - row[0]) ? v[((int64_t)row[0] + l)] : 0;
		}
}

const struct op op_stacked_jagged_1d_to_dense = {
	.name = "stacked_jagged_1d_to_dense",
	.summary = "several features' jagged lists over one array of values, as dense tensors of L columns; "
		"padded by 0",
	.dims = "S B T L",
	.tensor = {
		{ "v", "T", OP_IN, "T", OP_REAL, NULL },
		{ "off", "S B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "S B L", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[s,b,l] = off[s,b] + l < off[s,b+1] ? v[off[s,b]+l] : 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "S=4 B=256 T=2048 L=16", OP_FULL, "f32" },
		{ "S=3 B=100 T=501 L=7", OP_HELDOUT, "f32" },
		{ "S=2 B=3 T=7 L=4", OP_CHECK, NULL },
		{ "S=1 B=1 T=1 L=1", OP_CHECK, NULL },
		{ "S=3 B=17 T=101 L=5", OP_CHECK, NULL },
		{ "S=2 B=9 T=4 L=3", OP_CHECK, NULL },
	},
	.torch = "torch.stack([torch.stack([torch.cat([v[off[s, b]:off[s, b + 1]][:L], "
		"torch.full((max(L - int(off[s, b + 1] - off[s, b]), 0),), 0, "
		"dtype=v.dtype)]) for b in range(B)]) for s in range(S)])",
	.source_path = __FILE__,
};
