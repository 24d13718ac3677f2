#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], L = c->dim[2], D = c->dim[3];
	const double *x = c->in[0], *v = c->in[1], *off = c->in[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < B * D; k++)
		y[k] = 0;
	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
			for (int64_t d = 0, l = t - (int64_t)off[b]; d < D && l < L; d++)
				y[b * D + d] += x[b * L + l] * v[t * D + d];
}

const struct op op_batched_dense_vec_jagged_2d_mul = {
	.name = "batched_dense_vec_jagged_2d_mul",
	.summary = "dense vectors times jagged matrices: L weights of each row's matrix",
	.dims = "B T L D",
	.tensor = {
		{ "x", "B L", OP_IN, "T", OP_REAL, NULL },
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "B D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,d] = sum(t in off[b]..off[b+1] if t - off[b] < L) (x[b,t-off[b]] else 0) * v[t,d]",
	.reference = reference,
	.flop = "2*T*D",
	.terms = "L",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=512 T=10240 L=32 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 L=17 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 L=4 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 L=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 L=5 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 L=3 D=33", OP_CHECK, NULL },
	},
	.torch = "torch.einsum('bl,bld->bd', x, torch.stack([torch.cat([v[off[b]:off[b + 1]][:L], "
		"torch.full((max(L - int(off[b + 1] - off[b]), 0), D), 0, dtype=v.dtype)]) for b in range(B)]))",
	.source_path = __FILE__,
};
