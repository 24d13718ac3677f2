#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], O = c->dim[2], H = c->dim[3], W = c->dim[4], KH = c->dim[5], KW = c->dim[6];
	int64_t S = (int64_t)c->attr[0], P = (int64_t)c->attr[1], HO = (H + 2 * P - KH) / S + 1, WO = (W + 2 * P - KW) / S + 1;
	for (int64_t i = 0; i < N * C * H * W; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * O * HO * WO; i++)
		for (int64_t k = 0; k < C * KH * KW; k++) {
			int64_t n = i / (O * HO * WO), o = i / (HO * WO) % O, h = i / WO % HO * S + k / KW % KH - P, w = i % WO * S + k % KW - P, ch = k / (KH * KW);
			if (h < 0 || h >= H || w < 0 || w >= W)
				continue;
			c->out[0][((n * C + ch) * H + h) * W + w] += c->in[0][i] * c->in[1][o * C * KH * KW + k];
		}
}

const struct op op_conv2d_backward_input = {
	.name = "conv2d_backward_input",
	.summary = "gradient of conv2d with respect to its input",
	.dims = "NB C O H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "g", "NB O (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "NB C H W", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 1, true } },
	.require = "S >= 1; P >= 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"dx[nb,c,h,w] = sum(o,u<KH,v<KW if (h+P-u) % S == 0 && (w+P-v) % S == 0 && h+P-u >= 0 && (h+P-u)//S < HO && "
		"w+P-v >= 0 && (w+P-v)//S < WO) g[nb,o,(h+P-u)//S,(w+P-v)//S] * k[o,c,u,v]",
	.reference = reference,
	.flop = "2*NB*C*O*H*W*KH*KW",
	.terms = "O*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 C=16 O=24 H=28 W=28 KH=3 KW=3", OP_FULL, "f32" },
		{ "NB=2 C=7 O=11 H=17 W=19 KH=3 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=3 H=9 W=8 KH=3 KW=4 S=2 P=2", OP_CHECK, NULL },
		{ "NB=1 C=2 O=2 H=7 W=8 KH=2 KW=3 S=3 P=2", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.conv2d(x, k, stride=S, padding=P), x, "
		"g)[0])(torch.zeros(NB, C, H, W).requires_grad_())",
	.opinfo = "nn.functional.conv2d",
	.sample = "(lambda v: dict(g=v.g, k=args[0], H=input.shape[2], W=input.shape[3], **square(conv('HW', kw), "
		  "'SP'), want=v.d[0]))(vjp(input)) if input.dim() == 4 and kw.get('groups', 1) == 1 and "
		  "kw.get('dilation', 1) in (1, (1, 1)) else skip('groups or dilation')",
	.source_path = __FILE__,
};
