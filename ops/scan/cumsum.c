#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	for (int64_t r = 0; r < c->dim[0]; r++) {
		double s = 0;
		for (int64_t i = 0; i < c->dim[1]; i++)
			c->out[0][r * c->dim[1] + i] = s += c->in[0][r * c->dim[1] + i];
	}
}

const struct op op_cumsum = {
	.name = "cumsum",
	.summary = "cumulative sum along the last dimension",
	.dims = "R C",
	.tensor = { { "x", "R C", OP_IN, "T", OP_REAL, NULL }, { "y", "R C", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[r,c] = sum(j<=c) x[r,j]",
	.reference = reference,
	.flop = "R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=512 C=4096", OP_SEARCH, "f32" },
		{ "R=8 C=262144", OP_FULL, "f32" },
		{ "R=333 C=5003", OP_HELDOUT, "f32" },
		{ "R=32768 C=32768", OP_LARGE, "f32", "kb1/89" },
		{ "R=1024 C=2048", OP_FULL, "f32", "kb1/89/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=4099", OP_CHECK, NULL },
	},
	.torch = "torch.cumsum(x, dim=1)",
	.opinfo = "cumsum",
	.sample = "dict(x=rows(input, args[0]), out=lambda y: rows(y, args[0])) if kw.get('dtype') is None else "
		  "skip('another dtype')",
	.source_path = __FILE__,
};
