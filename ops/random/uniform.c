#include "ops/core/op.h"

#include "ops/core/rng.h"

/* In [0, 1), 24 bits. */
static double unit(int64_t seed, int64_t counter, int lane)
{
	return (philox((uint64_t)seed, (uint64_t)counter, lane) >> 8) * 0x1p-24;
}

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t SEED = (int64_t)c->attr[0];
	double lo = c->attr[1], hi = c->attr[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = lo + unit(SEED, k, 0) * (hi - lo);
}

const struct op op_uniform = {
	.name = "uniform",
	.aliases = "uniform_",
	.summary = "uniform in [lo, hi)",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true }, { "lo", 0, false }, { "hi", 1, false } },
	.require = "lo <= hi",
	.body = "y[n] = lo + (hi - lo) * uniform(SEED, n)",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=1048576 SEED=42 lo=-1 hi=3", OP_FULL, "f32" },
		{ "N=333001 SEED=42 lo=-1 hi=3", OP_HELDOUT, "f32" },
		{ "N=5 lo=-1 hi=3", OP_CHECK, NULL },
		{ "N=67 SEED=3 lo=-1 hi=3", OP_CHECK, NULL },
		{ "N=4099 SEED=42 lo=-1 hi=3", OP_CHECK, NULL },
		{ "N=3 SEED=7 lo=-1 hi=3", OP_CHECK, NULL },
		{ "N=1031 SEED=2", OP_CHECK, NULL },
	},
	.torch = "follows(lo + (hi - lo) * unit(SEED, N), lambda x: (x - lo) / (hi - lo), (lo + hi) / 2, "
		"(hi - lo) ** 2 / 12)",
	.source_path = __FILE__,
};
