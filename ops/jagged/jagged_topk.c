#include "ops/core/op.h"

#include <math.h>

/* Is a greater than b?  NaN is greatest. */
static bool is_greater(double a, double b) { return a > b || (isnan(a) && !isnan(b)); }

/* Does element t of v come after element m, greatest first, of equal ones the first? */
static bool follows(const double *v, int64_t t, int64_t m) { return is_greater(v[m], v[t]) || (!is_greater(v[t], v[m]) && t > m); }

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], K = c->dim[2];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0], *at = c->out[1], *count = c->out[2];

	for (int64_t b = 0; b < B; b++) {
		int64_t first = (int64_t)off[b], last = (int64_t)off[b + 1];
		count[b] = (double)(last - first < K ? last - first : K);
		for (int64_t k = 0; k < K; k++) {
			int64_t best = -1, before = k ? (int64_t)at[b * K + k - 1] : -1;
			for (int64_t t = first; t < last; t++)
				if ((!k || (before >= 0 && follows(v, t, before))) && (best < 0 || is_greater(v[t], v[best])))
					best = t;
			at[b * K + k] = (double)best;
			y[b * K + k] = best < 0 ? 0 : v[best];
		}
	}
}

const struct op op_jagged_topk = {
	.name = "jagged_topk",
	.summary = "of each row the K greatest values in order, rows of fewer padded by 0; where they stood, "
		"else -1; and how many",
	.dims = "B T K",
	.tensor = {
		{ "v", "T", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "B K", OP_OUT, "T", OP_REAL, NULL },
		{ "at", "B K", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "B", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); "
		"rank[t] = sum(j in off[seg[t]]..off[seg[t]+1]) (v[j] > v[t] || v[j] != v[j] && v[t] == v[t] || "
		"(v[j] == v[t] || v[j] != v[j] && v[t] != v[t]) && j < t); "
		"count[b] = minimum(off[b+1] - off[b], K); at[b,k] = k < count[b] ? "
		"min(t in off[b]..off[b+1] if rank[t] == k) t : -1; y[b,k] = k < count[b] ? "
		"max(t in off[b]..off[b+1] if rank[t] == k) v[t] : 0",
	.reference = reference,
	.flop = "0",
	.terms = "T",
	.dtypes = "f32 f64 i64",
	.shape = {
		{ "B=256 T=4096 K=8", OP_FULL, "f32" },
		{ "B=100 T=2001 K=5", OP_HELDOUT, "f32" },
		{ "B=3 T=7 K=2", OP_CHECK, NULL },
		{ "B=1 T=1 K=1", OP_CHECK, NULL },
		{ "B=17 T=101 K=7", OP_CHECK, NULL },
		{ "B=9 T=4 K=3", OP_CHECK, NULL },
	},
	.torch = "(lambda s: (torch.stack([torch.cat([r.values[:K], torch.zeros(max(K - len(r.values), 0), "
		"dtype=v.dtype)]) for r in s]), torch.stack([torch.cat([r.indices[:K] + off[b], "
		"torch.full((max(K - len(r.values), 0),), -1)]) for b, r in enumerate(s)]), "
		"(off[1:] - off[:-1]).clamp(max=K)))([torch.sort(v[off[b]:off[b + 1]], stable=True, "
		"descending=True) for b in range(B)])",
	.source_path = __FILE__,
};
