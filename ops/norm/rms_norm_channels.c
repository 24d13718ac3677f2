#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], S = c->dim[2];
	for (int64_t n = 0; n < N; n++)
		for (int64_t s = 0; s < S; s++) {
			double square = 0;
			for (int64_t k = 0; k < C; k++)
				square += pow(c->in[0][(n * C + k) * S + s], 2) / (double)C;
			for (int64_t k = 0; k < C; k++)
				c->out[0][(n * C + k) * S + s] = c->in[0][(n * C + k) * S + s] / sqrt(square + c->attr[0]);
		}
}

const struct op op_rms_norm_channels = {
	.name = "rms_norm_channels",
	.summary = "root mean square normalisation over the channels of each pixel",
	.dims = "N C S",
	.tensor = {
		{ "x", "N C S", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N C S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.body = "q[n,s] = sum(c) sq(x[n,c,s]) / C; y[n,c,s] = x[n,c,s] / sqrt(q[n,s] + eps)",
	.reference = reference,
	.flop = "4*N*C*S",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=112 C=64 S=262144", OP_LARGE, "f32", "kb1/36" },
		{ "N=2 C=64 S=16384", OP_FULL, "f32", "kb1/36/cpu" },
		{ "N=4 C=64 S=4096", OP_FULL, "f32" },
		{ "N=3 C=19 S=777", OP_HELDOUT, "f32" },
		{ "N=3 C=5 S=7", OP_CHECK, NULL },
		{ "N=2 C=2 S=1", OP_CHECK, NULL },
		{ "N=2 C=6 S=33", OP_CHECK, NULL },
		{ "N=5 C=3 S=2 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "x / torch.sqrt((x * x).mean(1, keepdim=True) + eps)",
	.source_path = __FILE__,
};
