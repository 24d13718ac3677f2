#include "ops/core/op.h"

static bool has(const double *list, int64_t first, int64_t last, double id)
{
	while (first < last && list[first] != id)
		first++;
	return first < last;
}

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], S = c->dim[1], T = c->dim[2];
	const double *a = c->in[0], *oa = c->in[1], *z = c->in[2], *oz = c->in[3];
	double *y = c->out[0], *length = c->out[1], *count = c->out[2];

	int64_t found = 0;

	for (int64_t k = 0; k < S + T; k++)
		y[k] = -1;
	for (int64_t b = 0; b < B; b++) {
		int64_t before = found;
		for (int64_t s = (int64_t)oa[b]; s < (int64_t)oa[b + 1]; s++)
			y[found++] = a[s];
		for (int64_t t = (int64_t)oz[b]; t < (int64_t)oz[b + 1]; t++)
			if (!has(a, (int64_t)oa[b], (int64_t)oa[b + 1], z[t]))
				y[found++] = z[t];
		length[b] = (double)(found - before);
	}
	*count = (double)found;
}

const struct op op_id_list_union = {
	.name = "id_list_union",
	.summary = "of each row's two lists of ids the first, then those of the second that it lacks, in order: "
		"the ids, the rest of them -1; the lengths; their sum",
	.dims = "B S T V",
	.tensor = {
		{ "a", "S", OP_IN, "i64", OP_INDEX, "V" },
		{ "oa", "B+1", OP_IN, "i64", OP_OFFSETS, "S" },
		{ "z", "T", OP_IN, "i64", OP_INDEX, "V" },
		{ "oz", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "S+T", OP_OUT, "i64", OP_REAL, NULL },
		{ "length", "B", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (oz[b+1] <= t); "
		"fresh[t] = (max(s in oa[seg[t]]..oa[seg[t]+1]) (a[s] == z[t])) == 0; "
		"k[t<T+1] = sum(j<t) fresh[j]; length[b] = oa[b+1] - oa[b] + k[oz[b+1]] - k[oz[b]]; count = S + "
		"k[T]; row[o<S+T] = sum(b<B-1) (oa[b+1] + k[oz[b+1]] <= o); q[o<S+T] = o - k[oz[row[o]]]; "
		"at[o<S+T] = sum(t) (k[t+1] <= o - oa[row[o]+1]); y[o<S+T] = o < count ? (q[o] < oa[row[o]+1] ? "
		"(a[q[o]] else -1) : (z[at[o]] else -1)) : -1",
	.reference = reference,
	.flop = "T",
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
	.torch = "(lambda r: (torch.tensor(sum(r, []) + [-1] * (S + T - sum(map(len, r)))), "
		"torch.tensor([len(l) for l in r]), torch.tensor(sum(map(len, r)))))([a[oa[b]:oa[b + "
		"1]].tolist() + [int(i) for i in z[oz[b]:oz[b + 1]] if i not in a[oa[b]:oa[b + "
		"1]]] for b in range(B)])",
	.source_path = __FILE__,
};
