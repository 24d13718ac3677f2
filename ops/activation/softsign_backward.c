#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double g = c->in[0][i], v = c->in[1][i];
		c->out[0][i] = g / ((1 + fabs(v)) * (1 + fabs(v)));
	}
}

const struct op op_softsign_backward = {
	.name = "softsign_backward",
	.summary = "gradient of softsign",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[n] = g[n] / sq(1 + abs(x[n]))",
	.reference = reference,
	.flop = "8*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "g / (1 + x.abs()) ** 2",
	.opinfo = "nn.functional.softsign",
	.sample = "(lambda v: dict(g=flat(v.g), x=flat(input), want=flat(v.d[0])))(vjp(input)) if (input.abs() < "
		  "50).all() else skip('PyTorch takes the gradient of a quotient, which cancels')",
	.source_path = __FILE__,
};
