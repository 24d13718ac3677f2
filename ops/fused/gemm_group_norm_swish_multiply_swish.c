#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	int64_t groups = (int64_t)c->attr[0];
	double eps = c->attr[1];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref scale = REF(c->in[3], n);
	struct ref shift = REF(c->in[4], n);
	struct ref factor = REF(c->in[5], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_group_norm(y, groups, scale, shift, eps);
	y = ref_map(y, ref_silu);
	y = ref_multiply(y, factor);
	y = ref_map(y, ref_silu);
	ref_store(c->out[0], y);
}

const struct op op_gemm_group_norm_swish_multiply_swish = {
	.name = "gemm_group_norm_swish_multiply_swish",
	.summary = "linear layer, group norm, swish, factor a column, swish",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "N", OP_IN, "T", OP_REAL, NULL, .lo = -2, .hi = 2 },
		    { "shift", "N", OP_IN, "T", OP_REAL, NULL, .lo = -2, .hi = 2 },
		    { "factor", "N", OP_IN, "T", OP_REAL, NULL, .lo = -2, .hi = 2 },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "G", 256, true }, { "eps", 1e-05, false } },
	.require = "G >= 1; N % G == 0",
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"E = N//G; "
		"mean[m,g<G] = sum(e<E) linear[m,g*E+e] / (E); "
		"variance[m,g<G] = sum(e<E) sq(linear[m,g*E+e] - mean[m,g]) / (E); "
		"y[m,n] = silu((silu(((linear[m,n] - mean[m,n//E]) * rsqrt(variance[m,n//E] + eps) "
		"* scale[n] + shift[n]))) * factor[n])",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N//G))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/88/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/88" },
		{ "M=77 N=768 K=300", OP_HELDOUT, NULL },
		{ "M=2 N=1024 K=3", OP_CHECK, NULL },
		{ "M=3 N=24 K=5 G=3", OP_CHECK, NULL },
		{ "M=5 N=10 K=7 G=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.silu((torch.nn.functional.silu(torch.group_norm(torch.nn.functional.linear(x, "
		 "weight, bias), G, scale, shift, eps)) * factor))",
	.source_path = __FILE__,
};
