#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0] * c->dim[1]; i++)
		c->out[0][i] = c->in[0][i / c->dim[1]] * c->in[1][i];
}

const struct op op_diagonal_matmul = {
	.name = "diagonal_matmul",
	.summary = "a diagonal matrix times a matrix",
	.dims = "N M",
	.tensor = {
		{ "a", "N", OP_IN, "T", OP_REAL, NULL },
		{ "b", "N M", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N M", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n,m] = a[n] * b[n,m]",
	.reference = reference,
	.flop = "N*M",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4096 M=4096", OP_LARGE, "f32", "kb1/12" },
		{ "N=1024 M=1024", OP_FULL, "f32", "kb1/12/cpu" },
		{ "N=333 M=777", OP_HELDOUT, "f32" },
		{ "N=5 M=7", OP_CHECK, NULL },
		{ "N=1 M=1", OP_CHECK, NULL },
		{ "N=17 M=67", OP_CHECK, NULL },
	},
	.torch = "a.unsqueeze(1) * b",
	.source_path = __FILE__,
};
