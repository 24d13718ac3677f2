#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[0], I = c->dim[1], J = I, D = c->dim[2], E = c->dim[3];
	double *p = malloc((size_t)J * sizeof(*p));

	if (!p)
		abort();
	for (int64_t h = 0; h < H; h++)
		for (int64_t i = 0; i < I; i++) {
			int64_t count = i + 1;
			double most = -INFINITY, total = 0;
			for (int64_t j = 0; j < count; j++) {
				p[j] = 0;
				for (int64_t d = 0; d < D; d++)
					p[j] += c->in[0][(h * I + i) * D + d] * c->in[1][(h * J + j) * D + d];
				p[j] = p[j] / sqrt((double)D);
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

const struct op op_causal_attention = {
	.name = "causal_attention",
	.summary = "attention to positions not later than its own",
	.dims = "H I D E",
	.tensor = {
		{ "q", "H I D", OP_IN, "T", OP_REAL, NULL },
		{ "k", "H I D", OP_IN, "T", OP_REAL, NULL },
		{ "v", "H I E", OP_IN, "T", OP_REAL, NULL },
		{ "y", "H I E", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[h,i,j<I] = sum(d) q[h,i,d] * k[h,j,d] / sqrt(D); m[h,i] = max(j<=i) s[h,i,j]; "
		"p[h,i,j<I] = exp(s[h,i,j] - m[h,i]); l[h,i] = sum(j<=i) p[h,i,j]; "
		"y[h,i,e] = sum(j<=i) p[h,i,j] * v[h,j,e] / l[h,i]",
	.reference = reference,
	.flop = "H*I*I*(D+E)",
	.terms = "maximum(I,D)",
	.tolerance = 2,
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "H=8 I=256 D=64 E=64", OP_FULL, "f32" },
		{ "H=3 I=101 D=48 E=40", OP_HELDOUT, "f32" },
		{ "H=2 I=3 D=7 E=4", OP_CHECK, NULL },
		{ "H=1 I=1 D=1 E=1", OP_CHECK, NULL },
		{ "H=3 I=17 D=8 E=11", OP_CHECK, NULL },
	},
	.torch = "torch.softmax((q @ k.transpose(1, 2) / "
		"math.sqrt(D)).masked_fill(torch.triu(torch.ones(q.shape[1], q.shape[1]), 1) > 0, -math.inf), -1) @ v",
	.opinfo = "nn.functional.scaled_dot_product_attention",
	.sample = "dict(q=spread(input, 2), k=spread(args[0], 2)[:, :input.shape[-2]], v=spread(args[1], 2)[:, :input.shape[-2]]) if kw.get('is_causal') and not kw.get('dropout_p') and "
		"input.shape[:-2] == args[0].shape[:-2] and input.shape[-2] <= args[0].shape[-2] "
		"else skip('another mask, dropout or groups of heads')",
	.source_path = __FILE__,
};
