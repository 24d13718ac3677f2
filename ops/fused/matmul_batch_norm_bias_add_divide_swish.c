#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double eps = c->attr[0], divisor = c->attr[1];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref scale = REF(c->in[3], n);
	struct ref shift = REF(c->in[4], n);
	struct ref addend = REF(c->in[5], 1);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_batch_norm(y, scale, shift, eps);
	y = ref_add(y, addend);
	y = ref_divide(y, divisor);
	y = ref_map(y, ref_silu);
	ref_store(c->out[0], y);
}

const struct op op_matmul_batch_norm_bias_add_divide_swish = {
	.name = "matmul_batch_norm_bias_add_divide_swish",
	.summary = "linear layer, batch norm (training), a scalar added, divided, swish",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "N", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "N", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "eps", 1e-05, false }, { "divisor", 1, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"mean[n] = sum(m) linear[m,n] / (M); "
		"variance[n] = sum(m) sq(linear[m,n] - mean[n]) / (M); "
		"y[m,n] = silu(((((linear[m,n] - mean[n]) * rsqrt(variance[n] + eps) * scale[n] + "
		"shift[n]) + addend)) / divisor)",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((M))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/97/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/97" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=9 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
		{ "M=6 N=4 K=5 divisor=2.5", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.silu(((torch.nn.functional.batch_norm(torch.nn.functional.linear(x, "
		 "weight, bias), None, None, scale, shift, True, 0, eps) + addend) / "
		 "divisor))",
	.source_path = __FILE__,
};
