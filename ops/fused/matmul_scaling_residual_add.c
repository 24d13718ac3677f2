#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	double factor = c->attr[0];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	struct ref linear = ref_copy(y);
	y = ref_add(ref_affine(y, factor, 0), linear);
	ref_free(linear);
	ref_store(c->out[0], y);
}

const struct op op_matmul_scaling_residual_add = {
	.name = "matmul_scaling_residual_add",
	.summary = "linear layer t; t * factor + t",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "factor", 0.5, false } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"y[m,n] = linear[m,n] * factor + linear[m,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/40/cpu" },
		{ "M=16384 N=4096 K=4096", OP_LARGE, NULL, "kb2/40" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "(lambda t: t * factor + t)(torch.nn.functional.linear(x, weight, bias))",
	.source_path = __FILE__,
};
