#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *v = c->in[0];
	double *y = c->out[0];

	y[0] = 0;
	for (int64_t k = 0; k < N; k++)
		y[k + 1] = y[k] + v[k];
}

const struct op op_lengths_to_offsets = {
	.name = "lengths_to_offsets",
	.aliases = "asynchronous_complete_cumsum",
	.summary = "offsets of rows of given lengths: 0, then running sums",
	.dims = "N",
	.tensor = {
		{ "v", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 9 },
		{ "y", "N+1", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "y[n<N+1] = sum(j<n) v[j]",
	.reference = reference,
	.flop = "N",
	.terms = "N",
	.dtypes = "i64 i32",
	.shape = {
		{ "N=65536", OP_FULL, "i64" },
		{ "N=3001", OP_HELDOUT, "i64" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=131", OP_CHECK, NULL },
	},
	.torch = "torch.cat([torch.zeros(1, dtype=torch.int64), torch.cumsum(v, 0)])",
	.source_path = __FILE__,
};
