#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], K = c->dim[1];
	const double *x = c->in[0], *t = c->in[1];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++) {
		int64_t lo = 0, hi = K;
		while (lo < hi) {
			int64_t middle = (lo + hi) / 2;
			if (t[middle] > x[n])
				hi = middle;
			else
				lo = middle + 1; /* NaN is above all */
		}
		y[n] = (double)lo;
	}
}

const struct op op_searchsorted_right = {
	.name = "searchsorted_right",
	.aliases = "bucketize_right",
	.summary = "how many of a sorted list's values are not above each element: where it would be inserted",
	.dims = "N K",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "t", "K", OP_IN, "T", OP_SORTED, NULL },
		{ "y", "N", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "y[n] = sum(k) ((t[k] > x[n]) == 0)",
	.reference = reference,
	.flop = "N",
	.terms = "K",
	.dtypes = "f32 f64 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=65536 K=256", OP_FULL, "f32" },
		{ "N=3001 K=333", OP_HELDOUT, "f32" },
		{ "N=33 K=5", OP_CHECK, NULL },
		{ "N=1 K=1", OP_CHECK, NULL },
		{ "N=67 K=17", OP_CHECK, NULL },
		{ "N=17 K=131", OP_CHECK, NULL },
	},
	.torch = "torch.searchsorted(t, x, right=True)",
	.opinfo = "searchsorted",
	.sample = "dict(x=flat(torch.as_tensor(args[0], dtype=dtype)), t=input) if input.dim() == 1 and kw.get('sorter') is None and "
		  "(bool(kw.get('right')) or kw.get('side') == 'right') is True else skip('rows, a sorter, or the "
		  "other side')",
	.source_path = __FILE__,
};
