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
	}
}

const struct op op_group_norm = {
	.name = "group_norm",
	.summary = "normalisation over groups of channels, with scale and shift",
	.dims = "N C S",
	.tensor = {
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "b", "C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N C S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "G", 2, true }, { "eps", 1e-5, false } },
	.require = "G >= 1; C % G == 0",
	.body = "E = C//G; mu[n,g<G] = sum(e<E,s) x[n,g*E+e,s] / (E*S); "
		"v[n,g<G] = sum(e<E,s) sq(x[n,g*E+e,s] - mu[n,g]) / (E*S); "
		"y[n,c,s] = (x[n,c,s] - mu[n,c//E]) * rsqrt(v[n,c//E] + eps) * w[c] + b[c]",
	.reference = reference,
	.flop = "8*N*C*S",
	.terms = "C//G*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=112 C=64 S=262144 G=8", OP_LARGE, "f32", "kb1/35" },
		{ "N=2 C=64 S=16384 G=8", OP_FULL, "f32", "kb1/35/cpu" },
		{ "N=4 C=64 S=4096 G=8", OP_FULL, "f32" },
		{ "N=3 C=24 S=777 G=8", OP_HELDOUT, "f32" },
		{ "N=2 C=16 S=5 G=8", OP_CHECK, NULL },
		{ "N=3 C=6 S=7", OP_CHECK, NULL },
		{ "N=1 C=4 S=1", OP_CHECK, NULL },
		{ "N=2 C=9 S=33 G=3", OP_CHECK, NULL },
		{ "N=5 C=4 S=2 G=4 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.group_norm(x, G, w, b, eps)",
	.opinfo = "nn.functional.group_norm",
	.sample = "(lambda c: dict(x=input.reshape(*input.shape[:2], -1), w=torch.ones(c, dtype=dtype) if "
		  "kw.get('weight') is None else kw['weight'], b=torch.zeros(c, dtype=dtype) if kw.get('bias') is "
		  "None else kw['bias'], G=args[0], eps=number(kw.get('eps', 1e-5)), out=lambda y: "
		  "flat(y)))(input.shape[1])",
	.source_path = __FILE__,
};
