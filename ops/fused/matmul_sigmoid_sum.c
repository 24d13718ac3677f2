#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_map(y, ref_sigmoid);
	y = ref_sum(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_matmul_sigmoid_sum = {
	.name = "matmul_sigmoid_sum",
	.summary = "linear layer, sigmoid, sum over the row",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"active[m,n] = sigmoid(linear[m,n]); "
		"y[m] = sum(n) active[m,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N))",
	.dtypes = "f32",
	.shape = {
		{ "M=128 N=1024 K=2048", OP_FULL, NULL, "kb2/56/cpu" },
		{ "M=128 N=32768 K=32768", OP_LARGE, NULL, "kb2/56" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.sum(torch.sigmoid(torch.nn.functional.linear(x, weight, bias)), "
		 "1)",
	.source_path = __FILE__,
};
