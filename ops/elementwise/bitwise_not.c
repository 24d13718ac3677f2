#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++)
		c->out[0][i] = -1 - c->in[0][i];
}

const struct op op_bitwise_not = {
	.name = "bitwise_not",
	.summary = "complement of every bit; of a truth value its negation",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = bit_not(x[n])",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "i64 i32 i16 i8 u8",
	.shape = {
		{ "N=4194304", OP_FULL, "i64" },
		{ "N=1000003", OP_HELDOUT, "i64" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.bitwise_not(x)",
	.opinfo = "bitwise_not",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
