#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[0], I = c->dim[1], D = c->dim[2], E = c->dim[3];
	double *p = malloc((size_t)I * 2 * sizeof(*p)), *a = p + I, root = sqrt((double)D);

	if (!p)
		abort();
	for (int64_t i = 0; i < H * I * D; i++)
		c->out[0][i] = c->out[1][i] = 0;
	for (int64_t i = 0; i < H * I * E; i++)
		c->out[2][i] = 0;
	for (int64_t hi = 0; hi < H * I; hi++) {
		int64_t first = hi / I * I, count = hi % I + 1;
		const double *g = c->in[0] + hi * E, *q = c->in[1] + hi * D, *k = c->in[2] + first * D, *v = c->in[3] + first * E;
		double most = -INFINITY, total = 0, dot = 0;
		for (int64_t j = 0; j < count; j++) {
			p[j] = a[j] = 0;
			for (int64_t d = 0; d < D; d++)
				p[j] += q[d] * k[j * D + d];
			for (int64_t e = 0; e < E; e++)
				a[j] += g[e] * v[j * E + e];
			p[j] /= root;
			most = isnan(p[j]) || p[j] > most ? p[j] : most;
		}
		for (int64_t j = 0; j < count; j++)
			total += p[j] = exp(p[j] - most);
		for (int64_t j = 0; j < count; j++)
			dot += (p[j] /= total) * a[j];
		for (int64_t j = 0; j < count; j++) {
			double z = p[j] * (a[j] - dot) / root;
			for (int64_t d = 0; d < D; d++) {
				c->out[0][hi * D + d] += z * k[j * D + d];
				c->out[1][(first + j) * D + d] += z * q[d];
			}
			for (int64_t e = 0; e < E; e++)
				c->out[2][(first + j) * E + e] += p[j] * g[e];
		}
	}
	free(p);
}

const struct op op_causal_attention_backward = {
	.name = "causal_attention_backward",
	.summary = "gradients of causal_attention: of queries, keys and values",
	.dims = "H I D E",
	.tensor = {
		{ "g", "H I E", OP_IN, "T", OP_REAL, NULL },
		{ "q", "H I D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "H I D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "H I E", OP_IN, "T", OP_REAL, NULL },
		{ "dq", "H I D", OP_OUT, "T", OP_REAL, NULL },
		{ "dk", "H I D", OP_OUT, "T", OP_REAL, NULL },
		{ "dv", "H I E", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[h,i,j<I] = sum(d) q[h,i,d] * k[h,j,d] / sqrt(D); m[h,i] = max(j<=i) s[h,i,j]; "
		"l[h,i] = sum(j<=i) exp(s[h,i,j] - m[h,i]); p[h,i,j<I] = exp(s[h,i,j] - m[h,i]) / l[h,i]; "
		"a[h,i,j<I] = sum(e) g[h,i,e] * v[h,j,e]; r[h,i] = sum(j<=i) a[h,i,j] * p[h,i,j]; "
		"z[h,i,j<I] = p[h,i,j] * (a[h,i,j] - r[h,i]); dq[h,i,d] = sum(j<=i) z[h,i,j] * k[h,j,d] / sqrt(D); "
		"dk[h,i,d] = sum(t in i..I) z[h,t,i] * q[h,t,d] / sqrt(D); dv[h,i,e] = sum(t in i..I) p[h,t,i] * g[h,t,e]",
	.reference = reference,
	.flop = "3*H*I*I*(D+E)",
	.terms = "maximum(I,D)",
	.tolerance = 4,
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "H=8 I=128 D=64 E=64", OP_FULL, "f32" },
		{ "H=3 I=61 D=48 E=40", OP_HELDOUT, "f32" },
		{ "H=2 I=3 D=7 E=4", OP_CHECK, NULL },
		{ "H=1 I=2 D=1 E=1", OP_CHECK, NULL },
		{ "H=3 I=17 D=8 E=11", OP_CHECK, NULL },
	},
	.torch = "(lambda q, k, v: torch.autograd.grad(torch.softmax((q @ k.transpose(1, 2) / math.sqrt(D)).masked_fill(torch.triu(torch.ones(I, I), "
		"1) > 0, -math.inf), -1) @ v, (q, k, v), g))(*(t.detach().requires_grad_() for t in (q, k, v)))",
	.opinfo = "nn.functional.scaled_dot_product_attention",
	.sample = "(lambda v, n: dict(g=spread(v.g, 2), q=spread(input, 2), k=spread(args[0], 2)[:, :n], v=spread(args[1], 2)[:, :n], "
		"want=(v.d[0], v.d[1][..., :n, :], v.d[2][..., :n, :])))(vjp(input, *args[:2]), input.shape[-2]) if kw.get('is_causal') and not kw.get('dropout_p') and "
		"input.shape[:-2] == args[0].shape[:-2] and input.shape[-2] <= args[0].shape[-2] "
		"else skip('another mask, dropout or groups of heads')",
	.source_path = __FILE__,
};
