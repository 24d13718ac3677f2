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
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = gauss(SEED, k);
}

const struct op op_randn = {
	.name = "randn",
	.aliases = "randn_like",
	.summary = "standard normal, by Box and Muller",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true } },
	.body = "y[n] = sqrt(-2 * log(uniform(SEED, n) + "
		"5.9604644775390625e-08)) * cos(3.7450702829239286e-07 * shr(philox(SEED, n, 1), 8))",
	.reference = reference,
	.flop = "20*N",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=1048576 SEED=42", OP_FULL, "f32" },
		{ "N=333001 SEED=42", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=67 SEED=3", OP_CHECK, NULL },
		{ "N=4099 SEED=42", OP_CHECK, NULL },
		{ "N=3 SEED=7", OP_CHECK, NULL },
	},
	.torch = "follows(gauss(SEED, N), normal_cdf, 0, 1)",
	.source_path = __FILE__,
};
