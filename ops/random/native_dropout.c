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
	double p = c->attr[1];
	const double *x = c->in[0];
	double *y = c->out[0], *kept = c->out[1];

	for (int64_t k = 0; k < N; k++) {
		kept[k] = unit(SEED, k, 0) >= p;
		y[k] = kept[k] != 0 ? x[k] * (1 / (1 - p)) : 0;
	}
}

const struct op op_native_dropout = {
	.name = "native_dropout",
	.aliases = "dropout",
	.summary = "elements kept with probability 1 - p and scaled by its inverse, and which were kept",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
		{ "kept", "N", OP_OUT, "bool", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true }, { "p", 0.5, false } },
	.require = "p >= 0; p <= 1",
	.body = "kept[n] = uniform(SEED, n) >= p; y[n] = kept[n] ? x[n] / (1 - p) : 0",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=1048576 SEED=42 p=0.25", OP_FULL, "f32" },
		{ "N=333001 SEED=42 p=0.25", OP_HELDOUT, "f32" },
		{ "N=5 p=0.25", OP_CHECK, NULL },
		{ "N=67 SEED=3 p=0.25", OP_CHECK, NULL },
		{ "N=4099 SEED=42 p=0.25", OP_CHECK, NULL },
		{ "N=3 SEED=7 p=0.25", OP_CHECK, NULL },
		{ "N=1031 SEED=2", OP_CHECK, NULL },
		{ "N=67 SEED=2 p=0.15354269742965698", OP_CHECK, NULL },
	},
	.torch = "(lambda k: (torch.where(k, x.double() / (1 - p), 0.0), k))(unit(SEED, N) >= p)",
	.source_path = __FILE__,
};
