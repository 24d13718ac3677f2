#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], S = c->dim[2], I = c->dim[3];
	const double *x = c->in[0], *i = c->in[1], *v = c->in[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < O * R * I; k++)
		y[k] = x[k];
	for (int64_t k = 0; k < O * S * I; k++)
		y[(k / (S * I) * R + (int64_t)i[k]) * I + k % I] = v[k];
}

const struct op op_scatter = {
	.name = "scatter",
	.aliases = "scatter_src",
	.summary = "values written where the indices say, the last of those that meet",
	.dims = "O R S I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "i", "O S I", OP_IN, "i64", OP_INDEX, "R" },
		{ "v", "O S I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "k[o,r,e<I] = max(s if i[o,s,e] == r) s; y[o,r,e<I] = k[o,r,e] >= 0 ? v[o,k[o,r,e],e] : x[o,r,e]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=16 R=512 S=300 I=64", OP_FULL, "f32" },
		{ "O=7 R=101 S=55 I=33", OP_HELDOUT, "f32" },
		{ "O=2 R=5 S=7 I=3", OP_CHECK, NULL },
		{ "O=1 R=1 S=1 I=1", OP_CHECK, NULL },
		{ "O=3 R=9 S=4 I=1", OP_CHECK, NULL },
		{ "O=1 R=17 S=33 I=5", OP_CHECK, NULL },
	},
	.torch = "(lambda y: ([y[:, :, :].scatter_(1, i[:, k:k + 1], v[:, k:k + 1]) for k in range(S)], "
		"y)[1])(x.clone())",
	.opinfo = "scatter",
	.sample = "dict(x=oril(input, args[0]), i=oril(args[1], args[0]), v=oril(args[2], args[0]), out=lambda y: "
		  "flat(y)) if input.dim() and len(args) > 2 and isinstance(args[2], torch.Tensor) and all(k == "
		  "args[0] % input.dim() or n == input.shape[k] for k, n in enumerate(args[1].shape)) and "
		  "args[1].shape == args[2].shape and 'reduce' not in kw else skip('an index that is smaller, or "
		  "another form')",
	.source_path = __FILE__,
};
