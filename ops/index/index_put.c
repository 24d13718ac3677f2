#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1], S = c->dim[2], I = c->dim[3];
	const double *x = c->in[0], *a = c->in[1], *b = c->in[2], *v = c->in[3];
	double *y = c->out[0];

	for (int64_t k = 0; k < R * C * I; k++)
		y[k] = x[k];
	for (int64_t k = 0; k < S * I; k++)
		y[((int64_t)a[k / I] * C + (int64_t)b[k / I]) * I + k % I] = v[k];
}

const struct op op_index_put = {
	.name = "index_put",
	.aliases = "index_put_",
	.summary = "values written where two index vectors say, the last of those that meet",
	.dims = "R C S I",
	.tensor = {
		{ "x", "R C I", OP_IN, "T", OP_REAL, NULL },
		{ "a", "S", OP_IN, "i64", OP_INDEX, "R" },
		{ "b", "S", OP_IN, "i64", OP_INDEX, "C" },
		{ "v", "S I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R C I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "k[r,c] = max(s if a[s] == r && b[s] == c) s; y[r,c,e<I] = k[r,c] >= 0 ? v[k[r,c],e] : x[r,c,e]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "R=64 C=48 S=512 I=32", OP_FULL, "f32" },
		{ "R=33 C=27 S=101 I=17", OP_HELDOUT, "f32" },
		{ "R=5 C=7 S=9 I=3", OP_CHECK, NULL },
		{ "R=1 C=1 S=1 I=1", OP_CHECK, NULL },
		{ "R=3 C=2 S=17 I=1", OP_CHECK, NULL },
		{ "R=17 C=5 S=4 I=33", OP_CHECK, NULL },
	},
	.torch = "(lambda y: ([y.__setitem__((int(a[s]), int(b[s])), v[s]) for s in range(S)], y)[1])(x.clone())",
	.opinfo = "index_put",
	.sample = "(lambda i: dict(x=input.unsqueeze(0), a=torch.zeros_like(i), b=i, v=args[1]))(args[0][0]) if args[0][0].dtype == torch.int64 and len(args[0]) == 1 and "
		"input.dim() == 2 and args[1].dim() == 2 and not kw.get('accumulate') else skip('a mask')",
	.source_path = __FILE__,
};
