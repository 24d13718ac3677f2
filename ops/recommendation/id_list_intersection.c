#include "ops/core/op.h"

static bool has(const double *list, int64_t first, int64_t last, double id)
{
	while (first < last && list[first] != id)
		first++;
	return first < last;
}

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], S = c->dim[1];
	const double *a = c->in[0], *oa = c->in[1], *z = c->in[2], *oz = c->in[3];
	double *y = c->out[0], *length = c->out[1], *count = c->out[2];

	int64_t found = 0;

	for (int64_t s = 0; s < S; s++)
		y[s] = -1;
	for (int64_t b = 0; b < B; b++) {
		int64_t before = found;
		for (int64_t s = (int64_t)oa[b]; s < (int64_t)oa[b + 1]; s++)
			if (has(z, (int64_t)oz[b], (int64_t)oz[b + 1], a[s]))
				y[found++] = a[s];
		length[b] = (double)(found - before);
	}
	*count = (double)found;
}

const struct op op_id_list_intersection = {
	.name = "id_list_intersection",
	.summary = "of each list of ids those that the other list of its row has, in order: the ids, "
		"the rest of them -1; the lengths; their sum",
	.dims = "B S T V",
	.tensor = {
		{ "a", "S", OP_IN, "i64", OP_INDEX, "V" },
		{ "oa", "B+1", OP_IN, "i64", OP_OFFSETS, "S" },
		{ "z", "T", OP_IN, "i64", OP_INDEX, "V" },
		{ "oz", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "S", OP_OUT, "i64", OP_REAL, NULL },
		{ "length", "B", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "seg[s] = sum(b<B-1) (oa[b+1] <= s); "
		"keep[s] = max(t in oz[seg[s]]..oz[seg[s]+1]) (z[t] == a[s]); "
		"length[b] = sum(s in oa[b]..oa[b+1]) keep[s]; k[s] = sum(j<=s) keep[j]; count = k[S-1]; "
		"at[o<S] = sum(s<S-1) (k[s] <= o); y[o<S] = o < count ? a[at[o]] : -1",
	.reference = reference,
	.flop = "S",
	.terms = "maximum(S,T)",
	.dtypes = "i64",
	.shape = {
		{ "B=256 S=2048 T=2048 V=64", OP_FULL, "i64" },
		{ "B=100 S=901 T=1101 V=33", OP_HELDOUT, "i64" },
		{ "B=3 S=9 T=11 V=4", OP_CHECK, NULL },
		{ "B=1 S=1 T=1 V=1", OP_CHECK, NULL },
		{ "B=7 S=67 T=33 V=9", OP_CHECK, NULL },
		{ "B=5 S=17 T=101 V=20", OP_CHECK, NULL },
		{ "B=1 S=5 T=3 V=4", OP_CHECK, NULL },
	},
	.torch = "(lambda r: (torch.tensor(sum(r, []) + [-1] * (S - sum(map(len, r)))), "
		"torch.tensor([len(l) for l in r]), torch.tensor(sum(map(len, "
		"r)))))([[int(i) for i in a[oa[b]:oa[b + 1]] if i in z[oz[b]:oz[b + 1]]] for b in range(B)])",
	.source_path = __FILE__,
};
