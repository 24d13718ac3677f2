#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], V = c->dim[2], D = c->dim[3];
	const double *g = c->in[0], *ids = c->in[1], *off = c->in[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < V * D; k++)
		y[k] = 0;
	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++)
			for (int64_t d = 0; d < D; d++)
				y[(int64_t)ids[t] * D + d] += g[b * D + d] / (off[b + 1] - off[b]);
}

const struct op op_embedding_bag_mean_backward = {
	.name = "embedding_bag_mean_backward",
	.summary = "gradient of the table of embedding_bag_mean",
	.dims = "B T V D",
	.tensor = {
		{ "g", "B D", OP_IN, "T", OP_REAL, NULL },
		{ "ids", "T", OP_IN, "i64", OP_INDEX, "V" },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "V D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); "
		"y[v,d] = sum(t if ids[t] == v) g[seg[t],d] / maximum(off[seg[t]+1] - off[seg[t]], 1)",
	.reference = reference,
	.flop = "T*D",
	.terms = "T",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=1024 T=8192 V=2000 D=64", OP_FULL, "f32" },
		{ "B=100 T=2001 V=500 D=48", OP_HELDOUT, "f32" },
		{ "B=3 T=7 V=5 D=3", OP_CHECK, NULL },
		{ "B=1 T=1 V=1 D=1", OP_CHECK, NULL },
		{ "B=17 T=101 V=31 D=19", OP_CHECK, NULL },
		{ "B=9 T=4 V=11 D=33", OP_CHECK, NULL },
	},
	.torch = "(lambda w: torch.autograd.grad(torch.nn.functional.embedding_bag(ids, w, off[:-1], "
		"mode='mean'), w, g)[0])(torch.zeros(V, D, dtype=g.dtype).requires_grad_())",
	.opinfo = "nn.functional.embedding_bag",
	.sample = "(lambda v: dict(g=v.g, ids=flat(args[0]).long(), off=(lambda i, o: torch.arange(len(i) + 1) * i.shape[1] if i.dim() == 2 else "
		"o if kw.get('include_last_offset') else torch.cat([o, torch.tensor([len(i)])]))(args[0], arg(1, 'offsets')).long(), V=input.shape[0], want=v.d))(vjp(input)) "
		"if kw.get('mode', 'mean') == 'mean' and kw.get('per_sample_weights') is None and "
		"kw.get('padding_idx') is None and kw.get('max_norm') is None and not kw.get('scale_grad_by_freq') else skip('another mode')",
	.source_path = __FILE__,
};
