#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref most = REF(c->in[3], 1);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_affine(ref_clamp(y, -INFINITY, most.at[0]), 1, -most.at[0]);
	ref_store(c->out[0], y);
}

const struct op op_matmul_min_subtract = {
	.name = "matmul_min_subtract",
	.summary = "linear layer, at most a scalar, less that scalar",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "most", "", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"y[m,n] = minimum(linear[m,n], most) - most",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32",
	.shape = {
		{ "M=128 N=1024 K=2048", OP_FULL, NULL, "kb2/68/cpu" },
		{ "M=128 N=16384 K=16384", OP_LARGE, NULL, "kb2/68" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33", OP_CHECK, NULL },
		{ "M=4 N=67 K=19", OP_CHECK, NULL },
	},
	.torch = "torch.minimum(torch.nn.functional.linear(x, weight, bias), most) - most",
	.source_path = __FILE__,
};
