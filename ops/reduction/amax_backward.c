#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t l = 0; l < O * I; l++) {
		const double *x = c->in[1] + l / I * R * I + l % I;
		double *dx = c->out[0] + l / I * R * I + l % I, best = x[0], ties = 0;
		for (int64_t r = 1; r < R; r++)
			best = isnan(x[r * I]) || x[r * I] > best ? x[r * I] : best;
		for (int64_t r = 0; r < R; r++)
			ties += x[r * I] == best;
		for (int64_t r = 0; r < R; r++)
			dx[r * I] = c->in[0][l] * (x[r * I] == best) / ties;
	}
}

const struct op op_amax_backward = {
	.name = "amax_backward",
	.summary = "gradient of amax: shared evenly by the elements that attain it",
	.dims = "O R I",
	.tensor = {
		{ "g", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "m[o,i] = max(r) x[o,r,i]; n[o,i] = sum(r) (x[o,r,i] == m[o,i]); "
		"dx[o,r,i] = g[o,i] * (x[o,r,i] == m[o,i]) / n[o,i]",
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
	.torch = "(lambda x: torch.autograd.grad(torch.amax(x, 1), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "amax",
	.sample = "(lambda v, x: dict(g=v.g.reshape(x.shape[0], -1), x=x, want=oril(v.d[0], dims())))(vjp(input), "
		  "oril(input, dims()))",
	.source_path = __FILE__,
};
