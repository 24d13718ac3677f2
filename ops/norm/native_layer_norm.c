#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *x = c->in[0] + r * C;
		double mean = 0, square = 0;
		for (int64_t i = 0; i < C; i++)
			mean += x[i] / (double)C;
		for (int64_t i = 0; i < C; i++)
			square += (x[i] - mean) * (x[i] - mean) / (double)C;
		c->out[1][r] = mean;
		c->out[2][r] = 1 / sqrt(square + c->attr[0]);
		for (int64_t i = 0; i < C; i++)
			c->out[0][r * C + i] = (x[i] - mean) * c->out[2][r] * c->in[1][i] + c->in[2][i];
	}
}

const struct op op_native_layer_norm = {
	.name = "native_layer_norm",
	.summary = "layer normalisation that also gives mean and 1 / deviation",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R C", OP_OUT, "T", OP_REAL, NULL },
		{ "mu", "R", OP_OUT, "T", OP_REAL, NULL },
		{ "rs", "R", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.body = "mu[r] = sum(c) x[r,c] / C; v[r] = sum(c) sq(x[r,c] - mu[r]) / C; rs[r] = rsqrt(v[r] + eps); "
		"y[r,c] = (x[r,c] - mu[r]) * rs[r] * w[c] + b[c]",
	.reference = reference,
	.flop = "8*R*C",
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
	.torch = "(lambda y, m, s: (y, m.squeeze(1), s.squeeze(1)))(*torch.native_layer_norm(x, [C], w, b, eps))",
	.opinfo = "native_layer_norm",
	.sample = "(lambda n: dict(x=input.reshape(-1, n), w=(lambda w: torch.ones(n, dtype=dtype) if w is None "
		  "else flat(w))(args[1]), b=(lambda w: torch.zeros(n, dtype=dtype) if w is None else "
		  "flat(w))(args[2]), eps=number(args[3]), out=lambda y, m, s: (flat(y), flat(m), "
		  "flat(s))))(math.prod(args[0]))",
	.source_path = __FILE__,
};
