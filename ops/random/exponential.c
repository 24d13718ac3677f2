#include "ops/core/op.h"

#include <math.h>
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
	double rate = c->attr[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = -log(unit(SEED, k, 0) + 0x1p-24) / rate;
}

const struct op op_exponential = {
	.name = "exponential",
	.aliases = "exponential_",
	.summary = "exponential of rate lambda",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true }, { "rate", 1, false } },
	.require = "rate > 0",
	.body = "y[n] = -log(uniform(SEED, n) + 5.9604644775390625e-08) / rate",
	.reference = reference,
	.flop = "10*N",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=1048576 SEED=42 rate=2", OP_FULL, "f32" },
		{ "N=333001 SEED=42 rate=2", OP_HELDOUT, "f32" },
		{ "N=5 rate=2", OP_CHECK, NULL },
		{ "N=67 SEED=3 rate=2", OP_CHECK, NULL },
		{ "N=4099 SEED=42 rate=2", OP_CHECK, NULL },
		{ "N=3 SEED=7 rate=2", OP_CHECK, NULL },
		{ "N=1031 SEED=2", OP_CHECK, NULL },
	},
	.torch = "follows(-torch.log(unit(SEED, N) + 2.0**-24) / rate, lambda x: 1 - torch.exp(-rate * x), "
		"1 / rate, 1 / rate ** 2)",
	.source_path = __FILE__,
};
