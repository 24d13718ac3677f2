#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	int64_t k0 = (int64_t)c->attr[0], s0 = (int64_t)c->attr[1], p0 = (int64_t)c->attr[2], g0 = (int64_t)c->attr[3], o0 = (d[1] + 2 * p0 - g0 * (k0 - 1) - 1) / s0 + 1;
	int64_t k1 = (int64_t)c->attr[4], s1 = (int64_t)c->attr[5], p1 = (int64_t)c->attr[6], g1 = (int64_t)c->attr[7], o1 = (d[2] + 2 * p1 - g1 * (k1 - 1) - 1) / s1 + 1;
	int64_t k2 = (int64_t)c->attr[8], s2 = (int64_t)c->attr[9], p2 = (int64_t)c->attr[10], g2 = (int64_t)c->attr[11], o2 = (d[3] + 2 * p2 - g2 * (k2 - 1) - 1) / s2 + 1;
	double *y = c->out[0];

	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t i0 = 0; i0 < o0; i0++)
			for (int64_t i1 = 0; i1 < o1; i1++)
				for (int64_t i2 = 0; i2 < o2; i2++) {
					double most = -INFINITY;
					for (int64_t w0 = 0; w0 < k0; w0++)
						for (int64_t w1 = 0; w1 < k1; w1++)
							for (int64_t w2 = 0; w2 < k2; w2++) {
								int64_t a0 = i0 * s0 + w0 * g0 - p0;
								int64_t a1 = i1 * s1 + w1 * g1 - p1;
								int64_t a2 = i2 * s2 + w2 * g2 - p2;
								if (a0 < 0 || a0 >= d[1] || a1 < 0 || a1 >= d[2] || a2 < 0 || a2 >= d[3])
									continue;
								double v = c->in[0][((n * d[1] + a0) * d[2] + a1) * d[3] + a2];
								most = isnan(v) || v > most ? v : most;
							}
					*y++ = most;
				}
}

const struct op op_max_pool3d = {
	.name = "max_pool3d",
	.summary = "greatest value of each window in 3 dimensions",
	.dims = "N Z H W",
	.tensor = {
		{ "x", "N Z H W", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N (Z+2*PZ-DZ*(KZ-1)-1)//SZ+1 (H+2*PH-DH*(KH-1)-1)//SH+1 (W+2*PW-DW*(KW-1)-1)//SW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "KZ", 2, true }, { "SZ", 2, true }, { "PZ", 0, true }, { "DZ", 1, true }, { "KH", 2, true }, { "SH", 2, true }, { "PH", 0, true }, { "DH", 1, true }, { "KW", 2, true }, { "SW", 2, true }, { "PW", 0, true }, { "DW", 1, true } },
	.require = "KZ >= 1; SZ >= 1; PZ >= 0; DZ >= 1; KH >= 1; SH >= 1; PH >= 0; DH >= 1; KW >= 1; SW >= 1; PW >= 0; "
		"DW >= 1; 2*PH <= KH; 2*PW <= KW; 2*PZ <= KZ",
	.body = "ZO = (Z + 2*PZ - DZ*(KZ-1) - 1)//SZ + 1; HO = (H + 2*PH - DH*(KH-1) - 1)//SH + 1; "
		"WO = (W + 2*PW - DW*(KW-1) - 1)//SW + 1; "
		"y[n,z<ZO,h<HO,w<WO] = max(u<KZ,v<KH,t<KW) (x[n,z*SZ+u*DZ-PZ,h*SH+v*DH-PH,w*SW+t*DW-PW] else -inf)",
	.reference = reference,
	.flop = "N*((Z+2*PZ-DZ*(KZ-1)-1)//SZ+1)*((H+2*PH-DH*(KH-1)-1)//SH+1)*((W+2*PW-DW*(KW-1)-1)//SW+1)*KZ*KH*KW",
	.terms = "KZ*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=512 Z=128 H=128 W=128 KZ=3 PZ=1 DZ=3 KH=3 PH=1 DH=3 KW=3 PW=1 DW=3", OP_LARGE, "f32", "kb1/43" },
		{ "N=16 Z=48 H=48 W=48 KZ=3 PZ=1 DZ=3 KH=3 PH=1 DH=3 KW=3 PW=1 DW=3", OP_FULL, "f32", "kb1/43/cpu" },
		{ "N=2 Z=12 H=14 W=16 KZ=3 PZ=1 DZ=3 KH=3 PH=1 DH=3 KW=3 PW=1 DW=3", OP_CHECK, NULL },
		{ "N=7 Z=29 H=31 W=33 KZ=3 PZ=1 DZ=3 KH=3 PH=1 DH=3 KW=3 PW=1 DW=3", OP_HELDOUT, "f32" },
		{ "N=3 Z=5 H=7 W=9", OP_CHECK, NULL },
		{ "N=1 Z=2 H=2 W=2", OP_CHECK, NULL },
		{ "N=7 Z=2 H=3 W=4 PZ=1 PH=1 PW=1", OP_CHECK, NULL },
		{ "N=2 Z=11 H=12 W=13 KZ=3 SZ=3 PZ=1 DZ=2 KH=4 PH=2 DH=3 KW=3 SW=3 PW=1 DW=2", OP_CHECK, NULL },
		{ "N=2 Z=13 H=14 W=15 KZ=5 SZ=3 PZ=2 DZ=2 KH=5 SH=3 PH=2 DH=3 KW=5 SW=3 PW=2 DW=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.max_pool3d(x.unsqueeze(1), (KZ, KH, KW,), (SZ, SH, SW,), (PZ, PH, PW,), "
		"(DZ, DH, DW,)).squeeze(1)",
	.opinfo = "nn.functional.max_pool3d",
	.sample = "dict(x=spread(input, 3), **pool('ZHW', arg, True), out=lambda y, *i: spread(y, 3))",
	.source_path = __FILE__,
};
