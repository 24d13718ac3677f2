#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], K = c->dim[1];
	const double *ids = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < N * K; k++)
		y[k] = 0;
	for (int64_t n = 0; n < N; n++)
		y[n * K + (int64_t)ids[n]] = 1;
}

const struct op op_one_hot = {
	.name = "one_hot",
	.summary = "a row of zeros with a one at each index",
	.dims = "N K",
	.tensor = {
		{ "ids", "N", OP_IN, "i64", OP_INDEX, "K" },
		{ "y", "N K", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n,k] = ids[n] == k",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 i64 i32 bool",
	.shape = {
		{ "N=16384 K=64", OP_FULL, "f32" },
		{ "N=3001 K=33", OP_HELDOUT, "f32" },
		{ "N=5 K=3", OP_CHECK, NULL },
		{ "N=1 K=1", OP_CHECK, NULL },
		{ "N=67 K=5", OP_CHECK, NULL },
		{ "N=3 K=131", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.one_hot(ids, K)",
	.opinfo = "nn.functional.one_hot",
	.sample = "(lambda k: dict(ids=flat(input), K=k))(arg(0, 'num_classes', -1) if arg(0, 'num_classes', -1) "
		  "> 0 else int(input.max()) + 1)",
	.source_path = __FILE__,
};
