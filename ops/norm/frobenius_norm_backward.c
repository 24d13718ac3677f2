#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	const double *g = c->in[0], *x = c->in[1];
	double norm = 0, along = 0;
	for (int64_t i = 0; i < c->dim[0]; i++)
		norm += x[i] * x[i];
	norm = sqrt(norm);
	for (int64_t i = 0; i < c->dim[0]; i++)
		along += g[i] * (x[i] / norm);
	for (int64_t i = 0; i < c->dim[0]; i++)
		c->out[0][i] = (g[i] - x[i] / norm * along) / norm;
}

const struct op op_frobenius_norm_backward = {
	.name = "frobenius_norm_backward",
	.summary = "gradient of frobenius_norm",
	.dims = "N",
	.tensor = {
		{ "g", "N", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "q = sum(i<N) sq(x[i]); s = sum(i<N) g[i] * x[i]; dx[n] = (g[n] - x[n] * (s / q)) / sqrt(q)",
	.reference = reference,
	.flop = "7*N",
	.terms = "2*N",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=2097152", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=2", OP_CHECK, NULL },
		{ "N=131", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(x / torch.sqrt((x * x).sum()), x, g)[0])(x.detach().requires_grad_())",
	.source_path = __FILE__,
};
