#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t rows = c->dim[0], columns = c->dim[1];
	const double *gamma = c->in[1], *beta = c->in[2];

	for (int64_t r = 0; r < rows; r++) {
		const double *x = c->in[0] + r * columns;
		double mean = 0, variance = 0;
		for (int64_t i = 0; i < columns; i++)
			mean += x[i];
		mean /= (double)columns;
		for (int64_t i = 0; i < columns; i++)
			variance += (x[i] - mean) * (x[i] - mean);
		double scale = 1 / sqrt(variance / (double)columns + c->attr[0]);
		for (int64_t i = 0; i < columns; i++)
			c->out[0][r * columns + i] = (x[i] - mean) * scale * gamma[i] + beta[i];
	}
}

const struct op op_layer_norm = {
	.name = "layer_norm",
	.summary = "layer normalisation over the last dimension, with scale and shift",
	.dims = "R C",
	.tensor = { { "x", "R C", OP_IN, "T", OP_REAL, NULL }, { "g", "C", OP_IN, "T", OP_REAL, NULL },
		    { "b", "C", OP_IN, "T", OP_REAL, NULL }, { "y", "R C", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "eps", 1e-5, false } },
	.body = "mu[r] = sum(c) x[r,c] / C; v[r] = sum(c) sq(x[r,c] - mu[r]) / C; "
		"y[r,c] = (x[r,c] - mu[r]) * rsqrt(v[r] + eps) * g[c] + b[c]",
	.reference = reference,
	.flop = "8*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_SEARCH, "f32" },
		{ "R=512 C=4096", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=16 C=4194304", OP_LARGE, "f32", "kb1/40" },
		{ "R=16 C=65536", OP_FULL, "f32", "kb1/40/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=2", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
		{ "R=5 C=33 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.layer_norm(x, [x.shape[1]], g, b, eps)",
	.opinfo = "nn.functional.layer_norm",
	.sample = "(lambda n: dict(x=input.reshape(-1, n), g=(lambda w: torch.ones(n, dtype=dtype) if w is None "
		  "else flat(w))(arg(1, 'weight')), b=(lambda w: torch.zeros(n, dtype=dtype) if w is None else "
		  "flat(w))(arg(2, 'bias')), eps=number(arg(3, 'eps', 1e-5)), out=lambda y: "
		  "flat(y)))(math.prod(args[0]))",
	.source_path = __FILE__,
};
