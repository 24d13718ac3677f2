#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	int64_t k0 = (int64_t)c->attr[0], s0 = (int64_t)c->attr[1], p0 = (int64_t)c->attr[2], g0 = (int64_t)c->attr[3], o0 = (d[1] + 2 * p0 - g0 * (k0 - 1) - 1) / s0 + 1;
	double *y = c->out[0];

	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t i0 = 0; i0 < o0; i0++) {
			double most = -INFINITY;
			for (int64_t w0 = 0; w0 < k0; w0++) {
				int64_t a0 = i0 * s0 + w0 * g0 - p0;
				if (a0 < 0 || a0 >= d[1])
					continue;
				double v = c->in[0][n * d[1] + a0];
				most = isnan(v) || v > most ? v : most;
			}
			*y++ = most;
		}
}

const struct op op_max_pool1d = {
	.name = "max_pool1d",
	.summary = "greatest value of each window in 1 dimension",
	.dims = "N L",
	.tensor = {
		{ "x", "N L", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N (L+2*P-D*(K-1)-1)//S+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 2, true }, { "S", 2, true }, { "P", 0, true }, { "D", 1, true } },
	.require = "K >= 1; S >= 1; P >= 0; D >= 1; 2*P <= K",
	.body = "LO = (L + 2*P - D*(K-1) - 1)//S + 1; y[n,l<LO] = max(u<K) (x[n,l*S+u*D-P] else -inf)",
	.reference = reference,
	.flop = "N*((L+2*P-D*(K-1)-1)//S+1)*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=12288 L=65536 K=8 S=1 P=4 D=3", OP_LARGE, "f32", "kb1/41" },
		{ "N=16 L=65536 K=8 S=1 P=4 D=3", OP_FULL, "f32", "kb1/41/cpu" },
		{ "N=2 L=27 K=8 S=1 P=4 D=3", OP_CHECK, NULL },
		{ "N=7 L=10007 K=8 S=1 P=4 D=3", OP_HELDOUT, "f32" },
		{ "N=3 L=5", OP_CHECK, NULL },
		{ "N=1 L=2", OP_CHECK, NULL },
		{ "N=2 L=11 K=3 S=3 P=1 D=2", OP_CHECK, NULL },
		{ "N=2 L=13 K=5 S=3 P=2 D=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.max_pool1d(x.unsqueeze(1), (K,), (S,), (P,), (D,)).squeeze(1)",
	.opinfo = "nn.functional.max_pool1d",
	.sample = "dict(x=spread(input, 1), **pool('', arg, True), out=lambda y, *i: spread(y, 1))",
	.source_path = __FILE__,
};
