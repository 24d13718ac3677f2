#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static void reference(const struct op_case *c)
{
	int64_t C = c->dim[1];
	double *s = malloc((size_t)C * sizeof(*s)), at = c->attr[0] * (double)(C - 1);

	if (!s)
		abort();
	for (int64_t r = 0; r < c->dim[0]; r++) {
		const double *x = c->in[0] + r * C;
		bool has_nan = false;
		for (int64_t i = 0; i < C; i++) {
			int64_t k = i;
			has_nan |= isnan(x[i]);
			for (; k > 0 && s[k - 1] > x[i]; k--)
				s[k] = s[k - 1];
			s[k] = x[i];
		}
		int64_t low = (int64_t)floor(at), high = low + 1 < C ? low + 1 : C - 1;
		c->out[0][r] = has_nan ? NAN : s[low] + (at - (double)low) * (s[high] - s[low]);
	}
	free(s);
}

const struct op op_quantile = {
	.name = "quantile",
	.summary = "the value below which a share of each row lies, interpolated",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "q", 0.3, false } },
	.require = "q >= 0; q <= 1",
	.body = "k[r,c] = sum(j<C) (x[r,j] < x[r,c] || x[r,j] == x[r,c] && j < c); "
		"z[r] = sum(c) (x[r,c] != x[r,c]); at = q * (C - 1); "
		"a[r] = max(c if k[r,c] == i64(floor(at))) x[r,c]; "
		"b[r] = max(c if k[r,c] == minimum(i64(floor(at)) + 1, C - 1)) x[r,c]; "
		"y[r] = z[r] > 0 ? 0 * inf : a[r] + (at - floor(at)) * (b[r] - a[r])",
	.reference = reference,
	.flop = "R*C*C",
	.terms = "C",
	.dtypes = "f32 f64",
	.shape = {
		{ "R=512 C=512", OP_FULL, "f32" },
		{ "R=77 C=333", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=4 C=33 q=0.9", OP_CHECK, NULL },
	},
	.torch = "torch.quantile(x, q, dim=1)",
	.opinfo = "quantile",
	.sample = "(lambda d: dict(x=rows(input, d), q=number(args[0]), want=flat(torch.quantile(input, "
		  "number(args[0]), dim=d))))(kw.get('dim', 0)) if isinstance(args[0], float) or args[0].numel() "
		  "== 1 else skip('several quantiles')",
	.source_path = __FILE__,
};
