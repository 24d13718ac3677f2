#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], n = c->dim[1], k = c->dim[2];
	int64_t tile = (int64_t)c->attr[0];
	double factor = c->attr[1];
	struct ref x = REF(c->in[0], m, k);
	struct ref weight = REF(c->in[1], n, k);
	struct ref bias = REF(c->in[2], n);

	struct ref y = ref_linear(x, weight, bias);
	y = ref_avg_tiles(y, 1, tile);
	y = ref_map(y, ref_gelu);
	y = ref_affine(y, factor, 0);
	y = ref_max(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_matmul_avg_pool_gelu_scale_max = {
	.name = "matmul_avg_pool_gelu_scale_max",
	.summary = "linear layer, average pool along the row, GELU, factor, maximum of "
		   "the row",
	.dims = "M N K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "N K", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "N", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "J", 16, true }, { "factor", 2, false } },
	.require = "J >= 1",
	.body = "linear[m,n] = bias[n] + sum(k) x[m,k] * weight[n,k]; "
		"NP = N//J; "
		"tiles[m,p<NP] = sum(q<J) linear[m,p*J+q] / J; "
		"scaled[m,p<NP] = gelu(tiles[m,p]) * factor; "
		"y[m] = max(p<NP) scaled[m,p]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K*((((N)//J)))",
	.dtypes = "f32",
	.shape = {
		{ "M=512 N=1024 K=1024", OP_FULL, NULL, "kb2/98/cpu" },
		{ "M=1024 N=8192 K=8192", OP_LARGE, NULL, "kb2/98" },
		{ "M=77 N=333 K=300", OP_HELDOUT, NULL },
		{ "M=3 N=33 K=7", OP_CHECK, NULL },
		{ "M=5 N=83 K=17", OP_CHECK, NULL },
		{ "M=1 N=16 K=1", OP_CHECK, NULL },
		{ "M=4 N=17 K=9 J=3", OP_CHECK, NULL },
	},
	.torch = "torch.amax((torch.nn.functional.gelu(torch.nn.functional.avg_pool1d(torch.nn.functional.linear(x, "
		 "weight, bias)[:, None], J)[:, 0]) * factor), 1)",
	.source_path = __FILE__,
};
