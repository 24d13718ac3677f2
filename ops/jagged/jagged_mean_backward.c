#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], D = c->dim[2];
	const double *g = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
			for (int64_t d = 0; d < D; d++)
				y[t * D + d] = g[b * D + d] / (off[b + 1] - off[b]);
}

const struct op op_jagged_mean_backward = {
	.name = "jagged_mean_backward",
	.summary = "gradient of jagged_mean",
	.dims = "B T D",
	.tensor = {
		{ "g", "B D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "T D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); "
		"y[t,d] = g[seg[t],d] / maximum(off[seg[t]+1] - off[seg[t]], 1)",
	.reference = reference,
	.flop = "T*D",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 T=20480 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 D=33", OP_CHECK, NULL },
	},
	.torch = "(g / (off[1:] - off[:-1]).clamp(min=1)[:, None])[torch.bucketize(torch.arange(T), off[1:], "
		"right=True)]",
	.source_path = __FILE__,
};
