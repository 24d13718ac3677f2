#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static double dot_of(const double *x, const double *y, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], T = c->dim[1], D = c->dim[2], E = c->dim[3];
	const double *g = c->in[0], *q = c->in[1], *k = c->in[2], *v = c->in[3], *off = c->in[4];
	double *dq = c->out[0], *dk = c->out[1], *dv = c->out[2], *p = malloc((size_t)T * sizeof(*p)), root = sqrt((double)D);

	if (!p)
		abort();
	for (int64_t i = 0; i < T * D; i++)
		dq[i] = dk[i] = 0;
	for (int64_t i = 0; i < T * E; i++)
		dv[i] = 0;
	for (int64_t b = 0; b < B; b++)
		for (int64_t first = (int64_t)off[b], last = (int64_t)off[b + 1], t = first; t < last; t++) {
			double most = -INFINITY, total = 0, along = 0;
			for (int64_t j = first; j < last; j++) {
				p[j] = dot_of(q + t * D, k + j * D, D) / root;
				most = isnan(p[j]) || p[j] > most ? p[j] : most;
			}
			for (int64_t j = first; j < last; j++)
				total += p[j] = exp(p[j] - most);
			for (int64_t j = first; j < last; j++) {
				p[j] /= total;
				along += p[j] * dot_of(g + t * E, v + j * E, E);
			}
			for (int64_t j = first; j < last; j++) {
				double z = p[j] * (dot_of(g + t * E, v + j * E, E) - along) / root;
				for (int64_t d = 0; d < D; d++) {
					dq[t * D + d] += z * k[j * D + d];
					dk[j * D + d] += z * q[t * D + d];
				}
				for (int64_t e = 0; e < E; e++)
					dv[j * E + e] += p[j] * g[t * E + e];
			}
		}
	free(p);
}

const struct op op_ragged_attention_backward = {
	.name = "ragged_attention_backward",
	.summary = "gradients of ragged_attention: of queries, keys and values",
	.dims = "B T D E",
	.tensor = {
		{ "g", "T E", OP_IN, "T", OP_REAL, NULL },
		{ "q", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "T D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "T E", OP_IN, "T", OP_REAL, NULL },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "dq", "T D", OP_OUT, "T", OP_REAL, NULL },
		{ "dk", "T D", OP_OUT, "T", OP_REAL, NULL },
		{ "dv", "T E", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); s[t,j<T] = sum(d) q[t,d] * k[j,d] * rsqrt(D); "
		"m[t] = max(j in off[seg[t]]..off[seg[t]+1]) s[t,j]; l[t] = sum(j in off[seg[t]]..off[seg[t]+1]) exp(s[t,j] - m[t]); "
		"p[t,j<T] = exp(s[t,j] - m[t]) / l[t]; a[t,j<T] = sum(e) g[t,e] * v[j,e]; "
		"r[t] = sum(j in off[seg[t]]..off[seg[t]+1]) a[t,j] * p[t,j]; z[t,j<T] = p[t,j] * (a[t,j] - r[t]); "
		"dq[t,d] = sum(j in off[seg[t]]..off[seg[t]+1]) z[t,j] * k[j,d] * rsqrt(D); "
		"dk[t,d] = sum(j in off[seg[t]]..off[seg[t]+1]) z[j,t] * q[j,d] * rsqrt(D); "
		"dv[t,e] = sum(j in off[seg[t]]..off[seg[t]+1]) p[j,t] * g[j,e]",
	.reference = reference,
	.flop = "6*T*T*(D+E)//B",
	.terms = "T*D",
	.tolerance = 4,
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=16 T=1024 D=32 E=32", OP_FULL, "f32" },
		{ "B=7 T=301 D=17 E=23", OP_HELDOUT, "f32" },
		{ "B=3 T=7 D=5 E=2", OP_CHECK, NULL },
		{ "B=1 T=2 D=1 E=1", OP_CHECK, NULL },
		{ "B=5 T=33 D=9 E=7", OP_CHECK, NULL },
		{ "B=9 T=4 D=3 E=17", OP_CHECK, NULL },
	},
	.torch = "(lambda q, k, v: torch.autograd.grad(torch.cat([torch.softmax(q[off[b]:off[b + 1]] @ k[off[b]:off[b + 1]].T / "
		"math.sqrt(D), 1) @ v[off[b]:off[b + 1]] for b in range(B)]), (q, k, v), g))(*(t.detach().requires_grad_() for t "
		"in (q, k, v)))",
	.source_path = __FILE__,
};
