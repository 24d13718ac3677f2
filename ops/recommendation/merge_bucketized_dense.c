#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t F = c->dim[0], B = c->dim[1], K = c->dim[2];
	const double *x = c->in[0], *e = c->in[1], *off = c->in[2];
	double *y = c->out[0];

	for (int64_t f = 0; f < F; f++)
		for (int64_t b = 0; b < B; b++) {
			int64_t bucket = 0;
			while (bucket < K && x[f * B + b] >= e[f * K + bucket])
				bucket++;
			y[f * B + b] = off[f] + (double)bucket;
		}
}

const struct op op_merge_bucketized_dense = {
	.name = "merge_bucketized_dense",
	.aliases = "MergeBucketizedDense",
	.summary = "each feature's values in buckets between its borders, plus the feature's offset; "
		"a value on a border is in the bucket above it, NaN in the first",
	.dims = "F B K",
	.tensor = {
		{ "x", "F B", OP_IN, "T", OP_REAL, NULL },
		{ "e", "F K", OP_IN, "T", OP_SORTED, NULL },
		{ "off", "F", OP_IN, "i64", OP_REAL, NULL, .lo = 0, .hi = 1000 },
		{ "y", "F B", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "y[f,b] = off[f] + sum(k) (e[f,k] <= x[f,b])",
	.reference = reference,
	.flop = "F*B*K",
	.terms = "K",
	.dtypes = "f32 f64 i64 i32",
	.shape = {
		{ "F=2 B=2048 K=4", OP_FULL, "f32", "paper/merge_bucketized_dense/cpu" },
		{ "F=64 B=4096 K=8", OP_FULL, "f32" },
		{ "F=7 B=1001 K=5", OP_HELDOUT, "f32" },
		{ "F=2 B=64 K=2", OP_LARGE, "f32", "paper/merge_bucketized_dense" },
		{ "F=2 B=2048 K=4", OP_LARGE, "f32", "paper/merge_bucketized_dense" },
		{ "F=3 B=17 K=5", OP_CHECK, NULL },
		{ "F=1 B=1 K=1", OP_CHECK, NULL },
		{ "F=2 B=67 K=4", OP_CHECK, NULL },
		{ "F=9 B=5 K=11", OP_CHECK, NULL },
	},
	.torch = "off[:, None] + (e[:, None, :] <= x[:, :, None]).sum(2)",
	.source_path = __FILE__,
};
