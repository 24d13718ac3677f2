#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *x = c->in[0];
	double *y = c->out[0], *inverse = c->out[1], *counts = c->out[2], *count = c->out[3];

	int64_t run = -1;

	for (int64_t n = 0; n < N; n++) {
		if (n == 0 || x[n] != x[n - 1]) {
			y[++run] = x[n];
			counts[run] = 0;
		}
		counts[run]++;
		inverse[n] = (double)run;
	}
	*count = (double)(run + 1);
	for (int64_t n = run + 1; n < N; n++)
		y[n] = counts[n] = 0;
}

const struct op op_unique_consecutive = {
	.name = "unique_consecutive",
	.summary = "values that differ from the one before, the rest of y 0; the run of each element; "
		"the length of each run, the rest 0; their count",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 2 },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
		{ "inverse", "N", OP_OUT, "i64", OP_REAL, NULL },
		{ "counts", "N", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "f[n] = n == 0 || x[n] != (x[n-1] else 0); k[n] = sum(j<=n) f[j]; count = k[N-1]; "
		"inverse[n] = k[n] - 1; at[u<N] = sum(n<N-1) (k[n] <= u); y[u<N] = u < count ? x[at[u]] : 0; "
		"counts[u<N] = u < count ? (u + 1 < count ? at[u+1] else N : N) - at[u] : 0",
	.reference = reference,
	.flop = "0",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=4096", OP_FULL, "f32" },
		{ "N=3001", OP_HELDOUT, "f32" },
		{ "N=17", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=131", OP_CHECK, NULL },
	},
	.torch = "(lambda u: (torch.cat([u[0], torch.zeros(N - len(u[0]), dtype=x.dtype)]), u[1], "
		"torch.cat([u[2], torch.zeros(N - len(u[2]), dtype=torch.int64)]), "
		"torch.tensor(len(u[0]))))(torch.unique_consecutive(x, return_inverse=True, return_counts=True))",
	.opinfo = "unique_consecutive",
	.sample = "dict(x=flat(input), out=lambda u, i, c: (torch.cat([u, u.new_zeros(input.numel() - len(u))]), "
		  "flat(i), torch.cat([c, c.new_zeros(input.numel() - len(c))]), torch.tensor(len(u)))) if "
		  "kw.get('return_inverse') and kw.get('return_counts') and kw.get('dim') is None else "
		  "skip('fewer results, or along a dimension')",
	.source_path = __FILE__,
};
