#include "ops/core/op.h"

#include "ops/core/rng.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t SEED = (int64_t)c->attr[0];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++) {
		uint32_t word = philox((uint64_t)SEED, (uint64_t)n, 0);
		int64_t at = n;
		for (; at > 0 && philox((uint64_t)SEED, (uint64_t)y[at - 1], 0) > word; at--)
			y[at] = y[at - 1];
		y[at] = (double)n;
	}
}

const struct op op_randperm = {
	.name = "randperm",
	.summary = "0..N-1 in random order: ranks of Philox words",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "SEED", 0, true } },
	.body = "q[n] = philox(SEED, n, 0); k[n] = sum(j<N) (q[j] < q[n] || q[j] == q[n] && j < n); "
		"y[o<N] = min(n if k[n] == o) n",
	.reference = reference,
	.flop = "0",
	.terms = "N",
	.dtypes = "f32",
	.shape = {
		{ "N=4096 SEED=42", OP_FULL, "f32" },
		{ "N=3001 SEED=42", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=67 SEED=3", OP_CHECK, NULL },
		{ "N=331 SEED=42", OP_CHECK, NULL },
		{ "N=1 SEED=7", OP_CHECK, NULL },
	},
	.torch = "torch.sort(philox(SEED, N), stable=True).indices",
	.source_path = __FILE__,
};
