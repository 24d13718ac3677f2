#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_map(y, ref_gelu);
	y = ref_softmax(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_matmul_gelu_softmax = {
	.name = "matmul_gelu_softmax",
	.summary = "linear layer, GELU, softmax of the row",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"active[m,n] = gelu(linear[m,n]); "
		"peak[m] = max(n) active[m,n]; "
		"total[m] = sum(n) exp(active[m,n] - peak[m]); "
		"y[m,n] = exp(active[m,n] - peak[m]) / total[m]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/99/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/99" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.softmax(torch.nn.functional.gelu(torch.nn.functional.linear(x, "
		 "weight, bias)), 1)",
	.source_path = __FILE__,
};
