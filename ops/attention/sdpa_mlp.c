#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

/* One row: attention of head h at position i over its group's keys and values, into a[D]. */
static void attend(const struct op_case *c, int64_t h, int64_t i, double *p, double *a)
{
	int64_t H = c->dim[0], G = c->dim[1], N = c->dim[2], D = c->dim[3], g = h / (H / G);
	const double *q = c->in[0] + (h * N + i) * D, *k = c->in[1] + g * N * D, *v = c->in[2] + g * N * D;
	double most = -INFINITY, total = 0;

	for (int64_t j = 0; j <= i; j++) {
		p[j] = 0;
		for (int64_t d = 0; d < D; d++)
			p[j] += q[d] * k[j * D + d];
		p[j] /= sqrt((double)D);
		most = isnan(p[j]) || p[j] > most ? p[j] : most;
	}
	for (int64_t j = 0; j <= i; j++)
		total += p[j] = exp(p[j] - most);
	for (int64_t d = 0; d < D; d++) {
		a[d] = 0;
		for (int64_t j = 0; j <= i; j++)
			a[d] += p[j] / total * v[j * D + d];
	}
}

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[0], N = c->dim[2], D = c->dim[3], F = c->dim[4], M = c->dim[5];
	double *p = malloc((size_t)(N + H * D + F) * sizeof(*p)), *a = p + N, *t = a + H * D;

	if (!p)
		abort();
	for (int64_t i = 0; i < N; i++) {
		for (int64_t h = 0; h < H; h++)
			attend(c, h, i, p, a + h * D);
		for (int64_t f = 0; f < F; f++) {
			double gate = 0, up = 0;
			for (int64_t x = 0; x < H * D; x++) {
				gate += a[x] * c->in[3][f * H * D + x];
				up += a[x] * c->in[4][f * H * D + x];
			}
			t[f] = gate / (1 + exp(-gate)) * up;
		}
		for (int64_t m = 0; m < M; m++) {
			double sum = 0;
			for (int64_t f = 0; f < F; f++)
				sum += t[f] * c->in[5][m * F + f];
			c->out[0][i * M + m] = sum;
		}
	}
	free(p);
}

const struct op op_sdpa_mlp = {
	.name = "sdpa_mlp",
	.summary = "causal attention of H heads on G groups of keys and values, then a gated MLP, as in Llama 3.1's layers",
	.dims = "H G N D F M",
	.tensor = {
		{ "q", "H N D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "G N D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "G N D", OP_IN, "T", OP_REAL, NULL },
		{ "gate", "F H D", OP_IN, "T", OP_REAL, NULL },
		{ "up", "F H D", OP_IN, "T", OP_REAL, NULL },
		{ "down", "M F", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N M", OP_OUT, "T", OP_REAL, NULL },
	},
	.require = "H % G == 0",
	.body = "s[h,i<N,j<N] = sum(d) q[h,i,d] * k[h//(H//G),j,d] / sqrt(D); peak[h,i<N] = max(j<=i) s[h,i,j]; "
		"p[h,i<N,j<N] = exp(s[h,i,j] - peak[h,i]); l[h,i<N] = sum(j<=i) p[h,i,j]; "
		"a[i<N,h,d] = sum(j<=i) p[h,i,j] * v[h//(H//G),j,d] / l[h,i]; "
		"t[i<N,f] = silu(sum(h,d) a[i,h,d] * gate[f,h,d]) * (sum(h,d) a[i,h,d] * up[f,h,d]); "
		"y[n,m] = sum(f) t[n,f] * down[m,f]",
	.reference = reference,
	.flop = "2*H*N*N*D+4*N*H*D*F+2*N*F*M",
	.terms = "N+D+H*D+F",
	.tolerance = 2,
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "H=32 G=8 N=2048 D=128 F=14336 M=4096", OP_LARGE, "f32 bf16", "paper/sdpa_mlp" },
		{ "H=8 G=2 N=128 D=64 F=512 M=256", OP_FULL, "f32", "paper/sdpa_mlp/cpu" },
		{ "H=6 G=3 N=37 D=24 F=65 M=33", OP_HELDOUT, "f32" },
		{ "H=2 G=1 N=3 D=5 F=7 M=4", OP_CHECK, NULL },
		{ "H=1 G=1 N=1 D=1 F=1 M=1", OP_CHECK, NULL },
		{ "H=6 G=3 N=11 D=4 F=9 M=5", OP_CHECK, NULL },
	},
	.torch = "(lambda a: (torch.nn.functional.silu(a @ gate.flatten(1).T) * (a @ up.flatten(1).T)) @ "
		 "down.T)((torch.softmax((q @ k.repeat_interleave(H // G, 0).transpose(1, 2) / "
		 "math.sqrt(D)).masked_fill(torch.triu(torch.ones(N, N), 1) > 0, -math.inf), -1) @ "
		 "v.repeat_interleave(H // G, 0)).transpose(0, 1).flatten(1))",
	.source_path = __FILE__,
};
