#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], D = c->dim[3];
	const double *w = c->in[0], *ids = c->in[1], *off = c->in[2];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t d = 0; d < D; d++) {
			int64_t first = (int64_t)off[b], last = (int64_t)off[b + 1];
			double most = first < last ? w[(int64_t)ids[first] * D + d] : 0;
			for (int64_t t = first; t < last; t++) {
				double v = w[(int64_t)ids[t] * D + d];
				most = isnan(v) || v > most ? v : most;
			}
			y[b * D + d] = most;
		}
}

const struct op op_embedding_bag_max = {
	.name = "embedding_bag_max",
	.summary = "greatest of the table rows that each bag's ids name; 0 for an empty bag",
	.dims = "B T V D",
	.tensor = {
		{ "w", "V D", OP_IN, "T", OP_REAL, NULL },
		{ "ids", "T", OP_IN, "i64", OP_INDEX, "V" },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "B D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[b,d] = off[b] < off[b+1] ? max(t in off[b]..off[b+1]) w[ids[t],d] : 0",
	.reference = reference,
	.flop = "T*D",
	.terms = "T",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 T=20480 V=20000 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 V=5000 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 V=5 D=3", OP_CHECK, NULL },
		{ "B=1 T=1 V=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 V=31 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 V=11 D=33", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.embedding_bag(ids, w, off[:-1], mode='max')",
	.opinfo = "nn.functional.embedding_bag",
	.sample = "dict(w=input, ids=flat(args[0]).long(), off=(lambda i, o: torch.arange(len(i) + 1) * "
		  "i.shape[1] if i.dim() == 2 else o if kw.get('include_last_offset') else torch.cat([o, "
		  "torch.tensor([len(i)])]))(args[0], arg(1, 'offsets')).long()) if kw.get('mode', 'mean') == "
		  "'max' and kw.get('per_sample_weights') is None and kw.get('padding_idx') is None and "
		  "kw.get('max_norm') is None else skip('another mode')",
	.source_path = __FILE__,
};
