#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t i = 0; i < c->dim[0]; i++) {
		c->out[0][2 * i] = c->in[0][i] * cos(c->in[1][i]);
		c->out[0][2 * i + 1] = c->in[0][i] * sin(c->in[1][i]);
	}
}

const struct op op_polar = {
	.name = "polar",
	.summary = "real and imaginary part of abs e^(i angle)",
	.dims = "N",
	.tensor = {
		{ "r", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 3 },
		{ "t", "N", OP_IN, "T", OP_REAL, NULL },
		{ "z", "N 2", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "z[n,p<2] = r[n] * (p == 0 ? cos(t[n]) : sin(t[n]))",
	.reference = reference,
	.flop = "2*N",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=2097152", OP_FULL, "f32" },
		{ "N=500009", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.view_as_real(torch.polar(r, t))",
	.opinfo = "polar",
	.sample = "(lambda r, t: dict(r=flat(r), t=flat(t), out=lambda z: "
		  "torch.view_as_real(z.reshape(-1))))(*expanded(input, args[0]))",
	.source_path = __FILE__,
};
