#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	int64_t k0 = (int64_t)c->attr[0], s0 = (int64_t)c->attr[1], p0 = (int64_t)c->attr[2], o0 = (d[1] + 2 * p0 - k0) / s0 + 1;
	int64_t k1 = (int64_t)c->attr[3], s1 = (int64_t)c->attr[4], p1 = (int64_t)c->attr[5], o1 = (d[2] + 2 * p1 - k1) / s1 + 1;
	int64_t k2 = (int64_t)c->attr[6], s2 = (int64_t)c->attr[7], p2 = (int64_t)c->attr[8], o2 = (d[3] + 2 * p2 - k2) / s2 + 1;
	double *y = c->out[0];

	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t i0 = 0; i0 < o0; i0++)
			for (int64_t i1 = 0; i1 < o1; i1++)
				for (int64_t i2 = 0; i2 < o2; i2++) {
					double total = 0;
					for (int64_t w0 = 0; w0 < k0; w0++)
						for (int64_t w1 = 0; w1 < k1; w1++)
							for (int64_t w2 = 0; w2 < k2; w2++) {
								int64_t a0 = i0 * s0 + w0 - p0;
								int64_t a1 = i1 * s1 + w1 - p1;
								int64_t a2 = i2 * s2 + w2 - p2;
								if (a0 < 0 || a0 >= d[1] || a1 < 0 || a1 >= d[2] || a2 < 0 || a2 >= d[3])
									continue;
								double v = c->in[0][((n * d[1] + a0) * d[2] + a1) * d[3] + a2];
								total += v;
							}
					*y++ = total / (double)(k0 * k1 * k2);
				}
}

const struct op op_avg_pool3d = {
	.name = "avg_pool3d",
	.summary = "mean of each window in 3 dimensions, padding counted",
	.dims = "N Z H W",
	.tensor = {
		{ "x", "N Z H W", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N (Z+2*PZ-KZ)//SZ+1 (H+2*PH-KH)//SH+1 (W+2*PW-KW)//SW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "KZ", 2, true }, { "SZ", 2, true }, { "PZ", 0, true }, { "KH", 2, true }, { "SH", 2, true }, { "PH", 0, true }, { "KW", 2, true }, { "SW", 2, true }, { "PW", 0, true } },
	.require = "KZ >= 1; SZ >= 1; PZ >= 0; KH >= 1; SH >= 1; PH >= 0; KW >= 1; SW >= 1; PW >= 0; 2*PH <= KH; "
		"2*PW <= KW; 2*PZ <= KZ",
	.body = "ZO = (Z + 2*PZ - KZ)//SZ + 1; HO = (H + 2*PH - KH)//SH + 1; WO = (W + 2*PW - KW)//SW + 1; "
		"y[n,z<ZO,h<HO,w<WO] = sum(u<KZ,v<KH,t<KW) (x[n,z*SZ+u-PZ,h*SH+v-PH,w*SW+t-PW] else 0) / (KZ*KH*KW)",
	.reference = reference,
	.flop = "N*((Z+2*PZ-KZ)//SZ+1)*((H+2*PH-KH)//SH+1)*((W+2*PW-KW)//SW+1)*KZ*KH*KW",
	.terms = "KZ*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=512 Z=128 H=128 W=256 KZ=3 PZ=1 KH=3 PH=1 KW=3 PW=1", OP_LARGE, "f32", "kb1/46" },
		{ "N=16 Z=48 H=48 W=48 KZ=3 PZ=1 KH=3 PH=1 KW=3 PW=1", OP_FULL, "f32", "kb1/46/cpu" },
		{ "N=2 Z=6 H=8 W=10 KZ=3 PZ=1 KH=3 PH=1 KW=3 PW=1", OP_CHECK, NULL },
		{ "N=7 Z=29 H=31 W=33 KZ=3 PZ=1 KH=3 PH=1 KW=3 PW=1", OP_HELDOUT, "f32" },
		{ "N=3 Z=5 H=7 W=9", OP_CHECK, NULL },
		{ "N=1 Z=2 H=2 W=2", OP_CHECK, NULL },
		{ "N=2 Z=11 H=12 W=13 KZ=3 SZ=3 PZ=1 KH=4 PH=2 KW=3 SW=3 PW=1", OP_CHECK, NULL },
		{ "N=2 Z=13 H=14 W=15 KZ=5 SZ=3 PZ=2 KH=5 SH=3 PH=2 KW=5 SW=3 PW=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.avg_pool3d(x.unsqueeze(1), (KZ, KH, KW,), (SZ, SH, SW,), (PZ, PH, PW,)).squeeze(1)",
	.opinfo = "nn.functional.avg_pool3d",
	.sample = "dict(x=spread(input, 3), **pool('ZHW', arg), out=lambda y: spread(y, 3))",
	.source_path = __FILE__,
};
