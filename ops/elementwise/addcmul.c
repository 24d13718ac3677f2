#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0] * c->dim[1] * c->dim[2]; i++) {
		double x = c->in[0][i], t = c->in[1][i], u = c->in[2][i], value = c->attr[0];
		c->out[0][i] = x + value * (t * u);
	}
}

const struct op op_addcmul = {
	.name = "addcmul",
	.summary = "x + value t u",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "A B C", OP_IN, "T", OP_REAL, NULL },
		{ "u", "A B C", OP_IN, "T", OP_REAL, NULL, .ones = "OU" },
		{ "z", "A B C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "value", 0.5, false }, { "OU", 0, true } },
	.body = "z[a,b,c] = x[a,b,c] + value * t[a,b,c] * u[a,b,c]",
	.reference = reference,
	.flop = "3*A*B*C",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "A=1 B=1024 C=4096 OU=3", OP_FULL, "f32" },
		{ "A=1 B=777 C=3001 OU=3", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5", OP_CHECK, NULL },
		{ "A=3 B=4 C=7 OU=3", OP_CHECK, NULL },
		{ "A=1 B=1 C=1", OP_CHECK, NULL },
		{ "A=2 B=17 C=67 OU=3", OP_CHECK, NULL },
		{ "A=2 B=3 C=5 OU=5 value=-1.5", OP_CHECK, NULL },
	},
	.torch = "torch.addcmul(x, t, u.expand(x.shape), value=value)",
	.opinfo = "addcmul",
	.sample = "dict(zip('xtu', [t.reshape(1, 1, -1) for t in expanded(input, *args)]), "
		  "value=number(kw.get('value', 1)))",
	.source_path = __FILE__,
};
