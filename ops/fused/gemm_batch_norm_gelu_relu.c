#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double eps = c->attr[0];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref scale = REF(c->in[3], n);
	struct ref shift = REF(c->in[4], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_batch_norm(y, scale, shift, eps);
	y = ref_map(y, ref_gelu);
	y = ref_map(y, ref_relu);
	ref_store(c->out[0], y);
}

const struct op op_gemm_batch_norm_gelu_relu = {
	.name = "gemm_batch_norm_gelu_relu",
	.summary = "linear layer, batch norm (training), GELU, ReLU",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "N", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "eps", 1e-05, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"mean[n] = sum(m) linear[m,n] / (M); "
		"variance[n] = sum(m) sq(linear[m,n] - mean[n]) / (M); "
		"y[m,n] = relu(gelu(((linear[m,n] - mean[n]) * rsqrt(variance[n] + eps) * scale[n] "
		"+ shift[n])))",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((M))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/41/cpu" },
		{ "M=16384 N=4096 K=4096", OP_LARGE, NULL, "kb2/41" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=9 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.relu(torch.nn.functional.gelu(torch.nn.functional.batch_norm(torch.nn.functional.linear(x, "
		 "weight, bias), None, None, scale, shift, True, 0, eps)))",
	.source_path = __FILE__,
};
