#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], V = c->dim[1], D = c->dim[2];
	int64_t padding_idx = (int64_t)c->attr[0];
	const double *g = c->in[0], *ids = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < V * D; k++)
		y[k] = 0;
	for (int64_t n = 0; n < N; n++)
		for (int64_t d = 0; d < D; d++)
			if ((int64_t)ids[n] != padding_idx)
				y[(int64_t)ids[n] * D + d] += g[n * D + d];
}

const struct op op_embedding_backward = {
	.name = "embedding_backward",
	.aliases = "embedding_dense_backward",
	.summary = "gradient of a table whose rows were named by ids; none for row padding_idx",
	.dims = "N V D",
	.tensor = {
		{ "g", "N D", OP_IN, "T", OP_REAL, NULL },
		{ "ids", "N", OP_IN, "i64", OP_INDEX, "V" },
		{ "y", "V D", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "padding_idx", -1, true } },
	.body = "y[v,d] = v == padding_idx ? 0 : sum(n if ids[n] == v) g[n,d]",
	.reference = reference,
	.flop = "N*D",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=8192 V=2048 D=64", OP_FULL, "f32" },
		{ "N=3001 V=503 D=33", OP_HELDOUT, "f32" },
		{ "N=9 V=7 D=3", OP_CHECK, NULL },
		{ "N=1 V=1 D=1", OP_CHECK, NULL },
		{ "N=33 V=11 D=17 padding_idx=2", OP_CHECK, NULL },
		{ "N=67 V=5 D=2", OP_CHECK, NULL },
	},
	.torch = "(lambda w: torch.autograd.grad(torch.nn.functional.embedding(ids, w, "
		"padding_idx=padding_idx if padding_idx >= 0 else None), w, g)[0])(torch.zeros(V, D, "
		"dtype=g.dtype).requires_grad_())",
	.opinfo = "nn.functional.embedding",
	.sample = "(lambda v: dict(g=v.g.reshape(-1, input.shape[1]), ids=flat(args[0]), V=len(input), "
		  "padding_idx=(kw['padding_idx'] % len(input) if kw.get('padding_idx') is not None else -1), "
		  "want=v.d[0]))(vjp(input)) if kw.get('max_norm') is None and not kw.get('sparse') and not "
		  "kw.get('scale_grad_by_freq') else skip('renormalised, sparse or scaled')",
	.source_path = __FILE__,
};
