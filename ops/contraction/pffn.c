#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[1], D = c->dim[2], K = c->dim[3];
	double *h = malloc((size_t)K * sizeof(*h));

	if (!h)
		abort();
	for (int64_t bn = 0; bn < c->dim[0] * N; bn++) {
		const double *x = c->in[0] + bn * D, *w1 = c->in[1] + bn % N * D * K, *w2 = c->in[4] + bn % N * K * D;
		double *y = c->out[0] + bn * D, square = 0;
		for (int64_t k = 0; k < K; k++) {
			h[k] = c->in[2][bn % N * K + k];
			for (int64_t d = 0; d < D; d++)
				h[k] += x[d] * w1[d * K + k];
			h[k] = 0.5 * h[k] * (1 + erf(h[k] / sqrt(2.0))); /* 0 far below 0, as PyTorch: seen where a gain is infinite */
			square += h[k] * h[k];
		}
		double scale = 1 / sqrt(square / (double)K + c->attr[0]), out = 0;
		for (int64_t d = 0; d < D; d++) {
			y[d] = 0;
			for (int64_t k = 0; k < K; k++)
				y[d] += h[k] * scale * c->in[3][k] * w2[k * D + d];
			out += y[d] * y[d];
		}
		for (int64_t d = 0; d < D; d++)
			y[d] = y[d] / sqrt(out / (double)D + c->attr[0]) * c->in[5][d];
	}
	free(h);
}

const struct op op_pffn = {
	.name = "pffn",
	.summary = "personalised feed-forward network: a layer per position, gelu, RMS norm, a layer, RMS norm",
	.dims = "B N D K",
	.tensor = {
		{ "x", "B N D", OP_IN, "T", OP_REAL, NULL },
		{ "w1", "N D K", OP_IN, "T", OP_REAL, NULL },
		{ "b1", "N K", OP_IN, "T", OP_REAL, NULL },
		{ "g1", "K", OP_IN, "T", OP_REAL, NULL },
		{ "w2", "N K D", OP_IN, "T", OP_REAL, NULL },
		{ "g2", "D", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B N D", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-6, false } },
	.body = "h[b,n,k] = gelu(b1[n,k] + sum(d) x[b,n,d] * w1[n,d,k]); q[b,n] = sum(k) sq(h[b,n,k]) / K; "
		"z[b,n,k] = h[b,n,k] * rsqrt(q[b,n] + eps) * g1[k]; o[b,n,d] = sum(k) z[b,n,k] * w2[n,k,d]; "
		"s[b,n] = sum(d) sq(o[b,n,d]) / D; y[b,n,d] = o[b,n,d] * rsqrt(s[b,n] + eps) * g2[d]",
	.reference = reference,
	.flop = "4*B*N*D*K",
	.terms = "D*K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=64 N=200 D=256 K=160", OP_LARGE, "f32", "paper/pffn_64x200x256x160" },
		{ "B=1024 N=200 D=256 K=160", OP_LARGE, "f32", "paper/pffn_1024x200x256x160" },
		{ "B=64 N=200 D=192 K=96", OP_LARGE, "f32", "paper/pffn_64x200x192x96" },
		{ "B=1024 N=200 D=192 K=96", OP_LARGE, "f32", "paper/pffn_1024x200x192x96" },
		{ "B=64 N=400 D=256 K=160", OP_LARGE, "f32", "paper/pffn_64x400x256x160" },
		{ "B=1024 N=400 D=256 K=160", OP_LARGE, "f32", "paper/pffn_1024x400x256x160" },
		{ "B=64 N=150 D=96 K=192", OP_LARGE, "f32", "paper/pffn_64x150x96x192" },
		{ "B=1024 N=150 D=96 K=192", OP_LARGE, "f32", "paper/pffn_1024x150x96x192" },
		{ "B=4 N=20 D=256 K=160", OP_FULL, "f32", "paper/pffn/cpu" },
		{ "B=3 N=11 D=77 K=53", OP_HELDOUT, "f32" },
		{ "B=2 N=3 D=5 K=7", OP_CHECK, NULL },
		{ "B=1 N=1 D=1 K=1", OP_CHECK, NULL },
		{ "B=3 N=2 D=17 K=9", OP_CHECK, NULL },
	},
	.torch = "(lambda h: (lambda o: o * torch.rsqrt((o * o).mean(-1, keepdim=True) + eps) * "
		"g2)(torch.einsum('bnk,nkd->bnd', h * torch.rsqrt((h * h).mean(-1, keepdim=True) + eps) * g1, "
		"w2)))(torch.nn.functional.gelu(b1 + torch.einsum('bnd,ndk->bnk', x, w1)))",
	.source_path = __FILE__,
};
