#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t bags = c->dim[0], width = c->dim[3];
	const double *table = c->in[0], *ids = c->in[1], *offsets = c->in[2];

	for (int64_t b = 0; b < bags; b++)
		for (int64_t d = 0; d < width; d++) {
			double s = 0;
			for (int64_t t = (int64_t)offsets[b]; t < (int64_t)offsets[b + 1]; t++)
				s += table[(int64_t)ids[t] * width + d];
			c->out[0][b * width + d] = s;
		}
}

const struct op op_embedding_bag = {
	.name = "embedding_bag",
	.summary = "sum of the table rows that each bag's ids name",
	.dims = "B T V D",
	.tensor = { { "w", "V D", OP_IN, "T", OP_REAL, NULL }, { "ids", "T", OP_IN, "i64", OP_INDEX, "V" },
		    { "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" }, { "y", "B D", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[b,d] = sum(t in off[b]..off[b+1]) w[ids[t],d]",
	.reference = reference,
	.flop = "T*D",
	.terms = "T",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=4096 T=81920 V=100000 D=64", OP_SEARCH, "f32" },
		{ "B=1024 T=40960 V=20000 D=128", OP_FULL, "f32" },
		{ "B=1000 T=9001 V=5000 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 V=5 D=3", OP_CHECK, NULL },
		{ "B=1 T=1 V=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 V=31 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 V=11 D=133", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.embedding_bag(ids, w, off[:-1], mode='sum')",
	.opinfo = "nn.functional.embedding_bag",
	.sample = "dict(w=input, ids=flat(args[0]).long(), off=(lambda i, o: torch.arange(len(i) + 1) * "
		  "i.shape[1] if i.dim() == 2 else o if kw.get('include_last_offset') else torch.cat([o, "
		  "torch.tensor([len(i)])]))(args[0], arg(1, 'offsets')).long()) if kw.get('mode', 'mean') == "
		  "'sum' and kw.get('per_sample_weights') is None and kw.get('padding_idx') is None and "
		  "kw.get('max_norm') is None else skip('another mode')",
	.source_path = __FILE__,
};
