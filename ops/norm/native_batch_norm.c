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
		double m = c->attr[1];
		c->out[1][k] = mean;
		c->out[2][k] = 1 / sqrt(square + c->attr[0]);
		c->out[3][k] = (1 - m) * c->in[3][k] + m * mean;
		c->out[4][k] = (1 - m) * c->in[4][k] + m * square * count / (count - 1);
		for (int64_t n = 0; n < N; n++)
			for (int64_t s = 0; s < S; s++) {
				int64_t i = (n * C + k) * S + s;
				c->out[0][i] = (c->in[0][i] - mean) * c->out[2][k] * c->in[1][k] + c->in[2][k];
			}
	}
}

const struct op op_native_batch_norm = {
	.name = "native_batch_norm",
	.summary = "batch normalisation that also gives mean, 1 / deviation and the new running averages",
	.dims = "N C S",
	.tensor = {
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "g", "C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rm", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rv", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.25, .hi = 2 },
		{ "y", "N C S", OP_OUT, "T", OP_REAL, NULL },
		{ "mu", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "is", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "nm", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "nv", "C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false }, { "momentum", 0.1, false } },
	.body = "mu[c] = sum(n,s) x[n,c,s] / (N*S); v[c] = sum(n,s) sq(x[n,c,s] - mu[c]); "
		"is[c] = rsqrt(v[c] / (N*S) + eps); y[n,c,s] = (x[n,c,s] - mu[c]) * is[c] * g[c] + b[c]; "
		"nm[c] = (1 - momentum) * rm[c] + momentum * mu[c]; "
		"nv[c] = (1 - momentum) * rv[c] + momentum * v[c] / (N*S - 1)",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "N*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4 C=64 S=4096", OP_FULL, "f32" },
		{ "N=3 C=19 S=777", OP_HELDOUT, "f32" },
		{ "N=3 C=5 S=7", OP_CHECK, NULL },
		{ "N=2 C=1 S=1", OP_CHECK, NULL },
		{ "N=2 C=6 S=33", OP_CHECK, NULL },
		{ "N=5 C=3 S=2 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "(lambda m, v: (*torch.native_batch_norm(x, g, b, m, v, True, momentum, eps), m, v))(rm.clone(), rv.clone())",
	.opinfo = "native_batch_norm",
	.sample = "dict(x=input.reshape(*input.shape[:2], -1), g=args[0], b=args[1], rm=args[2].clone(), "
		  "rv=args[3].clone(), momentum=number(args[5]), eps=number(args[6]), out=lambda y, m, s: (y, m, "
		  "s, args[2], args[3])) if dtype not in (torch.float16, torch.bfloat16) and args[4] and all(t is "
		  "not None for t in args[:4]) else skip('halves of statistics rounded in between, not training, "
		  "or without weights')",
	.source_path = __FILE__,
};
