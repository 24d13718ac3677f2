#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], O = c->dim[2], H = c->dim[3], W = c->dim[4], KH = c->dim[5], KW = c->dim[6], G = (int64_t)c->attr[6];
	int64_t SH = (int64_t)c->attr[0], PH = (int64_t)c->attr[1], DH = (int64_t)c->attr[2], SW = (int64_t)c->attr[3], PW = (int64_t)c->attr[4], DW = (int64_t)c->attr[5];
	int64_t HO = (H + 2 * PH - DH * (KH - 1) - 1) / SH + 1, WO = (W + 2 * PW - DW * (KW - 1) - 1) / SW + 1;
	for (int64_t i = 0; i < N * C * G * H * W; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * O * HO * WO; i++)
		for (int64_t k = 0; k < C * KH * KW; k++) {
			int64_t n = i / (O * HO * WO), o = i / (HO * WO) % O, ch = o / (O / G) * C + k / (KH * KW);
			int64_t h = i / WO % HO * SH + k / KW % KH * DH - PH, w = i % WO * SW + k % KW * DW - PW;
			if (h >= 0 && h < H && w >= 0 && w < W)
				c->out[0][((n * C * G + ch) * H + h) * W + w] += c->in[0][i] * c->in[1][o * C * KH * KW + k];
		}
}

const struct op op_conv2d_grouped_backward_input = {
	.name = "conv2d_grouped_backward_input",
	.summary = "gradient of conv2d_grouped (depthwise where every channel is a group) with respect to its input",
	.dims = "NB C O H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "g", "NB O (H+2*PH-DH*(KH-1)-1)//SH+1 (W+2*PW-DW*(KW-1)-1)//SW+1", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "NB C*G H W", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "G", 1, true } },
	.require = "SH >= 1; PH >= 0; DH >= 1; SW >= 1; PW >= 0; DW >= 1; G >= 1; O % G == 0",
	.body = "HO = (H + 2*PH - DH*(KH-1) - 1)//SH + 1; WO = (W + 2*PW - DW*(KW-1) - 1)//SW + 1; E = O//G; "
		"dx[nb,c<C*G,h,w] = sum(e<E,u<KH,v<KW if (h+PH-u*DH) % SH == 0 && h+PH-u*DH >= 0 && h+PH-u*DH < HO*SH && "
		"(w+PW-v*DW) % SW == 0 && w+PW-v*DW >= 0 && w+PW-v*DW < WO*SW) "
		"g[nb,c//C*E+e,(h+PH-u*DH)//SH,(w+PW-v*DW)//SW] * k[c//C*E+e,c%C,u,v]",
	.reference = reference,
	.flop = "2*NB*O*((H+2*PH-DH*(KH-1)-1)//SH+1)*((W+2*PW-DW*(KW-1)-1)//SW+1)*C*KH*KW",
	.terms = "(O//G)*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 C=1 O=16 H=28 W=28 KH=3 KW=3 PH=1 PW=1 G=16", OP_FULL, "f32" },
		{ "NB=2 C=5 O=12 H=17 W=19 KH=3 KW=5 PH=1 PW=1 G=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=6 H=6 W=7 KH=2 KW=3 SH=2 PH=2 DH=3 SW=3 PW=1 DW=2 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=4 H=9 W=8 KH=3 KW=2 SH=3 PH=2 DH=2 SW=3 PW=2 DW=4 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=16 H=5 W=7 KH=3 KW=3 PH=1 PW=1 G=16", OP_CHECK, NULL },
		{ "NB=2 C=2 O=6 H=5 W=6 KH=3 KW=3 PH=1 PW=1 G=3", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.conv2d(x, k, None, (SH, SW), (PH, PW), (DH, DW), G), x, "
		"g)[0])(torch.zeros(NB, C * G, H, W).requires_grad_())",
	.opinfo = "nn.functional.conv2d",
	.sample = "(lambda v: dict(g=v.g, k=args[0], H=input.shape[2], W=input.shape[3], **conv('HW', kw), want=v.d[0]))(vjp(input)) "
		"if input.dim() == 4 else skip('no batch')",
	.source_path = __FILE__,
};
