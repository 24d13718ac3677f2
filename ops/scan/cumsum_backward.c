#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double sum = 0;
			for (int64_t r = R; r-- > 0;)
				c->out[0][(o * R + r) * I + i] = sum += x[r * I];
		}
}

const struct op op_cumsum_backward = {
	.name = "cumsum_backward",
	.summary = "gradient of cumsum",
	.dims = "O R I",
	.tensor = {
		{ "g", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[o,r,i] = sum(j in r..R) g[o,j,i]",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=512 R=4096 I=1", OP_FULL, "f32" },
		{ "O=3 R=501 I=333", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.cumsum(x, 1), x, g)[0])(torch.zeros_like(g).requires_grad_())",
	.opinfo = "cumsum",
	.sample = "(lambda v: dict(g=oril(v.g, args[0]), want=oril(v.d[0], args[0])))(vjp(input))",
	.source_path = __FILE__,
};
