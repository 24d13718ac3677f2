#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[0], I = c->dim[1], J = c->dim[2], D = c->dim[3], E = c->dim[4];
	double *p = malloc((size_t)J * sizeof(*p));

	if (!p)
		abort();
	for (int64_t h = 0; h < H; h++)
		for (int64_t i = 0; i < I; i++) {
			int64_t count = J;
			double most = -INFINITY, total = 0;
			for (int64_t j = 0; j < count; j++) {
				p[j] = 0;
				for (int64_t d = 0; d < D; d++)
					p[j] += c->in[0][(h * I + i) * D + d] * c->in[1][(h * J + j) * D + d];
				p[j] = p[j] / sqrt((double)D) + c->in[3][i * J + j];
				most = isnan(p[j]) || p[j] > most ? p[j] : most;
			}
			for (int64_t j = 0; j < count; j++)
				total += p[j] = exp(p[j] - most);
			for (int64_t e = 0; e < E; e++) {
				double sum = 0;
				for (int64_t j = 0; j < count; j++)
					sum += p[j] / total * c->in[2][(h * J + j) * E + e];
				c->out[0][(h * I + i) * E + e] = sum;
			}
		}
	free(p);
}

const struct op op_masked_attention = {
	.name = "masked_attention",
	.summary = "attention with a bias added to the scores",
	.dims = "H I J D E",
	.tensor = {
		{ "q", "H I D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "H J D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "H J E", OP_IN, "T", OP_REAL, NULL },
		{ "b", "I J", OP_IN, "T", OP_REAL, NULL },
		{ "y", "H I E", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[h,i,j] = sum(d) q[h,i,d] * k[h,j,d] / sqrt(D) + b[i,j]; m[h,i] = max(j) s[h,i,j]; "
		"p[h,i,j] = exp(s[h,i,j] - m[h,i]); l[h,i] = sum(j) p[h,i,j]; "
		"y[h,i,e] = sum(j) p[h,i,j] * v[h,j,e] / l[h,i]",
	.reference = reference,
	.flop = "2*H*I*J*(D+E)",
	.terms = "maximum(J,D)",
	.tolerance = 2,
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "H=8 I=256 J=256 D=64 E=64", OP_FULL, "f32" },
		{ "H=3 I=101 J=133 D=48 E=40", OP_HELDOUT, "f32" },
		{ "H=2 I=3 J=5 D=7 E=4", OP_CHECK, NULL },
		{ "H=1 I=1 J=1 D=1 E=1", OP_CHECK, NULL },
		{ "H=3 I=9 J=17 D=8 E=11", OP_CHECK, NULL },
	},
	.torch = "torch.softmax(q @ k.transpose(1, 2) / math.sqrt(D) + b, -1) @ v",
	.opinfo = "nn.functional.scaled_dot_product_attention",
	.sample = "dict(q=spread(input, 2), k=spread(args[0], 2), v=spread(args[1], 2), b=kw['attn_mask']) if kw.get('attn_mask') is not None and kw['attn_mask'].is_floating_point() and kw['attn_mask'].dim() == 2 and not "
		"kw.get('is_causal') and not kw.get('dropout_p') and "
		"input.shape[:-2] == args[0].shape[:-2] "
		"else skip('another mask, dropout or groups of heads')",
	.source_path = __FILE__,
};
