#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *x = c->in[0];
	double *y = c->out[0], *inverse = c->out[1], *counts = c->out[2], *count = c->out[3];

	int64_t found = 0;

	for (int64_t n = 0; n < N; n++) {
		/* Insertion into the sorted list of those met so far. */
		int64_t at = found;
		while (at > 0 && (x[n] < y[at - 1] || (isnan(y[at - 1]) && !isnan(x[n]))))
			at--;
		if (at > 0 && y[at - 1] == x[n]) {
			at--;
		} else {
			for (int64_t k = found++; k > at; k--) {
				y[k] = y[k - 1];
				counts[k] = counts[k - 1];
			}
			y[at] = x[n];
			counts[at] = 0;
			for (int64_t k = 0; k < n; k++)
				inverse[k] += inverse[k] >= (double)at;
		}
		counts[at]++;
		inverse[n] = (double)at;
	}
	*count = (double)found;
	for (int64_t n = found; n < N; n++)
		y[n] = counts[n] = 0;
}

const struct op op__unique2 = {
	.name = "_unique2",
	.aliases = "unique",
	.summary = "the distinct values in ascending order, the rest of y 0; where each element's value went; "
		"how often each value occurs, the rest 0; their count. NaN is like no other",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
		{ "inverse", "N", OP_OUT, "i64", OP_REAL, NULL },
		{ "counts", "N", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "f[n] = (sum(j<n) (x[j] == x[n])) == 0; count = sum(n) f[n]; "
		"inverse[n] = sum(j<N if f[j]) (x[j] < x[n] || x[n] != x[n] && (x[j] == x[j] || j < n)); "
		"y[u<N] = u < count ? max(n if inverse[n] == u) x[n] : 0; counts[u<N] = sum(n) (inverse[n] == u)",
	.reference = reference,
	.flop = "0",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=1024", OP_FULL, "f32" },
		{ "N=777", OP_HELDOUT, "f32" },
		{ "N=17", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=131", OP_CHECK, NULL },
	},
	.torch = "(lambda u: (torch.cat([u[0], torch.zeros(N - len(u[0]), dtype=x.dtype)]), u[1], "
		"torch.cat([u[2], torch.zeros(N - len(u[2]), dtype=torch.int64)]), "
		"torch.tensor(len(u[0]))))(torch.unique(x, return_inverse=True, return_counts=True))",
	.opinfo = "unique",
	.sample = "dict(x=flat(input), out=lambda u, i, c: (torch.cat([u, u.new_zeros(input.numel() - len(u))]), "
		  "flat(i), torch.cat([c, c.new_zeros(input.numel() - len(c))]), torch.tensor(len(u)))) if "
		  "kw.get('return_inverse') and kw.get('sorted', True) and kw.get('return_counts') and "
		  "kw.get('dim') is None else skip('fewer results, or along a dimension')",
	.source_path = __FILE__,
};
