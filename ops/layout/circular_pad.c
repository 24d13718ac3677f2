#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], H = c->dim[1], W = c->dim[2];
	int64_t HB = (int64_t)c->attr[0], HA = (int64_t)c->attr[1], WB = (int64_t)c->attr[2], WA = (int64_t)c->attr[3];
	const double *x = c->in[0];
	double *y = c->out[0];

	int64_t height = H + HB + HA, width = W + WB + WA;

	for (int64_t o = 0; o < O; o++)
		for (int64_t h = 0; h < height; h++)
			for (int64_t w = 0; w < width; w++)
				*y++ = x[(o * H + (h + H - HB) % H) * W + (w + W - WB) % W];
}

const struct op op_circular_pad = {
	.name = "circular_pad",
	.summary = "the last two dimensions padded by their other ends",
	.dims = "O H W",
	.tensor = {
		{ "x", "O H W", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O H+HB+HA W+WB+WA", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "HB", 0, true }, { "HA", 0, true }, { "WB", 0, true }, { "WA", 0, true } },
	.require = "HB <= H; HA <= H; WB <= W; WA <= W",
	.body = "y[o,h<H+HB+HA,w<W+WB+WA] = x[o,(h-HB)%H,(w-WB)%W]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=64 H=224 W=224 HB=1 HA=2 WB=3 WA=2", OP_FULL, "f32" },
		{ "O=35 H=101 W=77 HB=1 HA=2 WB=3 WA=2", OP_HELDOUT, "f32" },
		{ "O=2 H=5 W=7 HB=1 HA=2 WB=3 WA=2", OP_CHECK, NULL },
		{ "O=1 H=4 W=5 HB=3 HA=1 WB=0 WA=4", OP_CHECK, NULL },
		{ "O=3 H=17 W=33", OP_CHECK, NULL },
		{ "O=1 H=1 W=1", OP_CHECK, NULL },
		{ "O=2 H=9 W=67 HB=2 HA=0 WB=2 WA=1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.pad(x[None], (WB, WA, HB, HA), mode='circular')[0]",
	.opinfo = "nn.functional.pad:circular",
	.sample = "(lambda p: dict(x=input.reshape(-1, input.shape[-2] if input.dim() > 1 else 1, "
		  "input.shape[-1]), **dict(zip(('WB', 'WA', 'HB', 'HA'), p)),  out=lambda y: flat(y)))(args[0]) "
		  "if len(args[0]) in (2, 4) and min(args[0]) >= 0 and input.dim() >= len(args[0]) // 2 else "
		  "skip('negative, or more than two dimensions')",
	.source_path = __FILE__,
};
