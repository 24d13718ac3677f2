#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2];
	for (int64_t k = 0; k < C; k++) {
		double sum = 0, dot = 0, mean = c->in[3][k], inverse = c->in[4][k], count = (double)(N * S);
		for (int64_t n = 0; n < N; n++)
			for (int64_t s = 0; s < S; s++) {
				sum += c->in[0][(n * C + k) * S + s];
				dot += c->in[0][(n * C + k) * S + s] * (c->in[1][(n * C + k) * S + s] - mean);
			}
		c->out[1][k] = dot * inverse;
		c->out[2][k] = sum;
		for (int64_t n = 0; n < N; n++)
			for (int64_t s = 0; s < S; s++) {
				int64_t i = (n * C + k) * S + s;
				c->out[0][i] = (c->in[0][i] - sum / count - (c->in[1][i] - mean) * inverse * inverse * dot / count) * inverse * c->in[2][k];
			}
	}
}

const struct op op_native_batch_norm_backward = {
	.name = "native_batch_norm_backward",
	.summary = "gradients of batch normalisation by the statistics of the batch",
	.dims = "N C S",
	.tensor = {
		{ "d", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "g", "C", OP_IN, "T", OP_REAL, NULL },
		{ "mu", "C", OP_IN, "T", OP_REAL, NULL },
		{ "rs", "C", OP_IN, "T", OP_REAL, NULL, .lo = 0.5, .hi = 2 },
		{ "dx", "N C S", OP_OUT, "T", OP_REAL, NULL },
		{ "dg", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "db[c] = sum(n,s) d[n,c,s]; q[c] = sum(n,s) d[n,c,s] * (x[n,c,s] - mu[c]); dg[c] = q[c] * rs[c]; "
		"dx[n,c,s] = g[c] * rs[c] * (d[n,c,s] - db[c] / (N*S) - (x[n,c,s] - mu[c]) * sq(rs[c]) * q[c] / (N*S))",
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
		{ "N=5 C=3 S=2", OP_CHECK, NULL },
	},
	.torch = "torch.ops.aten.native_batch_norm_backward(d, x, g, None, None, mu, rs, True, 1e-5, [True, True, True])",
	.opinfo = "nn.functional.batch_norm",
	.sample = "(lambda x, v: (lambda s: dict(d=v.g.reshape(x.shape), x=x, g=args[2], mu=s[1], rs=s[2], want=v.d))(torch.native_batch_norm(x, args[2], args[3], "
		"None, None, True, 0.1, number(kw.get('eps', 1e-5)))))(input.reshape(*input.shape[:2], -1), vjp(input, args[2], args[3])) if kw.get('training') and "
		"dtype not in (torch.float16, torch.bfloat16) and all(t is not None for t in args[:4]) else skip('halves of statistics rounded in between, not training, "
		"or without weights')",
	.source_path = __FILE__,
};
