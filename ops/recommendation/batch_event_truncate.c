#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t U = c->dim[0], E = c->dim[1], V = c->dim[2];
	int64_t LIMIT = (int64_t)c->attr[0];
	const double *outer = c->in[0], *inner = c->in[1], *v = c->in[2];
	double *ul = c->out[0], *il = c->out[1], *y = c->out[2], *events = c->out[3], *count = c->out[4];

	int64_t event = 0, to = 0, value = 0;

	for (int64_t k = 0; k < E; k++)
		il[k] = 0;
	for (int64_t k = 0; k < V; k++)
		y[k] = 0;
	*count = 0;
	for (int64_t u = 0; u < U; u++) {
		ul[u] = outer[u] < (double)LIMIT ? outer[u] : (double)LIMIT;
		for (int64_t n = 0; n < (int64_t)outer[u]; n++, event++) {
			for (int64_t k = 0; k < (int64_t)inner[event] && n < LIMIT; k++)
				y[(int64_t)(*count)++] = v[value + k];
			if (n < LIMIT)
				il[to++] = inner[event];
			value += (int64_t)inner[event];
		}
	}
	*events = (double)to;
}

const struct op op_batch_event_truncate = {
	.name = "batch_event_truncate",
	.aliases = "BatchEventTruncate",
	.summary = "the first LIMIT events of each user, and their values: U users (of all features, "
		"one after the other) of outer[u] events of inner[e] values. New lengths, "
		"the rest of them and of the values 0, and how many events and values are left",
	.dims = "U E V",
	.tensor = {
		{ "outer", "U", OP_IN, "i64", OP_LENGTHS, "E" },
		{ "inner", "E", OP_IN, "i64", OP_LENGTHS, "V" },
		{ "v", "V", OP_IN, "T", OP_REAL, NULL },
		{ "ul", "U", OP_OUT, "i64", OP_REAL, NULL },
		{ "il", "E", OP_OUT, "i64", OP_REAL, NULL },
		{ "y", "V", OP_OUT, "T", OP_REAL, NULL },
		{ "events", "", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "LIMIT", 2, true } },
	.body = "ul[u] = minimum(outer[u], LIMIT); ui[u<U+1] = sum(j<u) outer[j]; uo[u<U+1] = sum(j<u) ul[j]; "
		"events = uo[U]; seg[e] = sum(u<U-1) (uo[u+1] <= e); src[e] = ui[seg[e]] + e - uo[seg[e]]; "
		"il[e] = e < events ? (inner[src[e]] else 0) : 0; vi[e<E+1] = sum(j<e) inner[j]; "
		"vo[e<E+1] = sum(j<e) il[j]; count = vo[E]; ev[n<V] = sum(e<E-1) (vo[e+1] <= n); "
		"at[n<V] = n < count ? (vi[src[ev[n]]] else 0) + n - vo[ev[n]] : -1; y[n<V] = v[at[n]] else 0",
	.reference = reference,
	.flop = "0",
	.terms = "E",
	.dtypes = "f32 i64",
	.shape = {
		{ "U=40 E=2000 V=8000 LIMIT=100", OP_FULL, "f32", "paper/batch_event_truncate/cpu" },
		{ "U=33 E=1501 V=5003 LIMIT=7", OP_HELDOUT, "f32" },
		{ "U=160 E=32000 V=640000 LIMIT=100", OP_LARGE, "f32", "paper/batch_event_truncate" },
		{ "U=3 E=17 V=31", OP_CHECK, NULL },
		{ "U=1 E=1 V=1", OP_CHECK, NULL },
		{ "U=7 E=67 V=131 LIMIT=7", OP_CHECK, NULL },
		{ "U=5 E=33 V=9 LIMIT=3", OP_CHECK, NULL },
		{ "U=3 E=301 V=501 LIMIT=100", OP_CHECK, NULL },
		{ "U=7 E=67 V=301", OP_CHECK, NULL },
		{ "U=5 E=33 V=99 LIMIT=100", OP_CHECK, NULL },
	},
	.torch = "(lambda oo, io: (lambda keep: (lambda vals: (outer.clamp(max=LIMIT), torch.cat([inner[keep], "
		"torch.zeros(E - len(keep), dtype=torch.int64)]), torch.cat([vals, torch.zeros(V - len(vals), "
		"dtype=v.dtype)]), torch.tensor(len(keep)), torch.tensor(len(vals))))(torch.cat([v[io[e]:io[e + "
		"1]] for e in keep] or [v[:0]])))([e for u in range(U) for e in range(oo[u], min(oo[u] + LIMIT, "
		"oo[u + 1]))]))([0] + torch.cumsum(outer, 0).tolist(), [0] + torch.cumsum(inner, 0).tolist())",
	.source_path = __FILE__,
};
