#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[1], W = c->dim[2], HO = c->dim[3], WO = c->dim[4];
	for (int64_t i = 0; i < c->dim[0] * H * W; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < c->dim[0] * HO * WO; i++)
		c->out[0][(i / (HO * WO) * H + i / WO % HO * H / HO) * W + i % WO * W / WO] += c->in[0][i];
}

const struct op op_upsample_nearest2d_backward = {
	.name = "upsample_nearest2d_backward",
	.summary = "gradient of upsample_nearest2d",
	.dims = "N H W HO WO",
	.tensor = {
		{ "g", "N HO WO", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N H W", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "dx[n,h,w] = sum(i<HO,j<WO if i*H//HO == h && j*W//WO == w) g[n,i,j]",
	.reference = reference,
	.flop = "N*HO*WO",
	.terms = "HO*WO",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=16 H=64 W=64 HO=128 WO=128", OP_FULL, "f32" },
		{ "N=5 H=31 W=37 HO=67 WO=53", OP_HELDOUT, "f32" },
		{ "N=2 H=3 W=5 HO=7 WO=8", OP_CHECK, NULL },
		{ "N=1 H=1 W=1 HO=1 WO=1", OP_CHECK, NULL },
		{ "N=3 H=9 W=7 HO=4 WO=17", OP_CHECK, NULL },
		{ "N=2 H=6 W=5 HO=12 WO=10", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.interpolate(x.unsqueeze(0), size=(HO, WO), "
		"mode='nearest').squeeze(0), x, g)[0])(torch.zeros(N, H, W).requires_grad_())",
	.opinfo = "nn.functional.interpolate:nearest",
	.sample = "(lambda v: dict(g=spread(v.g, 2), H=input.shape[2], W=input.shape[3], want=spread(v.d[0], "
		  "2)))(vjp(input)) if input.dim() == 4 and kw.get('scale_factor') is None and arg(0, 'size') is "
		  "not None else skip('not two dimensions')",
	.source_path = __FILE__,
};
