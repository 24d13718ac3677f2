#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double square = 0;
	for (int64_t i = c->dim[0]; i-- > 0;)
		square += c->in[0][i] * c->in[0][i];
	for (int64_t i = 0; i < c->dim[0]; i++)
		c->out[0][i] = c->in[0][i] / sqrt(square);
}

const struct op op_frobenius_norm = {
	.name = "frobenius_norm",
	.summary = "a tensor over its Euclidean length",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "q = sum(i<N) sq(x[i]); y[n] = x[n] / sqrt(q)",
	.reference = reference,
	.flop = "3*N",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=1879048192", OP_LARGE, "f32", "kb1/37" },
		{ "N=2097152", OP_FULL, "f32", "kb1/37/cpu" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "x / torch.norm(x)",
	.source_path = __FILE__,
};
