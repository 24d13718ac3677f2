#include "ops/core/op.h"
#include "ops/core/reference.h"

/*
 * KernelBench level 2, problem 28: the instance norm sees each row as one channel of one image.
 */
static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double eps = c->attr[0];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref r = REF(c->in[3], m, n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_layer_norm(y, REF_NONE, REF_NONE, eps);
	y = ref_multiply(ref_add(y, r), r);
	ref_store(c->out[0], y);
}

const struct op op_bmm_instance_norm_sum_residual_add_multiply = {
	.name = "bmm_instance_norm_sum_residual_add_multiply",
	.summary = "linear layer, each row normalised, plus r, times r",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "r", "M N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "eps", 1e-05, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"mean[m] = sum(n) linear[m,n] / N; "
		"variance[m] = sum(n) sq(linear[m,n] - mean[m]) / N; "
		"y[m,n] = ((linear[m,n] - mean[m]) * rsqrt(variance[m] + eps) + r[m,n]) * r[m,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*(N)",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/28/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/28" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=9 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "(torch.layer_norm(torch.nn.functional.linear(x, weight, bias), [N], "
		 "None, None, eps) + r) * r",
	.source_path = __FILE__,
};
