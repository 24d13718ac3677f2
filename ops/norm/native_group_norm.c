#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2], G = (int64_t)c->attr[0], E = C / G;
	for (int64_t ng = 0; ng < N * G; ng++) {
		const double *x = c->in[0] + ng * E * S;
		double mean = 0, square = 0, count = (double)(E * S);
		for (int64_t i = 0; i < E * S; i++)
			mean += x[i] / count;
		for (int64_t i = 0; i < E * S; i++)
			square += (x[i] - mean) * (x[i] - mean) / count;
		for (int64_t i = 0; i < E * S; i++) {
			int64_t k = ng % G * E + i / S;
			c->out[0][ng * E * S + i] = (x[i] - mean) / sqrt(square + c->attr[1]) * c->in[1][k] + c->in[2][k];
		}
		c->out[1][ng] = mean;
		c->out[2][ng] = 1 / sqrt(square + c->attr[1]);
	}
}

const struct op op_native_group_norm = {
	.name = "native_group_norm",
	.summary = "group normalisation that also gives mean and 1 / deviation",
	.dims = "N C S",
	.tensor = {
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N C S", OP_OUT, "T", OP_REAL, NULL },
		{ "mu", "N G", OP_OUT, "T", OP_REAL, NULL },
		{ "rs", "N G", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "G", 2, true }, { "eps", 1e-5, false } },
	.require = "G >= 1; C % G == 0",
	.body = "E = C//G; mu[n,g<G] = sum(e<E,s) x[n,g*E+e,s] / (E*S); "
		"v[n,g<G] = sum(e<E,s) sq(x[n,g*E+e,s] - mu[n,g]) / (E*S); rs[n,g<G] = rsqrt(v[n,g] + eps); "
		"y[n,c,s] = (x[n,c,s] - mu[n,c//E]) * rs[n,c//E] * w[c] + b[c]",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "C//G*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4 C=64 S=4096 G=8", OP_FULL, "f32" },
		{ "N=3 C=24 S=777 G=8", OP_HELDOUT, "f32" },
		{ "N=2 C=16 S=5 G=8", OP_CHECK, NULL },
		{ "N=3 C=6 S=7", OP_CHECK, NULL },
		{ "N=1 C=2 S=1", OP_CHECK, NULL },
		{ "N=2 C=9 S=33 G=3", OP_CHECK, NULL },
		{ "N=5 C=4 S=2 G=4 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "torch.native_group_norm(x, w, b, N, C, S, G, eps)",
	.opinfo = "nn.functional.group_norm",
	.sample = "(lambda x, w, b, e: dict(x=x, w=w, b=b, G=args[0], eps=e, want=torch.native_group_norm(x, w, b, *x.shape, args[0], "
		"e)))(input.reshape(*input.shape[:2], -1).contiguous(), kw['weight'], kw['bias'], number(kw.get('eps', 1e-5))) if kw.get('weight') is not None "
		"and kw.get('bias') is not None and input.numel() else skip('without weights')",
	.source_path = __FILE__,
};
