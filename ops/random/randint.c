#include "ops/core/op.h"

#include "ops/core/rng.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t SEED = (int64_t)c->attr[0], lo = (int64_t)c->attr[1], hi = (int64_t)c->attr[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = (double)(lo + (int64_t)(((uint64_t)philox((uint64_t)SEED, (uint64_t)k, 0) * (uint64_t)(hi - lo)) >> 32));
}

const struct op op_randint = {
	.name = "randint",
	.aliases = "randint_like",
	.summary = "integers in lo..hi-1, each as likely",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true }, { "lo", 0, true }, { "hi", 10, true } },
	.require = "lo < hi",
	.body = "y[n] = lo + shr(philox(SEED, n, 0) * (hi - lo), 32)",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32",
	.shape = {
		{ "N=1048576 SEED=42", OP_FULL, "f32" },
		{ "N=333001 SEED=42", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=67 SEED=3 lo=2 hi=1000", OP_CHECK, NULL },
		{ "N=4099 SEED=42", OP_CHECK, NULL },
		{ "N=1 SEED=7", OP_CHECK, NULL },
	},
	.torch = "occurs(philox(SEED, N) * (hi - lo) >> 32, torch.ones(hi - lo)) + lo",
	.source_path = __FILE__,
};
