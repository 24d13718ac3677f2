#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], O = c->dim[2], H = c->dim[3], W = c->dim[4], KH = c->dim[5], KW = c->dim[6];
	int64_t S = (int64_t)c->attr[0], P = (int64_t)c->attr[1], HO = (H + 2 * P - KH) / S + 1, WO = (W + 2 * P - KW) / S + 1;
	for (int64_t i = 0; i < O * C * KH * KW; i++)
		c->out[0][i] = 0;
	for (int64_t o = 0; o < O; o++)
		c->out[1][o] = 0;
	for (int64_t i = 0; i < N * O * HO * WO; i++)
		c->out[1][i / (HO * WO) % O] += c->in[0][i];
	for (int64_t i = 0; i < N * O * HO * WO; i++)
		for (int64_t k = 0; k < C * KH * KW; k++) {
			int64_t n = i / (O * HO * WO), o = i / (HO * WO) % O, h = i / WO % HO * S + k / KW % KH - P, w = i % WO * S + k % KW - P, ch = k / (KH * KW);
			bool inside = h >= 0 && h < H && w >= 0 && w < W;
			c->out[0][o * C * KH * KW + k] += c->in[0][i] * (inside ? c->in[1][((n * C + ch) * H + h) * W + w] : 0);
		}
}

const struct op op_conv2d_backward_weight = {
	.name = "conv2d_backward_weight",
	.summary = "gradient of conv2d with respect to its weight, and to its bias",
	.dims = "NB C O H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "g", "NB O (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_IN, "T", OP_REAL, NULL },
		{ "x", "NB C H W", OP_IN, "T", OP_REAL, NULL },
		{ "dk", "O C KH KW", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "O", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 1, true } },
	.require = "S >= 1; P >= 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"dk[o,c,u<KH,v<KW] = sum(nb,h<HO,w<WO) g[nb,o,h,w] * (x[nb,c,h*S+u-P,w*S+v-P] else 0); "
		"db[o] = sum(nb,h<HO,w<WO) g[nb,o,h,w]",
	.reference = reference,
	.flop = "2*NB*C*O*H*W*KH*KW",
	.terms = "NB*H*W",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 C=16 O=24 H=28 W=28 KH=3 KW=3", OP_FULL, "f32" },
		{ "NB=2 C=7 O=11 H=17 W=19 KH=3 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=3 H=9 W=8 KH=3 KW=4 S=2 P=2", OP_CHECK, NULL },
		{ "NB=1 C=2 O=2 H=7 W=8 KH=2 KW=3 S=3 P=2", OP_CHECK, NULL },
	},
	.torch = "(lambda k, b: torch.autograd.grad(torch.nn.functional.conv2d(x, k, b, stride=S, padding=P), (k, "
		"b), g))(torch.zeros(O, C, KH, KW).requires_grad_(), torch.zeros(O).requires_grad_())",
	.opinfo = "nn.functional.conv2d",
	.sample = "(lambda v: dict(g=v.g, x=input, KH=args[0].shape[2], KW=args[0].shape[3], **square(conv('HW', "
		  "kw), 'SP'), want=v.d))(vjp(args[0], args[1])) if input.dim() == 4 and kw.get('groups', 1) == 1 "
		  "and kw.get('dilation', 1) in (1, (1, 1)) and args[1] is not None else skip('no bias, groups or "
		  "dilation')",
	.source_path = __FILE__,
};
