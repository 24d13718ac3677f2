#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	int64_t k0 = (int64_t)c->attr[0], s0 = (int64_t)c->attr[1], p0 = (int64_t)c->attr[2], g0 = (int64_t)c->attr[3], o0 = (d[1] + 2 * p0 - g0 * (k0 - 1) - 1) / s0 + 1;
	int64_t k1 = (int64_t)c->attr[4], s1 = (int64_t)c->attr[5], p1 = (int64_t)c->attr[6], g1 = (int64_t)c->attr[7], o1 = (d[2] + 2 * p1 - g1 * (k1 - 1) - 1) / s1 + 1;
	double *y = c->out[0];

	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t i0 = 0; i0 < o0; i0++)
			for (int64_t i1 = 0; i1 < o1; i1++) {
				double most = -INFINITY;
				for (int64_t w0 = 0; w0 < k0; w0++)
					for (int64_t w1 = 0; w1 < k1; w1++) {
						int64_t a0 = i0 * s0 + w0 * g0 - p0;
						int64_t a1 = i1 * s1 + w1 * g1 - p1;
						if (a0 < 0 || a0 >= d[1] || a1 < 0 || a1 >= d[2])
							continue;
						double v = c->in[0][(n * d[1] + a0) * d[2] + a1];
						most = isnan(v) || v > most ? v : most;
					}
				*y++ = most;
			}
}

const struct op op_max_pool2d = {
	.name = "max_pool2d",
	.summary = "greatest value of each window in 2 dimensions",
	.dims = "N H W",
	.tensor = {
		{ "x", "N H W", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N (H+2*PH-DH*(KH-1)-1)//SH+1 (W+2*PW-DW*(KW-1)-1)//SW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "KH", 2, true }, { "SH", 2, true }, { "PH", 0, true }, { "DH", 1, true }, { "KW", 2, true }, { "SW", 2, true }, { "PW", 0, true }, { "DW", 1, true } },
	.require = "KH >= 1; SH >= 1; PH >= 0; DH >= 1; KW >= 1; SW >= 1; PW >= 0; DW >= 1; 2*PH <= KH; 2*PW <= KW",
	.body = "HO = (H + 2*PH - DH*(KH-1) - 1)//SH + 1; WO = (W + 2*PW - DW*(KW-1) - 1)//SW + 1; "
		"y[n,h<HO,w<WO] = max(u<KH,v<KW) (x[n,h*SH+u*DH-PH,w*SW+v*DW-PW] else -inf)",
	.reference = reference,
	.flop = "N*((H+2*PH-DH*(KH-1)-1)//SH+1)*((W+2*PW-DW*(KW-1)-1)//SW+1)*KH*KW",
	.terms = "KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=2048 H=512 W=512 KH=4 SH=1 PH=1 KW=4 SW=1 PW=1", OP_LARGE, "f32", "kb1/42" },
		{ "N=16 H=256 W=256 KH=4 SH=1 PH=1 KW=4 SW=1 PW=1", OP_FULL, "f32", "kb1/42/cpu" },
		{ "N=2 H=7 W=9 KH=4 SH=1 PH=1 KW=4 SW=1 PW=1", OP_CHECK, NULL },
		{ "N=7 H=131 W=123 KH=4 SH=1 PH=1 KW=4 SW=1 PW=1", OP_HELDOUT, "f32" },
		{ "N=3 H=5 W=7", OP_CHECK, NULL },
		{ "N=1 H=2 W=2", OP_CHECK, NULL },
		{ "N=7 H=3 W=4 KH=2 SH=2 PH=1 KW=2 SW=2 PW=1", OP_CHECK, NULL },
		{ "N=2 H=11 W=12 KH=3 SH=3 PH=1 DH=2 KW=4 PW=2 DW=3", OP_CHECK, NULL },
		{ "N=2 H=13 W=14 KH=5 SH=3 PH=2 DH=2 KW=5 SW=3 PW=2 DW=3", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.max_pool2d(x.unsqueeze(1), (KH, KW,), (SH, SW,), (PH, PW,), (DH, DW,)).squeeze(1)",
	.opinfo = "nn.functional.max_pool2d",
	.sample = "dict(x=spread(input, 2), **pool('HW', arg, True), out=lambda y, *i: spread(y, 2))",
	.source_path = __FILE__,
};
