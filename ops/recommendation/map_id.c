#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], K = c->dim[1];
	const double *v = c->in[0], *t = c->in[1];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++) {
		y[n] = 0;
		for (int64_t k = K - 1; k >= 0; k--)
			if (t[k] == v[n])
				y[n] = (double)(k + 1);
	}
}

const struct op op_map_id = {
	.name = "map_id",
	.aliases = "MapIdTransform",
	.summary = "the position, from 1, of each id in a sorted list; 0 for ids that it lacks (MapIdTransform)",
	.dims = "N K",
	.tensor = {
		{ "v", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 200 },
		{ "t", "K", OP_IN, "T", OP_SORTED, NULL, .lo = 0, .hi = 200 },
		{ "y", "N", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "at[n] = minimum(sum(k) (t[k] < v[n]), K - 1); y[n] = t[at[n]] == v[n] ? at[n] + 1 : 0",
	.reference = reference,
	.flop = "N",
	.terms = "K",
	.dtypes = "i64 i32",
	.shape = {
		{ "N=50000 K=100", OP_FULL, "i64", "paper/map_id/cpu" },
		{ "N=2000 K=100", OP_FULL, "i64" },
		{ "N=3001 K=777", OP_HELDOUT, "i64" },
		{ "N=2000 K=100", OP_LARGE, "i64", "paper/map_id" },
		{ "N=50000 K=100", OP_LARGE, "i64", "paper/map_id" },
		{ "N=2000 K=10000", OP_LARGE, "i64", "paper/map_id" },
		{ "N=50000 K=10000", OP_LARGE, "i64", "paper/map_id" },
		{ "N=33 K=5", OP_CHECK, NULL },
		{ "N=1 K=1", OP_CHECK, NULL },
		{ "N=67 K=17", OP_CHECK, NULL },
		{ "N=131 K=130", OP_CHECK, NULL },
	},
	.torch = "(lambda at: torch.where(t[at] == v, at + 1, 0))(torch.searchsorted(t, v).clamp(max=K - 1))",
	.source_path = __FILE__,
};
