#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double divisor = c->attr[0], lo = c->attr[1], hi = c->attr[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_map(y, ref_silu);
	y = ref_divide(y, divisor);
	y = ref_clamp(y, lo, hi);
	y = ref_map(y, tanh);
	y = ref_clamp(y, lo, hi);
	ref_store(c->out[0], y);
}

const struct op op_gemm_swish_divide_clamp_tanh_clamp = {
	.name = "gemm_swish_divide_clamp_tanh_clamp",
	.summary = "linear layer, swish, divided, clamp, tanh, clamp",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "divisor", 2, false }, { "lo", -1, false }, { "hi", 1, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"y[m,n] = clamp(tanh(clamp(silu(linear[m,n]) / divisor, lo, hi)), lo, hi)",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/81/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/81" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.clamp(torch.tanh(torch.clamp((torch.nn.functional.silu(torch.nn.functional.linear(x, "
		 "weight, bias)) / divisor), lo, hi)), lo, hi)",
	.source_path = __FILE__,
};
