#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	int64_t k0 = (int64_t)c->attr[0], s0 = (int64_t)c->attr[1], p0 = (int64_t)c->attr[2], o0 = (d[1] + 2 * p0 - k0) / s0 + 1;
	double *y = c->out[0];

	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t i0 = 0; i0 < o0; i0++) {
			double total = 0;
			for (int64_t w0 = 0; w0 < k0; w0++) {
				int64_t a0 = i0 * s0 + w0 - p0;
				if (a0 < 0 || a0 >= d[1])
					continue;
				double v = c->in[0][n * d[1] + a0];
				total += v;
			}
			*y++ = total / (double)(k0);
		}
}

const struct op op_avg_pool1d = {
	.name = "avg_pool1d",
	.summary = "mean of each window in 1 dimension, padding counted",
	.dims = "N L",
	.tensor = {
		{ "x", "N L", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N (L+2*P-K)//S+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 2, true }, { "S", 2, true }, { "P", 0, true } },
	.require = "K >= 1; S >= 1; P >= 0; 2*P <= K",
	.body = "LO = (L + 2*P - K)//S + 1; y[n,l<LO] = sum(u<K) (x[n,l*S+u-P] else 0) / (K)",
	.reference = reference,
	.flop = "N*((L+2*P-K)//S+1)*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=8192 L=65536 K=8 S=1 P=4", OP_LARGE, "f32", "kb1/44" },
		{ "N=16 L=65536 K=8 S=1 P=4", OP_FULL, "f32", "kb1/44/cpu" },
		{ "N=2 L=11 K=8 S=1 P=4", OP_CHECK, NULL },
		{ "N=7 L=10007 K=8 S=1 P=4", OP_HELDOUT, "f32" },
		{ "N=3 L=5", OP_CHECK, NULL },
		{ "N=1 L=2", OP_CHECK, NULL },
		{ "N=2 L=11 K=3 S=3 P=1", OP_CHECK, NULL },
		{ "N=2 L=13 K=5 S=3 P=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.avg_pool1d(x.unsqueeze(1), (K,), (S,), (P,)).squeeze(1)",
	.opinfo = "nn.functional.avg_pool1d",
	.sample = "dict(x=spread(input, 1), **pool('', arg), out=lambda y: spread(y, 1))",
	.source_path = __FILE__,
};
