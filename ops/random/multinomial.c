#include "ops/core/op.h"

#include "ops/core/rng.h"

/* In [0, 1), 24 bits. */
static double unit(int64_t seed, int64_t counter, int lane)
{
	return (philox((uint64_t)seed, (uint64_t)counter, lane) >> 8) * 0x1p-24;
}

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], K = c->dim[1];
	int64_t SEED = (int64_t)c->attr[0];
	const double *p = c->in[0];
	double *y = c->out[0];

	double total = 0;

	for (int64_t n = 0; n < N; n++)
		total += p[n];
	for (int64_t k = 0; k < K; k++) {
		double below = 0, limit = unit(SEED, k, 0) * total;
		int64_t n = 0;
		while (n < N - 1 && (below += p[n]) <= limit)
			n++;
		y[k] = (double)n;
	}
}

const struct op op_multinomial = {
	.name = "multinomial",
	.summary = "K samples of 0..N-1 with replacement, as likely as the weights say",
	.dims = "N K",
	.tensor = {
		{ "p", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "y", "K", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true } },
	.body = "s[n] = sum(j<=n) p[j]; y[k] = sum(n<N-1) (s[n] <= uniform(SEED, k) * s[N-1])",
	.reference = reference,
	.flop = "N",
	.terms = "N",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=512 K=16384 SEED=42", OP_FULL, "f32" },
		{ "N=301 K=3001 SEED=42", OP_HELDOUT, "f32" },
		{ "N=5 K=3", OP_CHECK, NULL },
		{ "N=7 K=2003 SEED=42", OP_CHECK, NULL },
		{ "N=1 K=1 SEED=3", OP_CHECK, NULL },
		{ "N=33 K=67 SEED=3", OP_CHECK, NULL },
		{ "N=7 K=67 SEED=166178", OP_CHECK, NULL }, /* draws 0 at 24: not a first element of weight 0 */
	},
	.torch = "occurs((torch.cumsum(p, 0)[None] <= (unit(SEED, K) * p.sum())[:, "
		"None]).sum(1).clamp(max=N - 1), p)",
	.source_path = __FILE__,
};
