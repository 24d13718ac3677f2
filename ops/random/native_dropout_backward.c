#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	double scale = c->attr[0];
	const double *g = c->in[0], *kept = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = scale * (kept[k] * g[k]);
}

const struct op op_native_dropout_backward = {
	.name = "native_dropout_backward",
	.summary = "gradient of dropout",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "kept", "N", OP_IN, "bool", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "scale", 2, false } },
	.body = "y[n] = g[n] * kept[n] * scale",
	.reference = reference,
	.flop = "2*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=1048576 scale=1.25", OP_FULL, "f32" },
		{ "N=333001 scale=1.25", OP_HELDOUT, "f32" },
		{ "N=5 scale=1.25", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
	},
	.torch = "torch.ops.aten.native_dropout_backward(g, kept, scale)",
	.source_path = __FILE__,
};
