#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], S = c->dim[2], I = c->dim[3];
	const double *g = c->in[0], *i = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < O * R * I; k++)
		y[k] = 0;
	for (int64_t k = 0; k < O * S * I; k++)
		y[(k / (S * I) * R + (int64_t)i[k / I % S]) * I + k % I] += g[k];
}

const struct op op_index_select_backward = {
	.name = "index_select_backward",
	.summary = "gradient of index_select: slices added up where the indices say",
	.dims = "O R S I",
	.tensor = {
		{ "g", "O S I", OP_IN, "T", OP_REAL, NULL },
		{ "i", "S", OP_IN, "i64", OP_INDEX, "R" },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,r,e<I] = sum(s if i[s] == r) g[o,s,e]",
	.reference = reference,
	.flop = "O*S*I",
	.terms = "S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=64 R=256 S=100 I=128", OP_FULL, "f32" },
		{ "O=31 R=101 S=43 I=33", OP_HELDOUT, "f32" },
		{ "O=2 R=5 S=7 I=3", OP_CHECK, NULL },
		{ "O=1 R=1 S=1 I=1", OP_CHECK, NULL },
		{ "O=3 R=9 S=4 I=1", OP_CHECK, NULL },
		{ "O=1 R=17 S=33 I=5", OP_CHECK, NULL },
	},
	.torch = "torch.zeros(O, R, I, dtype=g.dtype).index_add(1, i, g)",
	.opinfo = "index_select",
	.sample = "(lambda v: dict(g=oril(v.g, args[0]), i=flat(args[1]), R=input.shape[args[0]], "
		  "want=flat(v.d[0])))(vjp(input)) if input.dim() else skip('a scalar')",
	.source_path = __FILE__,
};
