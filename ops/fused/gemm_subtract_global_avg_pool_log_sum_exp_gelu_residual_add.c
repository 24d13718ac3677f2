#include "ops/core/op.h"
#include "ops/core/reference.h"

/*
 * KernelBench level 2, problem 51: the log-sum-exp runs over an axis of extent 1.
 */
static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref subtrahend = REF(c->in[3], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_subtract(y, subtrahend);
	y = ref_mean(y, 1);
	y = ref_map(y, ref_gelu);
	struct ref sum = ref_add(ref_copy(x), y);
	ref_free(y);
	ref_store(c->out[0], sum);
}

const struct op op_gemm_subtract_global_avg_pool_log_sum_exp_gelu_residual_add = {
	.name = "gemm_subtract_global_avg_pool_log_sum_exp_gelu_residual_add",
	.summary = "linear layer less a value a column, mean over the row, GELU, added to "
		   "the input",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "subtrahend", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M K", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"shifted[m,n] = (linear[m,n] - subtrahend[n]); "
		"mean[m] = sum(n) shifted[m,n] / N; "
		"active[m] = gelu(mean[m]); "
		"y[m,k] = active[m] + x[m,k]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/51/cpu" },
		{ "M=2048 N=8192 K=8192", OP_LARGE, NULL, "kb2/51" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.gelu(torch.mean((torch.nn.functional.linear(x, "
		 "weight, bias) - subtrahend), 1))[:, None] + x",
	.source_path = __FILE__,
};
