#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *g = c->in[0] + r * C, *y = c->in[1] + r * C;
		double sum = 0;
		for (int64_t i = 0; i < C; i++)
			sum += g[i];
		for (int64_t i = 0; i < C; i++)
			c->out[0][r * C + i] = g[i] - sum * exp(y[i]);
	}
}

const struct op op_log_softmax_backward = {
	.name = "log_softmax_backward",
	.aliases = "_log_softmax_backward_data",
	.summary = "gradient of log_softmax from its output",
	.dims = "R C",
	.tensor = {
		{ "g", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R C", OP_IN, "T", OP_REAL, NULL, .lo = -8, .hi = 0 },
		{ "dx", "R C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[r] = sum(c) g[r,c]; dx[r,c] = g[r,c] - exp(y[r,c]) * s[r]",
	.reference = reference,
	.flop = "4*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.ops.aten._log_softmax_backward_data(g, y, 1, y.dtype)",
	.opinfo = "log_softmax",
	.sample = "(lambda v, d: dict(g=rows(v.g, d), y=rows(v.y, d), want=rows(v.d[0], d)))(vjp(input), arg(0, "
		  "'dim', -1)) if arg(1, 'dtype', None) is None and dtype not in (torch.float16, torch.bfloat16) "
		  "else skip('another dtype, or halves rounded in between')",
	.source_path = __FILE__,
};
