#include "ops/core/op.h"

#include <math.h>

/* Does a come before b?  NaN is greatest. */
static bool precedes(double a, double b, bool descending)
{
	if (isnan(a) || isnan(b))
		return descending ? isnan(a) && !isnan(b) : isnan(b) && !isnan(a);
	return descending ? a > b : a < b;
}

/* Does element n of x come after element m, in stable order? */
static bool follows(const double *x, int64_t n, int64_t m, bool descending)
{
	return precedes(x[m], x[n], descending) || (!precedes(x[n], x[m], descending) && n > m);
}

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1], K = c->dim[2];
	const double *x = c->in[0];
	double *y = c->out[0], *i = c->out[1];

	for (int64_t r = 0; r < R; r++, x += C)
		for (int64_t k = 0; k < K; k++) {
			int64_t best = -1;
			for (int64_t n = 0; n < C; n++)
				if ((!k || follows(x, n, (int64_t)i[r * K + k - 1], false)) && (best < 0 || precedes(x[n], x[best], false)))
					best = n;
			i[r * K + k] = (double)best;
			y[r * K + k] = x[best];
		}
}

const struct op op_topk_smallest = {
	.name = "topk_smallest",
	.summary = "the K least elements of each row in order, and where they stood; of equal ones the first",
	.dims = "R C K",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R K", OP_OUT, "T", OP_REAL, NULL },
		{ "i", "R K", OP_OUT, "i64", OP_REAL, NULL },
	},
	.require = "K <= C",
	.body = "rank[r,c] = sum(j<C) (x[r,j] < x[r,c] || x[r,c] != x[r,c] && x[r,j] == x[r,j] || "
		"(x[r,j] == x[r,c] || x[r,j] != x[r,j] && x[r,c] != x[r,c]) && j < c); "
		"i[r,k] = min(c if rank[r,c] == k) c; y[r,k] = max(c if rank[r,c] == k) x[r,c]",
	.reference = reference,
	.flop = "0",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "R=64 C=1024 K=16", OP_FULL, "f32" },
		{ "R=33 C=777 K=7", OP_HELDOUT, "f32" },
		{ "R=3 C=5 K=2", OP_CHECK, NULL },
		{ "R=1 C=1 K=1", OP_CHECK, NULL },
		{ "R=2 C=131 K=17", OP_CHECK, NULL },
		{ "R=7 C=16 K=16", OP_CHECK, NULL },
	},
	.torch = "(lambda s: (s.values[:, :K], s.indices[:, :K]))(torch.sort(x, dim=1, stable=True, "
		"descending=False))",
	.opinfo = "topk",
	.sample = "(lambda d: dict(x=rows(input, d), K=args[0], want=[rows(t, d) for t in torch.topk(input, "
		  "args[0], d, largest=False)]))(arg(1, 'dim', -1)) if dtype in (torch.float32, torch.float64) "
		  "else skip('ties')",
	.source_path = __FILE__,
};
