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
	y = ref_clamp(y, lo, hi);
	y = ref_map(y, ref_gelu);
	ref_store(c->out[0], y);
}

const struct op op_gemm_scaling_hardtanh_gelu = {
	.name = "gemm_scaling_hardtanh_gelu",
	.summary = "linear layer, factor, hardtanh, GELU",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "factor", 0.5, false }, { "lo", -2, false }, { "hi", 2, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"y[m,n] = gelu(clamp(linear[m,n] * factor, lo, hi))",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/53/cpu" },
		{ "M=2048 N=8192 K=8192", OP_LARGE, NULL, "kb2/53" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.gelu(torch.clamp((torch.nn.functional.linear(x, "
		 "weight, bias) * factor), lo, hi))",
	.source_path = __FILE__,
};
