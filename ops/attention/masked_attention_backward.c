#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[0], I = c->dim[1], J = c->dim[2], D = c->dim[3], E = c->dim[4];
	double *p = malloc((size_t)J * 2 * sizeof(*p)), *a = p + J, root = sqrt((double)D);

	if (!p)
		abort();
	for (int64_t i = 0; i < H * I * D; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < H * J * D; i++)
		c->out[1][i] = 0;
	for (int64_t i = 0; i < H * J * E; i++)
		c->out[2][i] = 0;
	for (int64_t i = 0; i < I * J; i++)
		c->out[3][i] = 0;
	for (int64_t hi = 0; hi < H * I; hi++) {
		int64_t first = hi / I * J;
		const double *g = c->in[0] + hi * E, *q = c->in[1] + hi * D, *k = c->in[2] + first * D, *v = c->in[3] + first * E;
		double most = -INFINITY, total = 0, dot = 0;
		for (int64_t j = 0; j < J; j++) {
			p[j] = a[j] = 0;
			for (int64_t d = 0; d < D; d++)
				p[j] += q[d] * k[j * D + d];
			for (int64_t e = 0; e < E; e++)
				a[j] += g[e] * v[j * E + e];
			p[j] = p[j] / root + c->in[4][hi % I * J + j];
			most = isnan(p[j]) || p[j] > most ? p[j] : most;
		}
		for (int64_t j = 0; j < J; j++)
			total += p[j] = exp(p[j] - most);
		for (int64_t j = 0; j < J; j++)
			dot += (p[j] /= total) * a[j];
		for (int64_t j = 0; j < J; j++) {
			double z = p[j] * (a[j] - dot);
			c->out[3][hi % I * J + j] += z;
			for (int64_t d = 0; d < D; d++) {
				c->out[0][hi * D + d] += z / root * k[j * D + d];
				c->out[1][(first + j) * D + d] += z / root * q[d];
			}
			for (int64_t e = 0; e < E; e++)
				c->out[2][(first + j) * E + e] += p[j] * g[e];
		}
	}
	free(p);
}

const struct op op_masked_attention_backward = {
	.name = "masked_attention_backward",
	.summary = "gradients of masked_attention: of queries, keys, values and the bias",
	.dims = "H I J D E",
	.tensor = {
		{ "g", "H I E", OP_IN, "T", OP_REAL, NULL },
		{ "q", "H I D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "H J D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "H J E", OP_IN, "T", OP_REAL, NULL },
		{ "b", "I J", OP_IN, "T", OP_REAL, NULL },
		{ "dq", "H I D", OP_OUT, "T", OP_REAL, NULL },
		{ "dk", "H J D", OP_OUT, "T", OP_REAL, NULL },
		{ "dv", "H J E", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "I J", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[h,i,j] = sum(d) q[h,i,d] * k[h,j,d] / sqrt(D) + b[i,j]; m[h,i] = max(j) s[h,i,j]; "
		"l[h,i] = sum(j) exp(s[h,i,j] - m[h,i]); p[h,i,j] = exp(s[h,i,j] - m[h,i]) / l[h,i]; "
		"a[h,i,j] = sum(e) g[h,i,e] * v[h,j,e]; r[h,i] = sum(j) a[h,i,j] * p[h,i,j]; "
		"z[h,i,j] = p[h,i,j] * (a[h,i,j] - r[h,i]); dq[h,i,d] = sum(j) z[h,i,j] * k[h,j,d] / sqrt(D); "
		"dk[h,j,d] = sum(i) z[h,i,j] * q[h,i,d] / sqrt(D); dv[h,j,e] = sum(i) p[h,i,j] * g[h,i,e]; db[i,j] = sum(h) z[h,i,j]",
	.reference = reference,
	.flop = "6*H*I*J*(D+E)",
	.terms = "maximum(maximum(I,J),maximum(D,H))",
	.tolerance = 4,
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "H=8 I=128 J=128 D=64 E=64", OP_FULL, "f32" },
		{ "H=3 I=61 J=73 D=48 E=40", OP_HELDOUT, "f32" },
		{ "H=2 I=3 J=5 D=7 E=4", OP_CHECK, NULL },
		{ "H=1 I=1 J=2 D=1 E=1", OP_CHECK, NULL },
		{ "H=3 I=9 J=17 D=8 E=11", OP_CHECK, NULL },
	},
	.torch = "(lambda q, k, v, b: torch.autograd.grad(torch.softmax(q @ k.transpose(1, 2) / math.sqrt(D) + b, -1) @ "
		"v, (q, k, v, b), g))(*(t.detach().requires_grad_() for t in (q, k, v, b)))",
	.opinfo = "nn.functional.scaled_dot_product_attention",
	.sample = "(lambda v: dict(g=spread(v.g, 2), q=spread(input, 2), k=spread(args[0], 2), v=spread(args[1], 2), b=kw['attn_mask'], "
		"want=v.d))(vjp(input, *args[:2], kw['attn_mask'])) if kw.get('attn_mask') is not None and kw['attn_mask'].is_floating_point() and kw['attn_mask'].dim() == 2 and not "
		"kw.get('is_causal') and not kw.get('dropout_p') and "
		"input.shape[:-2] == args[0].shape[:-2] "
		"else skip('another mask, dropout or groups of heads')",
	.source_path = __FILE__,
};
