#include "ops/core/op.h"

#include <math.h>
#include "ops/core/rng.h"

/* In [0, 1), 24 bits. */
static double unit(int64_t seed, int64_t counter, int lane)
{
	return (philox((uint64_t)seed, (uint64_t)counter, lane) >> 8) * 0x1p-24;
}

/* Box and Muller's, from two lanes of one block. */
static double gauss(int64_t seed, int64_t counter)
{
	double radius = sqrt(-2 * log(unit(seed, counter, 0) + 0x1p-24));

	return radius * cos(6.283185307179586477 * unit(seed, counter, 1));
}

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t SEED = (int64_t)c->attr[0];
	double mean = c->attr[1], std = c->attr[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = mean + std * gauss(SEED, k);
}

const struct op op_normal = {
	.name = "normal",
	.aliases = "normal_",
	.summary = "normal of given mean and standard deviation",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true }, { "mean", 0, false }, { "std", 1, false } },
	.require = "std >= 0",
	.body = "y[n] = mean + std * (sqrt(-2 * log(uniform(SEED, n) + "
		"5.9604644775390625e-08)) * cos(3.7450702829239286e-07 * shr(philox(SEED, n, 1), 8)))",
	.reference = reference,
	.flop = "22*N",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=1048576 SEED=42 mean=2 std=0.5", OP_FULL, "f32" },
		{ "N=333001 SEED=42 mean=2 std=0.5", OP_HELDOUT, "f32" },
		{ "N=5 mean=2 std=0.5", OP_CHECK, NULL },
		{ "N=67 SEED=3 mean=2 std=0.5", OP_CHECK, NULL },
		{ "N=4099 SEED=42 mean=2 std=0.5", OP_CHECK, NULL },
		{ "N=3 SEED=7 mean=2 std=0.5", OP_CHECK, NULL },
		{ "N=1031 SEED=2", OP_CHECK, NULL },
	},
	.torch = "follows(mean + std * gauss(SEED, N), lambda x: normal_cdf(x, mean, std), mean, std ** 2)",
	.source_path = __FILE__,
};
