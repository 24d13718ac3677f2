#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = 0.5 * v * (1 + tanh(sqrt(2 / acos(-1.0)) * (v + 0.044715 * v * v * v)));
	}
}

const struct op op_gelu_tanh = {
	.name = "gelu_tanh",
	.summary = "GELU in its tanh form",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = gelu_tanh(x[n])",
	.reference = reference,
	.flop = "10*N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=67108864", OP_LARGE, "f32", "kb1/88" },
		{ "N=2097152", OP_FULL, "f32", "kb1/88/cpu" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.gelu(x, approximate='tanh')",
	.opinfo = "nn.functional.gelu",
	.sample = "dict(x=flat(input)) if kw.get('approximate') == 'tanh' else skip('erf form')",
	.source_path = __FILE__,
};
