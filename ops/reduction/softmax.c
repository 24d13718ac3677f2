#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t rows = c->dim[0], columns = c->dim[1];

	for (int64_t r = 0; r < rows; r++) {
		const double *x = c->in[0] + r * columns;
		double *y = c->out[0] + r * columns, most = -INFINITY, total = 0;
		for (int64_t i = 0; i < columns; i++)
			most = isnan(x[i]) || x[i] > most ? x[i] : most;
		for (int64_t i = 0; i < columns; i++)
			total += y[i] = exp(x[i] - most);
		for (int64_t i = 0; i < columns; i++)
			y[i] /= total;
	}
}

const struct op op_softmax = {
	.name = "softmax",
	.aliases = "_softmax",
	.summary = "softmax over the last dimension",
	.dims = "R C",
	.tensor = { { "x", "R C", OP_IN, "T", OP_REAL, NULL }, { "y", "R C", OP_OUT, "T", OP_REAL, NULL } },
	.body = "m[r] = max(c) x[r,c]; s[r] = sum(c) exp(x[r,c] - m[r]); y[r,c] = exp(x[r,c] - m[r]) / s[r]",
	.reference = reference,
	.flop = "8*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_SEARCH, "f32" },
		{ "R=256 C=8192", OP_SEARCH, "f32" },
		{ "R=4096 C=128", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=4096 C=393216", OP_LARGE, "f32", "kb1/23" },
		{ "R=64 C=16384", OP_FULL, "f32", "kb1/23/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.softmax(x, dim=1)",
	.opinfo = "softmax",
	.sample = "dict(x=rows(input, arg(0, 'dim', -1)), out=lambda y: rows(y, arg(0, 'dim', -1))) if arg(1, 'dtype', None) is None else skip('another dtype')",
	.source_path = __FILE__,
};
