#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t H = c->dim[1], W = c->dim[2], HO = c->dim[3], WO = c->dim[4];
	for (int64_t i = 0; i < c->dim[0] * HO * WO; i++) {
		int64_t h = (int64_t)floor((double)(i / WO % HO) * (double)H / (double)HO), w = (int64_t)floor((double)(i % WO) * (double)W / (double)WO);
		c->out[0][i] = c->in[0][(i / (HO * WO) * H + h) * W + w];
	}
}

const struct op op_upsample_nearest2d = {
	.name = "upsample_nearest2d",
	.summary = "image at another size, nearest pixels",
	.dims = "N H W HO WO",
	.tensor = {
		{ "x", "N H W", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N HO WO", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n,h<HO,w<WO] = x[n,h*H//HO,w*W//WO]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=16 H=64 W=64 HO=128 WO=128", OP_FULL, "f32" },
		{ "N=5 H=31 W=37 HO=67 WO=53", OP_HELDOUT, "f32" },
		{ "N=2 H=3 W=5 HO=7 WO=8", OP_CHECK, NULL },
		{ "N=1 H=1 W=1 HO=1 WO=1", OP_CHECK, NULL },
		{ "N=3 H=9 W=7 HO=4 WO=17", OP_CHECK, NULL },
		{ "N=2 H=6 W=5 HO=12 WO=10", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.interpolate(x.unsqueeze(0), size=(HO, WO), mode='nearest').squeeze(0)",
	.opinfo = "nn.functional.interpolate:nearest",
	.sample = "(lambda s: dict(x=spread(input, 2), HO=s[0], WO=s[1], out=lambda y: spread(y, 2)))(seq(arg(0, "
		  "'size'), 2)) if input.dim() == 4 and kw.get('scale_factor') is None and arg(0, 'size') is not "
		  "None else skip('not two dimensions')",
	.source_path = __FILE__,
};
