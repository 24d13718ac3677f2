#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0] * c->dim[1] * c->dim[2]; i++)
		c->out[0][i] = c->in[1][i] != 0 ? c->attr[0] : c->in[0][i];
}

const struct op op_masked_fill = {
	.name = "masked_fill",
	.summary = "a value where the mask holds",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL, .ones = "OX" },
		{ "m", "A B C", OP_IN, "bool", OP_REAL, NULL, .ones = "OM" },
		{ "z", "A B C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "value", 1, true }, { "OX", 0, true }, { "OM", 0, true } },
	.body = "z[a,b,c] = m[a,b,c] ? value : x[a,b,c]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "A=1 B=1024 C=4096 OM=4 value=7", OP_FULL, "f32" },
		{ "A=1 B=777 C=3001 OM=4 value=7", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5 value=7", OP_CHECK, NULL },
		{ "A=3 B=4 C=7 OM=4 value=7", OP_CHECK, NULL },
		{ "A=1 B=1 C=1 value=7", OP_CHECK, NULL },
		{ "A=2 B=17 C=67 OM=3 value=7", OP_CHECK, NULL },
		{ "A=1 B=2 C=1033 OX=7 OM=1 value=7", OP_CHECK, NULL },
		{ "A=2 B=3 C=5 value=-3", OP_CHECK, NULL },
	},
	.torch = "torch.where(m, torch.full_like(x, value), x)",
	.opinfo = "masked_fill",
	.sample = "dict(**broadcast(x=input, m=args[0]), value=number(args[1]))",
	.source_path = __FILE__,
};
