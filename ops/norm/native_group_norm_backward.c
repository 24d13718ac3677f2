#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2], G = (int64_t)c->attr[0], E = C / G;
	for (int64_t k = 0; k < C; k++)
		c->out[1][k] = c->out[2][k] = 0;
	for (int64_t ng = 0; ng < N * G; ng++) {
		const double *d = c->in[0] + ng * E * S, *x = c->in[1] + ng * E * S, *w = c->in[4] + ng % G * E;
		double mean = c->in[2][ng], inverse = c->in[3][ng], sum = 0, dot = 0, count = (double)(E * S);
		for (int64_t i = 0; i < E * S; i++) {
			double normal = (x[i] - mean) * inverse;
			sum += d[i] * w[i / S] / count;
			dot += d[i] * w[i / S] * normal / count;
			c->out[1][ng % G * E + i / S] += d[i] * normal;
			c->out[2][ng % G * E + i / S] += d[i];
		}
		for (int64_t i = 0; i < E * S; i++)
			c->out[0][ng * E * S + i] = (d[i] * w[i / S] - sum - (x[i] - mean) * inverse * dot) * inverse;
	}
}

const struct op op_native_group_norm_backward = {
	.name = "native_group_norm_backward",
	.summary = "gradients of group normalisation",
	.dims = "N C S",
	.tensor = {
		{ "d", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "mu", "N G", OP_IN, "T", OP_REAL, NULL },
		{ "rs", "N G", OP_IN, "T", OP_REAL, NULL, .lo = 0.5, .hi = 2 },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N C S", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "G", 2, true } },
	.require = "G >= 1; C % G == 0",
	.body = "E = C//G; a[n,g<G] = sum(e<E,s) d[n,g*E+e,s] * w[g*E+e] / (E*S); "
		"q[n,g<G] = sum(e<E,s) d[n,g*E+e,s] * w[g*E+e] * (x[n,g*E+e,s] - mu[n,g]) * rs[n,g] / (E*S); "
		"dx[n,c,s] = rs[n,c//E] * (d[n,c,s] * w[c] - a[n,c//E] - (x[n,c,s] - mu[n,c//E]) * rs[n,c//E] * q[n,c//E]); "
		"dw[c] = sum(n,s) d[n,c,s] * (x[n,c,s] - mu[n,c//E]) * rs[n,c//E]; db[c] = sum(n,s) d[n,c,s]",
	.reference = reference,
	.flop = "16*N*C*S",
	.terms = "C//G*S+N*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4 C=64 S=4096 G=8", OP_FULL, "f32" },
		{ "N=3 C=24 S=777 G=8", OP_HELDOUT, "f32" },
		{ "N=2 C=16 S=5 G=8", OP_CHECK, NULL },
		{ "N=3 C=6 S=7", OP_CHECK, NULL },
		{ "N=1 C=2 S=1", OP_CHECK, NULL },
		{ "N=2 C=9 S=33 G=3", OP_CHECK, NULL },
		{ "N=5 C=4 S=2 G=4", OP_CHECK, NULL },
	},
	.torch = "torch.ops.aten.native_group_norm_backward(d, x, mu, rs, w, N, C, S, G, [True, True, True])",
	.opinfo = "nn.functional.group_norm",
	.sample = "(lambda x, v, s: dict(d=v.g.reshape(x.shape), x=x, mu=s[1], rs=s[2], w=kw['weight'], G=args[0], want=v.d))(input.reshape(*input.shape[:2], -1), "
		"vjp(input, kw['weight'], kw['bias']), torch.native_group_norm(input.contiguous(), kw['weight'], kw['bias'], *input.shape[:2], "
		"math.prod(input.shape[2:]), args[0], number(kw.get('eps', 1e-5)))) if kw.get('weight') is not None and kw.get('bias') is not None and input.numel() and "
		"dtype not in (torch.float16, torch.bfloat16) else skip('without weights, or halves of statistics rounded in between')",
	.source_path = __FILE__,
};
