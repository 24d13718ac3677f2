#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], CI = c->dim[1], OG = c->dim[2], H = c->dim[3], W = c->dim[4], KH = c->dim[5], KW = c->dim[6], G = (int64_t)c->attr[8];
	int64_t SH = (int64_t)c->attr[0], PH = (int64_t)c->attr[1], DH = (int64_t)c->attr[2], SW = (int64_t)c->attr[4], PW = (int64_t)c->attr[5], DW = (int64_t)c->attr[6];
	int64_t HO = (H - 1) * SH - 2 * PH + DH * (KH - 1) + (int64_t)c->attr[3] + 1, WO = (W - 1) * SW - 2 * PW + DW * (KW - 1) + (int64_t)c->attr[7] + 1;
	for (int64_t i = 0; i < N * CI * H * W; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * CI * H * W; i++)
		for (int64_t j = 0; j < OG * KH * KW; j++) {
			int64_t n = i / (CI * H * W), ci = i / (H * W) % CI, o = ci / (CI / G) * OG + j / (KH * KW);
			int64_t h = i / W % H * SH + j / KW % KH * DH - PH, w = i % W * SW + j % KW * DW - PW;
			bool is_inside = h >= 0 && h < HO && w >= 0 && w < WO;
			double g = is_inside ? c->in[0][((n * OG * G + o) * HO + h) * WO + w] : 0;
			c->out[0][i] += g * c->in[1][ci * OG * KH * KW + j];
		}
}

const struct op op_conv_transpose2d_backward_input = {
	.name = "conv_transpose2d_backward_input",
	.summary = "gradient of conv_transpose2d with respect to its input",
	.dims = "NB CI OG H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "g", "NB OG*G (H-1)*SH-2*PH+DH*(KH-1)+QH+1 (W-1)*SW-2*PW+DW*(KW-1)+QW+1", OP_IN, "T", OP_REAL, NULL },
		{ "k", "CI OG KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "NB CI H W", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "QH", 0, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "QW", 0, true }, { "G", 1, true } },
	.require = "SH >= 1; PH >= 0; DH >= 1; QH >= 0; SW >= 1; PW >= 0; DW >= 1; QW >= 0; G >= 1; "
		"QH < maximum(SH,DH); QW < maximum(SW,DW); CI % G == 0",
	.body = "CG = CI//G; dx[nb,ci,h,w] = sum(o<OG,u<KH,v<KW) (g[nb,ci//CG*OG+o,h*SH+u*DH-PH,w*SW+v*DW-PW] else 0) "
		"* k[ci,o,u,v]",
	.reference = reference,
	.flop = "2*NB*CI*OG*H*W*KH*KW",
	.terms = "OG*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 CI=16 OG=24 H=28 W=24 KH=3 KW=3", OP_FULL, "f32" },
		{ "NB=2 CI=7 OG=9 H=19 W=17 KH=3 KW=5", OP_HELDOUT, "f32" },
		{ "NB=1 CI=3 OG=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 OG=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 CI=4 OG=3 H=6 W=7 KH=2 KW=3 SH=2 PH=2 DH=3 QH=1 SW=3 PW=1 DW=2 QW=1 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=2 H=7 W=8 KH=3 KW=2 SH=3 PH=2 DH=2 QH=2 SW=3 PW=2 DW=2 QW=2 G=2", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.conv_transpose2d(x, k, None, (SH, SW), (PH, PW), "
		"(QH, QW), G, (DH, DW)), x, g)[0])(torch.zeros(NB, CI, H, W).requires_grad_())",
	.opinfo = "nn.functional.conv_transpose2d",
	.sample = "(lambda v: dict(g=v.g, k=args[0], H=input.shape[2], W=input.shape[3], **conv('HW', kw, True), want=v.d))(vjp(input)) if input.dim() == 4 else "
		"skip('no batch')",
	.source_path = __FILE__,
};
