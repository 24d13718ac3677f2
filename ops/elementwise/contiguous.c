#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = c->dim[0]; i-- > 0;)
		c->out[0][i] = c->in[0][i];
}

const struct op op_contiguous = {
	.name = "contiguous",
	.aliases = "resolve_conj resolve_neg clone",
	.summary = "a copy",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = x[n]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "x.clone()",
	.opinfo = "contiguous resolve_conj resolve_neg clone",
	.sample = "dict(x=flat(input))",
	.source_path = __FILE__,
};
