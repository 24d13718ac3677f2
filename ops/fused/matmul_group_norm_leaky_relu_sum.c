#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	int64_t groups = (int64_t)c->attr[0];
	double eps = c->attr[1], slope = c->attr[2];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref scale = REF(c->in[3], n);
	struct ref shift = REF(c->in[4], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_group_norm(y, groups, scale, shift, eps);
	y = ref_leaky_relu(y, slope);
	y = ref_affine(y, 2, 0);
	ref_store(c->out[0], y);
}

const struct op op_matmul_group_norm_leaky_relu_sum = {
	.name = "matmul_group_norm_leaky_relu_sum",
	.summary = "linear layer, group norm, leaky ReLU, doubled",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "N", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "G", 512, true }, { "eps", 1e-05, false }, { "slope", 0.01, false } },
	.require = "G >= 1; N % G == 0",
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"E = N//G; "
		"mean[m,g<G] = sum(e<E) linear[m,g*E+e] / (E); "
		"variance[m,g<G] = sum(e<E) sq(linear[m,g*E+e] - mean[m,g]) / (E); "
		"active[m,n] = leaky(((linear[m,n] - mean[m,n//E]) * rsqrt(variance[m,n//E] + eps) "
		"* scale[n] + shift[n]), slope); "
		"y[m,n] = active[m,n] + active[m,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((N//G))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/62/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/62" },
		{ "M=77 N=1536 K=300", OP_HELDOUT, NULL },
		{ "M=2 N=2048 K=3", OP_CHECK, NULL },
		{ "M=3 N=24 K=5 G=3", OP_CHECK, NULL },
		{ "M=5 N=10 K=7 G=2", OP_CHECK, NULL },
	},
	.torch = "(lambda t: t + "
		 "t)(torch.nn.functional.leaky_relu(torch.group_norm(torch.nn.functional.linear(x, "
		 "weight, bias), G, scale, shift, eps), slope))",
	.source_path = __FILE__,
};
