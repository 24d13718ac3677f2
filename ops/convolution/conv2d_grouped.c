#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window window = {
		.stride = { (int64_t)c->attr[0], (int64_t)c->attr[3] },
		.padding = { (int64_t)c->attr[1], (int64_t)c->attr[4] },
		.dilation = { (int64_t)c->attr[2], (int64_t)c->attr[5] },
		.groups = (int64_t)c->attr[6],
	};
	struct ref x = REF(c->in[0], d[0], d[1] * window.groups, d[3], d[4]);
	struct ref weight = REF(c->in[1], d[2], d[1], d[5], d[6]);

	ref_store(c->out[0], ref_conv(x, weight, REF_NONE, window));
}

const struct op op_conv2d_grouped = {
	.name = "conv2d_grouped",
	.summary = "two-dimensional convolution; strides, padding, dilation, groups",
	.dims = "NB C O H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "x", "NB C*G H W", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB O (H+2*PH-DH*(KH-1)-1)//SH+1 (W+2*PW-DW*(KW-1)-1)//SW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "G", 1, true } },
	.require = "SH >= 1; PH >= 0; DH >= 1; SW >= 1; PW >= 0; DW >= 1; G >= 1; O % G == 0",
	.body = "HO = (H + 2*PH - DH*(KH-1) - 1)//SH + 1; WO = (W + 2*PW - DW*(KW-1) - 1)//SW + 1; "
		"y[nb,o,h<HO,w<WO] = sum(c,u<KH,v<KW) (x[nb,o//(O//G)*C+c,h*SH+u*DH-PH,w*SW+v*DW-PW] else 0) * k[o,c,u,v]",
	.reference = reference,
	.flop = "2*NB*O*((H+2*PH-DH*(KH-1)-1)//SH+1)*((W+2*PW-DW*(KW-1)-1)//SW+1)*C*KH*KW",
	.terms = "C*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=8 C=64 O=128 H=512 W=1024 KH=3 KW=3", OP_LARGE, "f32", "kb1/55" },
		{ "NB=1 C=64 O=128 H=56 W=48 KH=3 KW=3", OP_FULL, "f32", "kb1/55/cpu" },
		{ "NB=8 C=64 O=128 H=512 W=256 KH=5 KW=7", OP_LARGE, "f32", "kb1/56" },
		{ "NB=1 C=64 O=128 H=56 W=48 KH=5 KW=7", OP_FULL, "f32", "kb1/56/cpu" },
		{ "NB=8 C=32 O=64 H=512 W=512 KH=5 KW=9", OP_LARGE, "f32", "kb1/62" },
		{ "NB=1 C=32 O=64 H=56 W=48 KH=5 KW=9", OP_FULL, "f32", "kb1/62/cpu" },
		{ "NB=16 C=16 O=128 H=1024 W=1024 KH=3 KW=3", OP_LARGE, "f32", "kb1/63" },
		{ "NB=1 C=16 O=128 H=56 W=48 KH=3 KW=3", OP_FULL, "f32", "kb1/63/cpu" },
		{ "NB=8 C=32 O=64 H=512 W=512 KH=5 KW=9 PH=2 DH=2 PW=4 DW=3", OP_LARGE, "f32", "kb1/80" },
		{ "NB=1 C=32 O=64 H=56 W=48 KH=5 KW=9 PH=2 DH=2 PW=4 DW=3", OP_FULL, "f32", "kb1/80/cpu" },
		{ "NB=16 C=1 O=64 H=512 W=512 KH=3 KW=3 G=64", OP_LARGE, "f32", "kb1/82" },
		{ "NB=1 C=1 O=64 H=56 W=48 KH=3 KW=3 G=64", OP_FULL, "f32", "kb1/82/cpu" },
		{ "NB=64 C=1 O=8 H=512 W=512 KH=3 KW=1 G=8", OP_LARGE, "f32", "kb1/83" },
		{ "NB=1 C=1 O=8 H=56 W=48 KH=3 KW=1 G=8", OP_FULL, "f32", "kb1/83/cpu" },
		{ "NB=64 C=1 O=128 H=256 W=512 KH=3 KW=3 G=128", OP_LARGE, "f32", "kb1/84" },
		{ "NB=1 C=1 O=128 H=56 W=48 KH=3 KW=3 G=128", OP_FULL, "f32", "kb1/84/cpu" },
		{ "NB=32 C=1 O=128 H=128 W=256 KH=3 KW=7 G=128", OP_LARGE, "f32", "kb1/85" },
		{ "NB=1 C=1 O=128 H=56 W=48 KH=3 KW=7 G=128", OP_FULL, "f32", "kb1/85/cpu" },
		{ "NB=16 C=64 O=128 H=1024 W=1024 KH=1 KW=1", OP_LARGE, "f32", "kb1/87" },
		{ "NB=1 C=64 O=128 H=56 W=48 KH=1 KW=1", OP_FULL, "f32", "kb1/87/cpu" },
		{ "NB=2 C=19 O=23 H=61 W=47 KH=3 KW=5", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=6 H=6 W=7 KH=2 KW=3 SH=2 PH=2 DH=3 SW=3 PW=1 DW=2 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=4 H=7 W=8 KH=3 KW=2 SH=3 PH=2 DH=2 SW=3 PW=2 DW=2 G=2", OP_CHECK, NULL },
		{ "NB=1 C=2 O=3 H=7 W=21 KH=5 KW=9 PH=2 DH=2 PW=4 DW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=64 H=5 W=7 KH=3 KW=3 G=64", OP_CHECK, NULL },
		{ "NB=1 C=2 O=24 H=5 W=6 KH=3 KW=1 G=8", OP_CHECK, NULL },
		{ "NB=1 C=1 O=128 H=5 W=7 KH=3 KW=3 G=128", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv2d(x, k, None, stride=(SH, SW,), padding=(PH, PW,), dilation=(DH, DW,), groups=G)",
	.opinfo = "nn.functional.conv2d",
	.sample = "dict(x=input, k=args[0], **conv('HW', kw)) if args[1] is None and input.dim() == 4 else "
		  "skip('a bias')",
	.source_path = __FILE__,
};
