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
			double most = first < last ? v[first * D + d] : 0;
			for (int64_t t = first; t < last; t++)
				most = isnan(v[t * D + d]) || v[t * D + d] > most ? v[t * D + d] : most;
			y[b * D + d] = most;
		}
}

const struct op op_jagged_max = {
	.name = "jagged_max",
	.summary = "greatest of each row's values; 0 for an empty row",
	.dims = "B T D",
	.tensor = {
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "B D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,d] = off[b] < off[b+1] ? max(t in off[b]..off[b+1]) v[t,d] : 0",
	.reference = reference,
	.flop = "T*D",
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
	.torch = "torch.stack([r.max(0).values if len(r) else torch.zeros(D, "
		"dtype=v.dtype) for r in [v[off[b]:off[b + 1]] for b in range(B)]])",
	.source_path = __FILE__,
};
