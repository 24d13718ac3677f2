#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t n = c->dim[0] * c->dim[1];

	for (int64_t i = 0; i < n; i++) {
		double x = c->in[0][i];
		c->out[0][i] = isnan(x) ? x : x > 0 ? x : 0;
	}
}

const struct op op_relu = {
	.name = "relu",
	.summary = "rectified linear unit, max(x, 0); keeps NaN",
	.dims = "M N",
	.tensor = { { "x", "M N", OP_IN, "T", OP_REAL, NULL }, { "y", "M N", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[m,n] = relu(x[m,n])",
	.reference = reference,
	.flop = "M*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "M=1024 N=4096", OP_SEARCH, "f32" },
		{ "M=64 N=1024", OP_FULL, "f32" },
		{ "M=777 N=3001", OP_HELDOUT, "f32" },
		{ "M=4096 N=393216", OP_LARGE, "f32", "kb1/19" },
		{ "M=1024 N=2048", OP_FULL, "f32", "kb1/19/cpu" },
		{ "M=3 N=5", OP_CHECK, NULL },
		{ "M=1 N=1", OP_CHECK, NULL },
		{ "M=17 N=67", OP_CHECK, NULL },
		{ "M=2 N=4099", OP_CHECK, NULL },
	},
	.torch = "torch.relu(x)",
	.opinfo = "nn.functional.relu",
	.sample = "dict(x=flat(input).unsqueeze(0))",
	.source_path = __FILE__,
};
