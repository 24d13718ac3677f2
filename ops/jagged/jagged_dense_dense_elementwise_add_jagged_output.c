#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], L = c->dim[2], D = c->dim[3];
	const double *v = c->in[0], *off = c->in[1], *x = c->in[2], *z = c->in[3];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
			for (int64_t d = 0, l = t - (int64_t)off[b]; d < D; d++)
				y[t * D + d] = v[t * D + d] + (l < L ? x[(b * L + l) * D + d] + z[(b * L + l) * D + d] : 0);
}

const struct op op_jagged_dense_dense_elementwise_add_jagged_output = {
	.name = "jagged_dense_dense_elementwise_add_jagged_output",
	.summary = "jagged rows plus the rows of two dense tensors at their places, 0 past those",
	.dims = "B T L D",
	.tensor = {
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "x", "B L D", OP_IN, "T", OP_REAL, NULL },
		{ "z", "B L D", OP_IN, "T", OP_REAL, NULL },
		{ "y", "T D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); y[t,d] = v[t,d] + ((x[seg[t],t-off[seg[t]],d] else 0) + "
		"(z[seg[t],t-off[seg[t]],d] else 0))",
	.reference = reference,
	.flop = "2*T*D",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=512 T=10240 L=32 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 L=17 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 L=4 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 L=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 L=5 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 L=3 D=33", OP_CHECK, NULL },
	},
	.torch = "v + torch.cat([torch.cat([x[b], torch.zeros(T, D, dtype=x.dtype)])[:int(off[b + "
		"1] - off[b])] for b in range(B)]) + torch.cat([torch.cat([z[b], torch.zeros(T, D, "
		"dtype=z.dtype)])[:int(off[b + 1] - off[b])] for b in range(B)])",
	.source_path = __FILE__,
};
