#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double slope = c->attr[0];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_logsumexp(y, 1);
	y = ref_leaky_relu(y, slope);
	y = ref_leaky_relu(y, slope);
	y = ref_map(y, ref_gelu);
	y = ref_map(y, ref_gelu);
	ref_store(c->out[0], y);
}

const struct op op_gemm_log_sum_exp_leaky_relu_leaky_relu_gelu_gelu = {
	.name = "gemm_log_sum_exp_leaky_relu_leaky_relu_gelu_gelu",
	.summary = "linear layer, log-sum-exp of the row, leaky ReLU twice, GELU twice",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "slope", 0.01, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; peak[m] = max(n) linear[m,n]; "
		"lse[m] = peak[m] == inf || peak[m] == -inf ? peak[m] : peak[m] + log(sum(n) exp(linear[m,n] - "
		"peak[m])); y[m] = gelu(gelu(leaky(leaky(lse[m], slope), slope)))",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/64/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/64" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
		{ "M=509 N=2 K=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.gelu(torch.nn.functional.gelu(torch.nn.functional.leaky_relu(torch.nn.functional.leaky_relu(torch.logsumexp(torch.nn.functional.linear(x, "
		 "weight, bias), 1), slope), slope)))",
	.source_path = __FILE__,
};
