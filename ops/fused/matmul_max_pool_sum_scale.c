#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	int64_t tile = (int64_t)c->attr[0];
	double factor = c->attr[1];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_max_tiles(y, 1, tile);
	y = ref_sum(y, 1);
	y = ref_affine(y, factor, 0);
	ref_store(c->out[0], y);
}

const struct op op_matmul_max_pool_sum_scale = {
	.name = "matmul_max_pool_sum_scale",
	.summary = "linear layer, maximum pool along the row, sum, factor",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "J", 2, true }, { "factor", 0.5, false } },
	.require = "J >= 1",
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"NP = N//J; "
		"tiles[m,p<NP] = max(q<J) linear[m,p*J+q]; "
		"sum[m] = sum(p<NP) tiles[m,p]; "
		"y[m] = sum[m] * factor",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((((N)//J)))",
	.dtypes = "f32",
	.shape = {
		{ "M=128 N=1024 K=2048", OP_FULL, NULL, "kb2/55/cpu" },
		{ "M=128 N=32768 K=32768", OP_LARGE, NULL, "kb2/55" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=3 N=5 K=7", OP_CHECK, NULL },
		{ "M=5 N=13 K=17", OP_CHECK, NULL },
		{ "M=1 N=2 K=1", OP_CHECK, NULL },
		{ "M=4 N=17 K=9 J=3", OP_CHECK, NULL },
	},
	.torch = "(torch.sum(torch.max_pool1d(torch.nn.functional.linear(x, weight, "
		 "bias)[:, None], J)[:, 0], 1) * factor)",
	.source_path = __FILE__,
};
