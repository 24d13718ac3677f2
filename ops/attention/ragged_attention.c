#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], D = c->dim[2], E = c->dim[3];
	const double *q = c->in[0], *k = c->in[1], *v = c->in[2], *off = c->in[3];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++) {
			double most = -INFINITY, total = 0;
			for (int64_t e = 0; e < E; e++)
				y[t * E + e] = 0;
			for (int64_t pass = 0; pass < 2; pass++)
				for (int64_t j = (int64_t)off[b]; j < (int64_t)off[b + 1]; j++) {
					double dot = 0;
					for (int64_t d = 0; d < D; d++)
						dot += q[t * D + d] * k[j * D + d];
					dot /= sqrt((double)D);
					if (!pass) {
						most = isnan(dot) || dot > most ? dot : most;
						continue;
					}
					total += exp(dot - most);
					for (int64_t e = 0; e < E; e++)
						y[t * E + e] += exp(dot - most) * v[j * E + e];
				}
			for (int64_t e = 0; e < E; e++)
				y[t * E + e] /= total;
		}
}

const struct op op_ragged_attention = {
	.name = "ragged_attention",
	.summary = "attention within each jagged row of queries, keys and values",
	.dims = "B T D E",
	.tensor = {
		{ "q", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "T E", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "T E", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); s[t,j<T] = sum(d) q[t,d] * k[j,d] * rsqrt(D); "
		"m[t] = max(j in off[seg[t]]..off[seg[t]+1]) s[t,j]; p[t,j<T] = exp(s[t,j] - m[t]); "
		"l[t] = sum(j in off[seg[t]]..off[seg[t]+1]) p[t,j]; "
		"y[t,e] = (sum(j in off[seg[t]]..off[seg[t]+1]) p[t,j] * v[j,e]) / l[t]",
	.reference = reference,
	.flop = "2*T*T*(D+E)//B",
	.terms = "T*D",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=16 T=1024 D=32 E=32", OP_FULL, "f32" },
		{ "B=7 T=301 D=17 E=23", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5 E=2", OP_CHECK, NULL },
		{ "B=1 T=1 D=1 E=1", OP_CHECK, NULL },
		{ "B=5 T=33 D=9 E=7", OP_CHECK, NULL },
		{ "B=9 T=4 D=3 E=17", OP_CHECK, NULL },
	},
	.torch = "torch.cat([torch.softmax(q[off[b]:off[b + 1]] @ k[off[b]:off[b + 1]].T / math.sqrt(D), "
		"1) @ v[off[b]:off[b + 1]] for b in range(B)])",
	.source_path = __FILE__,
};
