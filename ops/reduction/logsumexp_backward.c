#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t l = 0; l < O * I; l++) {
		const double *x = c->in[1] + l / I * R * I + l % I;
		double *dx = c->out[0] + l / I * R * I + l % I, most = -INFINITY, total = 0;
		for (int64_t r = 0; r < R; r++)
			most = isnan(x[r * I]) || x[r * I] > most ? x[r * I] : most;
		for (int64_t r = 0; r < R; r++)
			total += exp(x[r * I] - most);
		for (int64_t r = 0; r < R; r++)
			dx[r * I] = c->in[0][l] * (exp(x[r * I] - most) / total);
	}
}

const struct op op_logsumexp_backward = {
	.name = "logsumexp_backward",
	.summary = "gradient of logsumexp over one dimension",
	.dims = "O R I",
	.tensor = {
		{ "g", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "m[o,i] = max(r) x[o,r,i]; s[o,i] = sum(r) exp(x[o,r,i] - m[o,i]); "
		"dx[o,r,i] = g[o,i] * exp(x[o,r,i] - m[o,i]) / s[o,i]",
	.reference = reference,
	.flop = "4*O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=1024 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.logsumexp(x, 1), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "logsumexp",
	.sample = "(lambda v, x: dict(g=v.g.reshape(x.shape[0], -1), x=x, want=oril(v.d[0], dims())))(vjp(input), "
		  "oril(input, dims()))",
	.source_path = __FILE__,
};
