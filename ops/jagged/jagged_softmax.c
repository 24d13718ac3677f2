#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], D = c->dim[2];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t d = 0; d < D; d++) {
			int64_t first = (int64_t)off[b], last = (int64_t)off[b + 1];
			double most = -INFINITY, total = 0;
			for (int64_t t = first; t < last; t++)
				most = isnan(v[t * D + d]) || v[t * D + d] > most ? v[t * D + d] : most;
			for (int64_t t = first; t < last; t++)
				total += exp(v[t * D + d] - most);
			for (int64_t t = first; t < last; t++)
				y[t * D + d] = exp(v[t * D + d] - most) / total;
		}
}

const struct op op_jagged_softmax = {
	.name = "jagged_softmax",
	.summary = "softmax over each row's values, feature by feature",
	.dims = "B T D",
	.tensor = {
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "T D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); m[b,d] = max(t in off[b]..off[b+1]) v[t,d]; "
		"s[b,d] = sum(t in off[b]..off[b+1]) exp(v[t,d] - m[b,d]); "
		"y[t,d] = exp(v[t,d] - m[seg[t],d]) / s[seg[t],d]",
	.reference = reference,
	.flop = "8*T*D",
	.terms = "T",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 T=20480 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 D=33", OP_CHECK, NULL },
	},
	.torch = "torch.cat([torch.softmax(r, 0) for r in [v[off[b]:off[b + 1]] for b in range(B)]])",
	.source_path = __FILE__,
};
