#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2], o = c->dim[3];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);
	struct ref weight2 = REF(c->in[3], o, n);
	struct ref bias2 = REF(c->in[4], o);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_map(y, ref_sigmoid);
	y = ref_linear(y, weight2, bias2);
	y = ref_logsumexp(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_gemm_sigmoid_log_sum_exp = {
	.name = "gemm_sigmoid_log_sum_exp",
	.summary = "linear layer, sigmoid, a second linear layer, log-sum-exp of the row",
	.dims = "M N K O",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "weight2", "O N", OP_IN, "T", OP_REAL, NULL },
		    { "bias2", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; hidden[m,n] = "
		"sigmoid(linear[m,n]); linear2[m,o] = bias2[o] + sum(n) hidden[m,n] * weight2[o,n]; "
		"peak[m] = max(o) linear2[m,o]; y[m] = peak[m] == inf || peak[m] == -inf ? peak[m] : peak[m] + "
		"log(sum(o) exp(linear2[m,o] - peak[m]))",
	.reference = reference,
	.flop = "2*M*N*K+2*M*O*N",
	.terms = "K*(N)",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024 O=1024", OP_FULL, NULL, "kb2/45/cpu" },
		{ "M=16384 N=4096 K=2048 O=1024", OP_LARGE, NULL, "kb2/45" },
		{ "M=77 N=333 K=300 O=45", OP_HELDOUT, NULL },
		{ "M=5 N=3 K=7 O=7", OP_CHECK, NULL },
		{ "M=1 N=1 K=1 O=1", OP_CHECK, NULL },
		{ "M=17 N=35 K=33 O=7", OP_CHECK, NULL },
		{ "M=4 N=67 K=19 O=7", OP_CHECK, NULL },
	},
	.torch = "torch.logsumexp(torch.nn.functional.linear(torch.sigmoid(torch.nn.functional.linear(x, "
		 "weight, bias)), weight2, bias2), 1)",
	.source_path = __FILE__,
};
