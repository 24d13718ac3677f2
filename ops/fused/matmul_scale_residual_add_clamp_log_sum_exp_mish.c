#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double factor = c->attr[0], lo = c->attr[1], hi = c->attr[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_affine(y, factor, 0);
	y = ref_affine(y, 2, 0);
	y = ref_clamp(y, lo, hi);
	y = ref_logsumexp(y, 1);
	struct ref same = ref_copy(y);
	y = ref_multiply(ref_map(y, ref_mish), same);
	ref_free(same);
	ref_store(c->out[0], y);
}

const struct op op_matmul_scale_residual_add_clamp_log_sum_exp_mish = {
	.name = "matmul_scale_residual_add_clamp_log_sum_exp_mish",
	.summary = "linear layer, factor, doubled, clamped, log-sum-exp l of the row; l * "
		   "mish(l)",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "factor", 2, false }, { "lo", -10, false }, { "hi", 10, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; scaled[m,n] = linear[m,n] * "
		"factor; clamped[m,n] = clamp(scaled[m,n] + scaled[m,n], lo, hi); peak[m] = max(n) "
		"clamped[m,n]; lse[m] = peak[m] + log(sum(n) "
		"exp(clamped[m,n] - peak[m])); y[m] = lse[m] * mish(lse[m])",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/22/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/22" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "(lambda t: t * "
		 "torch.nn.functional.mish(t))(torch.logsumexp(torch.clamp((lambda t: t + "
		 "t)((torch.nn.functional.linear(x, weight, bias) * factor)), lo, hi), "
		 "1))",
	.source_path = __FILE__,
};
