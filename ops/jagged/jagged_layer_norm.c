#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], D = c->dim[2];
	double eps = c->attr[0];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++) {
		int64_t first = (int64_t)off[b] * D, last = (int64_t)off[b + 1] * D;
		double count = (double)(last - first), mean = 0, square = 0;
		for (int64_t k = first; k < last; k++)
			mean += v[k] / count;
		for (int64_t k = first; k < last; k++)
			square += (v[k] - mean) * (v[k] - mean) / count;
		for (int64_t k = first; k < last; k++)
			y[k] = (v[k] - mean) / sqrt(square + eps);
	}
}

const struct op op_jagged_layer_norm = {
	.name = "jagged_layer_norm",
	.summary = "each row's values, all features together, normalised to mean 0 and variance 1",
	.dims = "B T D",
	.tensor = {
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "T D", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-05, false } },
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); n[b] = maximum(off[b+1] - off[b], 1) * D; "
		"mu[b] = (sum(t in off[b]..off[b+1], d) v[t,d]) / n[b]; s[b] = (sum(t in off[b]..off[b+1], "
		"d) sq(v[t,d] - mu[b])) / n[b]; y[t,d] = (v[t,d] - mu[seg[t]]) * rsqrt(s[seg[t]] + eps)",
	.reference = reference,
	.flop = "8*T*D",
	.terms = "T*D",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 T=20480 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5", OP_CHECK, NULL },
		{ "B=1 T=2 D=5", OP_CHECK, NULL },
		{ "B=17 T=101 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 D=33", OP_CHECK, NULL },
	},
	.torch = "torch.cat([(r - r.mean()) / torch.sqrt(r.var(unbiased=False) + eps) for r in [v[off[b]:off[b + "
		"1]] for b in range(B)]])",
	.source_path = __FILE__,
};
