#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], T = c->dim[1], D = c->dim[2];
	const double *v = c->in[0], *ids = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < B * D; k++)
		y[k] = 0;
	for (int64_t k = 0; k < T * D; k++)
		y[(int64_t)ids[k / D] * D + k % D] += v[k];
}

const struct op op_segment_sum = {
	.name = "segment_sum",
	.aliases = "segment_sum_ids",
	.summary = "sums of the rows that carry the same id",
	.dims = "B T D",
	.tensor = {
		{ "v", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "ids", "T", OP_IN, "i64", OP_INDEX, "B" },
		{ "y", "B D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,d] = sum(t if ids[t] == b) v[t,d]",
	.reference = reference,
	.flop = "T*D",
	.terms = "T",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=256 T=8192 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5", OP_CHECK, NULL },
		{ "B=1 T=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 D=33", OP_CHECK, NULL },
	},
	.torch = "torch.zeros(B, D, dtype=v.dtype).index_add(0, ids, v)",
	.source_path = __FILE__,
};
