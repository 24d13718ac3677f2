#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], D = c->dim[2];
	const double *w = c->in[0], *ids = c->in[1];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++)
		for (int64_t d = 0; d < D; d++)
			*y++ = w[(int64_t)ids[n] * D + d];
}

const struct op op_embedding = {
	.name = "embedding",
	.summary = "rows of a table, named by ids",
	.dims = "N V D",
	.tensor = {
		{ "w", "V D", OP_IN, "T", OP_REAL, NULL },
		{ "ids", "N", OP_IN, "i64", OP_INDEX, "V" },
		{ "y", "N D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n,d] = w[ids[n],d]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=16384 V=50000 D=128", OP_FULL, "f32" },
		{ "N=3001 V=5003 D=65", OP_HELDOUT, "f32" },
		{ "N=5 V=7 D=3", OP_CHECK, NULL },
		{ "N=1 V=1 D=1", OP_CHECK, NULL },
		{ "N=33 V=11 D=67", OP_CHECK, NULL },
		{ "N=7 V=101 D=1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.embedding(ids, w)",
	.opinfo = "nn.functional.embedding",
	.sample = "dict(w=input, ids=flat(args[0]), out=lambda y: y.reshape(-1, input.shape[1])) if "
		  "kw.get('max_norm') is None else skip('renormalised')",
	.source_path = __FILE__,
};
