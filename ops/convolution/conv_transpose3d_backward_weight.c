#include "ops/core/op.h"

#include <math.h>

/* Where in the output's volume tap t puts point p of the input's, or -1: beyond it. */
static int64_t put(const struct op_case *c, int64_t p, int64_t t)
{
	int64_t at = 0, stride = 1;

	for (int d = 3; d-- > 0;) {
		int64_t in = c->dim[3 + d], k = c->dim[6 + d], S = (int64_t)c->attr[4 * d], P = (int64_t)c->attr[4 * d + 1], D = (int64_t)c->attr[4 * d + 2];
		int64_t out = (in - 1) * S - 2 * P + D * (k - 1) + (int64_t)c->attr[4 * d + 3] + 1, i = p % in * S + t % k * D - P;
		if (i < 0 || i >= out)
			return -1;
		at += i * stride;
		stride *= out;
		p /= in;
		t /= k;
	}
	return at;
}

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], CI = c->dim[1], OG = c->dim[2], G = (int64_t)c->attr[12], volume = c->dim[3] * c->dim[4] * c->dim[5], taps = c->dim[6] * c->dim[7] * c->dim[8], outside = 1;
	for (int d = 0; d < 3; d++)
		outside *= (c->dim[3 + d] - 1) * (int64_t)c->attr[4 * d] - 2 * (int64_t)c->attr[4 * d + 1] + (int64_t)c->attr[4 * d + 2] * (c->dim[6 + d] - 1) + (int64_t)c->attr[4 * d + 3] + 1;
	for (int64_t i = 0; i < CI * OG * taps; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * CI * volume; i++)
		for (int64_t j = 0; j < OG * taps; j++) {
			int64_t n = i / volume / CI, ci = i / volume % CI, o = ci / (CI / G) * OG + j / taps, at = put(c, i % volume, j % taps);
			double g = at < 0 ? 0 : c->in[0][(n * OG * G + o) * outside + at];
			c->out[0][ci * OG * taps + j] += g * c->in[1][i];
		}
}

const struct op op_conv_transpose3d_backward_weight = {
	.name = "conv_transpose3d_backward_weight",
	.summary = "gradient of conv_transpose3d with respect to its weight",
	.dims = "NB CI OG Z H W KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = {
		{ "g", "NB OG*G (Z-1)*SZ-2*PZ+DZ*(KZ-1)+QZ+1 (H-1)*SH-2*PH+DH*(KH-1)+QH+1 (W-1)*SW-2*PW+DW*(KW-1)+QW+1", OP_IN, "T", OP_REAL, NULL },
		{ "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		{ "dk", "CI OG KZ KH KW", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SZ", 1, true }, { "PZ", 0, true }, { "DZ", 1, true }, { "QZ", 0, true }, { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "QH", 0, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "QW", 0, true }, { "G", 1, true } },
	.require = "SZ >= 1; PZ >= 0; DZ >= 1; QZ >= 0; SH >= 1; PH >= 0; DH >= 1; QH >= 0; SW >= 1; PW >= 0; DW >= 1; "
		"QW >= 0; G >= 1; QZ < maximum(SZ,DZ); QH < maximum(SH,DH); QW < maximum(SW,DW); CI % G == 0",
	.body = "CG = CI//G; dk[ci,o<OG,u<KZ,v<KH,t<KW] = sum(nb,z<Z,h<H,w<W) x[nb,ci,z,h,w] * "
		"(g[nb,ci//CG*OG+o,z*SZ+u*DZ-PZ,h*SH+v*DH-PH,w*SW+t*DW-PW] else 0)",
	.reference = reference,
	.flop = "2*NB*CI*OG*Z*H*W*KZ*KH*KW",
	.terms = "NB*Z*H*W",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 CI=8 OG=12 Z=8 H=12 W=14 KZ=3 KH=3 KW=3", OP_FULL, "f32" },
		{ "NB=2 CI=5 OG=7 Z=7 H=9 W=11 KZ=3 KH=5 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 CI=2 OG=3 Z=4 H=5 W=6 KZ=3 KH=2 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 OG=1 Z=1 H=1 W=1 KZ=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 CI=4 OG=1 Z=4 H=5 W=6 KZ=2 KH=3 KW=2 SZ=2 PZ=2 DZ=3 QZ=1 SH=3 PH=1 DH=2 QH=1 SW=2 PW=2 DW=3 QW=1 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=2 Z=4 H=5 W=6 KZ=3 KH=2 KW=3 SZ=3 PZ=2 DZ=2 QZ=2 SH=3 PH=3 DH=4 QH=2 SW=3 PW=1 DW=2 QW=2 G=2", OP_CHECK, NULL },
	},
	.torch = "(lambda k: torch.autograd.grad(torch.nn.functional.conv_transpose3d(x, k, None, (SZ, SH, SW), (PZ, PH, PW), "
		"(QZ, QH, QW), G, (DZ, DH, DW)), k, g)[0])(torch.zeros(CI, OG, KZ, KH, KW).requires_grad_())",
	.opinfo = "nn.functional.conv_transpose3d",
	.sample = "(lambda v: dict(g=v.g, x=input, OG=args[0].shape[1], KZ=args[0].shape[2], KH=args[0].shape[3], KW=args[0].shape[4], "
		"**conv('ZHW', kw, True), want=v.d[0]))(vjp(args[0])) if input.dim() == 5 else skip('no batch')",
	.source_path = __FILE__,
};
