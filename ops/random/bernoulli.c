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
	const double *p = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = unit(SEED, k, 0) < p[k];
}

const struct op op_bernoulli = {
	.name = "bernoulli",
	.aliases = "bernoulli_",
	.summary = "true with each element's probability",
	.dims = "N",
	.tensor = {
		{ "p", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1 },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true } },
	.body = "y[n] = uniform(SEED, n) < p[n] ? 1 : 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=1048576 SEED=42", OP_FULL, "f32" },
		{ "N=333001 SEED=42", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=67 SEED=3", OP_CHECK, NULL },
		{ "N=67 SEED=166178", OP_CHECK, NULL }, /* draws 0 at 24, where a probability is 0 */
		{ "N=4099 SEED=42", OP_CHECK, NULL },
		{ "N=3 SEED=7", OP_CHECK, NULL },
	},
	.torch = "(unit(SEED, N) < p).double()",
	.source_path = __FILE__,
};
