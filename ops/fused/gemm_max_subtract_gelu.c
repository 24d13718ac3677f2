#include "ops/core/op.h"
#include "ops/core/reference.h"

/*
 * KernelBench level 2, problem 80: the mean runs over an axis of extent 1.  Kept as the published arithmetic,
 * so that NaN and infinities come out as they do there.
 */
static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_max(y, 1);
	struct ref mean = ref_copy(y);
	y = ref_map(ref_subtract(y, mean), ref_gelu);
	ref_free(mean);
	ref_store(c->out[0], y);
}

const struct op op_gemm_max_subtract_gelu = {
	.name = "gemm_max_subtract_gelu",
	.summary = "linear layer, maximum of the row less the mean of that one number, "
		   "GELU: zero, or NaN where the maximum is not finite",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"most[m] = max(n) linear[m,n]; "
		"y[m] = gelu(most[m] - most[m])",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N))",
	.dtypes = "f32",
	.constant = "as published it subtracts from one number its own mean, 0 for all finite inputs",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/80/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/80" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
		{ "M=3 N=1 K=5", OP_CHECK, NULL },
	},
	.torch = "(lambda t: torch.nn.functional.gelu(t - "
		 "t))(torch.amax(torch.nn.functional.linear(x, weight, bias), 1))",
	.source_path = __FILE__,
};
