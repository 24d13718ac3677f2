#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], H = c->dim[1], W = c->dim[2], K = (int64_t)c->attr[0], S = (int64_t)c->attr[1], P = (int64_t)c->attr[2];
	int64_t HO = (H + 2 * P - K) / S + 1, WO = (W + 2 * P - K) / S + 1;
	for (int64_t i = 0; i < N * H * W; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * HO * WO; i++)
		for (int64_t k = 0; k < K * K; k++) {
			int64_t h = i / WO % HO * S + k / K - P, w = i % WO * S + k % K - P;
			if (h >= 0 && h < H && w >= 0 && w < W)
				c->out[0][(i / (HO * WO) * H + h) * W + w] += c->in[0][i] / (double)(K * K);
		}
}

const struct op op_avg_pool2d_backward = {
	.name = "avg_pool2d_backward",
	.summary = "gradient of avg_pool2d",
	.dims = "N H W",
	.tensor = {
		{ "g", "N (H+2*P-K)//S+1 (W+2*P-K)//S+1", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N H W", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 2, true }, { "S", 2, true }, { "P", 0, true } },
	.require = "K >= 1; S >= 1; P >= 0; 2*P <= K",
	.body = "dx[n,h,w] = sum(u<K,v<K if (h+P-u) % S == 0 && (w+P-v) % S == 0) (g[n,(h+P-u)//S,(w+P-v)//S] else 0) / (K*K)",
	.reference = reference,
	.flop = "N*H*W*K*K",
	.terms = "K*K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=64 H=56 W=56", OP_FULL, "f32" },
		{ "N=7 H=33 W=35", OP_HELDOUT, "f32" },
		{ "N=3 H=5 W=7", OP_CHECK, NULL },
		{ "N=1 H=2 W=2", OP_CHECK, NULL },
		{ "N=2 H=11 W=9 K=4 S=3 P=2", OP_CHECK, NULL },
		{ "N=2 H=8 W=9 K=3 S=2 P=1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.avg_pool2d(x.unsqueeze(1), K, S, "
		"P).squeeze(1), x, g)[0])(torch.zeros(N, H, W).requires_grad_())",
	.opinfo = "nn.functional.avg_pool2d",
	.sample = "(lambda v: dict(g=spread(v.g, 2), H=input.shape[-2], W=input.shape[-1], **square(pool('HW', "
		  "arg)), want=spread(v.d[0], 2)))(vjp(input))",
	.source_path = __FILE__,
};
