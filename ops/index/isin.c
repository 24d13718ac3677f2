#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], K = c->dim[1];
	const double *x = c->in[0], *t = c->in[1];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++) {
		int64_t k = 0;
		while (k < K && x[n] != t[k])
			k++;
		y[n] = k < K;
	}
}

const struct op op_isin = {
	.name = "isin",
	.summary = "is an element among the values of another tensor",
	.dims = "N K",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "t", "K", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "bool", OP_REAL, NULL },
	},
	.body = "y[n] = max(k) (x[n] == t[k])",
	.reference = reference,
	.flop = "N*K",
	.terms = "K",
	.dtypes = "f32 f64 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=65536 K=64", OP_FULL, "f32" },
		{ "N=3001 K=33", OP_HELDOUT, "f32" },
		{ "N=33 K=3", OP_CHECK, NULL },
		{ "N=1 K=1", OP_CHECK, NULL },
		{ "N=67 K=5", OP_CHECK, NULL },
		{ "N=17 K=131", OP_CHECK, NULL },
	},
	.torch = "torch.isin(x, t)",
	.opinfo = "isin",
	.sample = "dict(x=flat(input), t=flat(args[0])) if not kw.get('invert') else skip('inverted')",
	.source_path = __FILE__,
};
