#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2];
	for (int64_t i = 0; i < N * C * S; i++) {
		int64_t k = i / S % C;
		c->out[0][i] = (c->in[0][i] - c->in[3][k]) / sqrt(c->in[4][k] + c->attr[0]) * c->in[1][k] + c->in[2][k];
	}
}

const struct op op_batch_norm_inference = {
	.name = "batch_norm_inference",
	.summary = "batch normalisation by given statistics",
	.dims = "N C S",
	.tensor = {
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "g", "C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rm", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rv", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "y", "N C S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.body = "y[n,c,s] = (x[n,c,s] - rm[c]) * rsqrt(rv[c] + eps) * g[c] + b[c]",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4 C=64 S=4096", OP_FULL, "f32" },
		{ "N=3 C=19 S=777", OP_HELDOUT, "f32" },
		{ "N=3 C=5 S=7", OP_CHECK, NULL },
		{ "N=2 C=1 S=1", OP_CHECK, NULL },
		{ "N=2 C=6 S=33", OP_CHECK, NULL },
		{ "N=5 C=3 S=2 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.batch_norm(x, rm, rv, g, b, False, 0.1, eps)",
	.opinfo = "nn.functional.batch_norm",
	.sample = "dict(x=input.reshape(*input.shape[:2], -1), g=args[2], b=args[3], rm=args[0], rv=args[1], "
		  "eps=number(kw.get('eps', 1e-5)), out=lambda y: flat(y)) if not kw.get('training') and args[0] "
		  "is not None and args[2] is not None else skip('training, or without weights')",
	.source_path = __FILE__,
};
