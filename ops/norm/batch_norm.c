#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2];
	for (int64_t k = 0; k < C; k++) {
		double mean = 0, square = 0, count = (double)(N * S);
		for (int64_t n = 0; n < N; n++)
			for (int64_t s = 0; s < S; s++)
				mean += c->in[0][(n * C + k) * S + s] / count;
		for (int64_t n = 0; n < N; n++)
			for (int64_t s = 0; s < S; s++)
				square += pow(c->in[0][(n * C + k) * S + s] - mean, 2) / count;
		for (int64_t n = 0; n < N; n++)
			for (int64_t s = 0; s < S; s++) {
				int64_t i = (n * C + k) * S + s;
				c->out[0][i] = (c->in[0][i] - mean) / sqrt(square + c->attr[0]) * c->in[1][k] + c->in[2][k];
			}
	}
}

const struct op op_batch_norm = {
	.name = "batch_norm",
	.summary = "batch normalisation by the statistics of the batch, with scale and shift",
	.dims = "N C S",
	.tensor = {
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "g", "C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N C S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.require = "N*S > 1",
	.body = "mu[c] = sum(n,s) x[n,c,s] / (N*S); v[c] = sum(n,s) sq(x[n,c,s] - mu[c]) / (N*S); "
		"y[n,c,s] = (x[n,c,s] - mu[c]) * rsqrt(v[c] + eps) * g[c] + b[c]",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "N*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=64 C=64 S=262144", OP_LARGE, "f32", "kb1/33" },
		{ "N=2 C=64 S=16384", OP_FULL, "f32", "kb1/33/cpu" },
		{ "N=4 C=64 S=4096", OP_FULL, "f32" },
		{ "N=3 C=19 S=777", OP_HELDOUT, "f32" },
		{ "N=3 C=5 S=7", OP_CHECK, NULL },
		{ "N=2 C=1 S=1", OP_CHECK, NULL },
		{ "N=2 C=6 S=33", OP_CHECK, NULL },
		{ "N=5 C=3 S=2 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.batch_norm(x, None, None, g, b, True, 0.1, eps)",
	.opinfo = "nn.functional.batch_norm",
	.sample = "dict(x=input.reshape(*input.shape[:2], -1), g=args[2], b=args[3], eps=number(kw.get('eps', "
		  "1e-5)), out=lambda y: flat(y)) if kw.get('training') and args[2] is not None and args[3] is "
		  "not None else skip('not training, or without weights')",
	.source_path = __FILE__,
};
