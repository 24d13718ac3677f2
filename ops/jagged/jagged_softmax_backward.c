#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], D = c->dim[2];
	const double *g = c->in[0], *y = c->in[1], *off = c->in[2];
	double *z = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t d = 0; d < D; d++) {
			double dot = 0;
			for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
				dot += y[t * D + d] * g[t * D + d];
			for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
				z[t * D + d] = (g[t * D + d] - dot) * y[t * D + d];
		}
}

const struct op op_jagged_softmax_backward = {
	.name = "jagged_softmax_backward",
	.summary = "gradient of jagged_softmax, from its output y",
	.dims = "B T D",
	.tensor = {
		{ "g", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "y", "T D", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "z", "T D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); s[b,d] = sum(t in off[b]..off[b+1]) g[t,d] * y[t,d]; "
		"z[t,d] = y[t,d] * (g[t,d] - s[seg[t],d])",
	.reference = reference,
	.flop = "4*T*D",
	.terms = "T+1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 T=20480 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 D=33", OP_CHECK, NULL },
	},
	.torch = "torch.cat([y[off[b]:off[b + 1]] * (g[off[b]:off[b + 1]] - (g * y)[off[b]:off[b + "
		"1]].sum(0)) for b in range(B)])",
	.source_path = __FILE__,
};
