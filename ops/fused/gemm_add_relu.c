#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, REF_NONE);
	y = ref_add(y, bias);
	y = ref_map(y, ref_relu);
	ref_store(c->out[0], y);
}

const struct op op_gemm_add_relu = {
	.name = "gemm_add_relu",
	.summary = "product with a weight, bias, ReLU",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = sum(k) x[m,k] * weight[n,k]; "
		"y[m,n] = relu((linear[m,n] + bias[n]))",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/76/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/76" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.relu((torch.nn.functional.linear(x, weight) + bias))",
	.source_path = __FILE__,
};
