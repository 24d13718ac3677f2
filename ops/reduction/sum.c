#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	for (int64_t m = 0; m < c->dim[0]; m++) {
		double s = 0;
		for (int64_t k = 0; k < c->dim[1]; k++)
			s += c->in[0][m * c->dim[1] + k];
		c->out[0][m] = s;
	}
}

const struct op op_sum = {
	.name = "sum",
	.summary = "sum over the last dimension",
	.dims = "M K",
	.tensor = { { "x", "M K", OP_IN, "T", OP_REAL, NULL }, { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[m] = sum(k) x[m,k]",
	.reference = reference,
	.flop = "M*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=2048 K=2048", OP_SEARCH, "f32" },
		{ "M=64 K=65536", OP_FULL, "f32" },
		{ "M=333 K=5003", OP_HELDOUT, "f32" },
		{ "M=3 K=5", OP_CHECK, NULL },
		{ "M=1 K=1", OP_CHECK, NULL },
		{ "M=17 K=131", OP_CHECK, NULL },
		{ "M=2 K=4099", OP_CHECK, NULL },
	},
	.torch = "x.sum(dim=1)",
	.opinfo = "sum",
	.sample = "dict(x=(lambda x: x.permute(0, 2, 1).reshape(-1, x.shape[1]))(oril(input, dims())), out=lambda "
		  "y: flat(y)) if kw.get('dtype') is None else skip('another dtype')",
	.source_path = __FILE__,
};
