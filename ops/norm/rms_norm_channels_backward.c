#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t C = c->dim[1], S = c->dim[2];
	for (int64_t n = 0; n < c->dim[0]; n++)
		for (int64_t s = 0; s < S; s++) {
			const double *g = c->in[0] + n * C * S + s, *x = c->in[1] + n * C * S + s;
			double root = c->attr[0], along = 0;
			for (int64_t i = 0; i < C; i++)
				root += x[i * S] * x[i * S] / (double)C;
			root = sqrt(root);
			for (int64_t i = 0; i < C; i++)
				along += g[i * S] * (x[i * S] / root);
			for (int64_t i = 0; i < C; i++)
				c->out[0][(n * C + i) * S + s] = (g[i * S] - x[i * S] / root * along / (double)C) / root;
		}
}

const struct op op_rms_norm_channels_backward = {
	.name = "rms_norm_channels_backward",
	.summary = "gradient of rms_norm_channels",
	.dims = "N C S",
	.tensor = {
		{ "g", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N C S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.body = "q[n,s] = sum(c) sq(x[n,c,s]) / C + eps; t[n,s] = sum(c) g[n,c,s] * x[n,c,s] / C; dx[n,c,s] = "
		"(g[n,c,s] - x[n,c,s] * (t[n,s] / q[n,s])) / sqrt(q[n,s])",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "2*C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4 C=64 S=4096", OP_FULL, "f32" },
		{ "N=3 C=19 S=777", OP_HELDOUT, "f32" },
		{ "N=3 C=5 S=7", OP_CHECK, NULL },
		{ "N=2 C=2 S=1", OP_CHECK, NULL },
		{ "N=2 C=6 S=33", OP_CHECK, NULL },
		{ "N=5 C=3 S=2 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(x / torch.sqrt((x * x).mean(1, keepdim=True) + eps), x, "
		"g)[0])(x.detach().requires_grad_())",
	.source_path = __FILE__,
};
