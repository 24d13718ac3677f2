#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window window = {
		.stride = { (int64_t)c->attr[0], (int64_t)c->attr[3], (int64_t)c->attr[6] },
		.padding = { (int64_t)c->attr[1], (int64_t)c->attr[4], (int64_t)c->attr[7] },
		.dilation = { (int64_t)c->attr[2], (int64_t)c->attr[5], (int64_t)c->attr[8] },
		.groups = (int64_t)c->attr[9],
	};
	struct ref x = REF(c->in[0], d[0], d[1] * window.groups, d[3], d[4], d[5]);
	struct ref weight = REF(c->in[1], d[2], d[1], d[6], d[7], d[8]);

	ref_store(c->out[0], ref_conv(x, weight, REF_NONE, window));
}

const struct op op_conv3d = {
	.name = "conv3d",
	.summary = "three-dimensional convolution; strides, padding, dilation, groups",
	.dims = "NB C O Z H W KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = {
		{ "x", "NB C*G Z H W", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB O (Z+2*PZ-DZ*(KZ-1)-1)//SZ+1 (H+2*PH-DH*(KH-1)-1)//SH+1 (W+2*PW-DW*(KW-1)-1)//SW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SZ", 1, true }, { "PZ", 0, true }, { "DZ", 1, true }, { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "G", 1, true } },
	.require = "SZ >= 1; PZ >= 0; DZ >= 1; SH >= 1; PH >= 0; DH >= 1; SW >= 1; PW >= 0; DW >= 1; G >= 1; "
		"O % G == 0",
	.body = "ZO = (Z + 2*PZ - DZ*(KZ-1) - 1)//SZ + 1; HO = (H + 2*PH - DH*(KH-1) - 1)//SH + 1; "
		"WO = (W + 2*PW - DW*(KW-1) - 1)//SW + 1; y[nb,o,z<ZO,h<HO,w<WO] = sum(c,u<KZ,v<KH,t<KW) "
		"(x[nb,o//(O//G)*C+c,z*SZ+u*DZ-PZ,h*SH+v*DH-PH,w*SW+t*DW-PW] else 0) * k[o,c,u,v,t]",
	.reference = reference,
	.flop = "2*NB*O*((Z+2*PZ-DZ*(KZ-1)-1)//SZ+1)*((H+2*PH-DH*(KH-1)-1)//SH+1)*((W+2*PW-DW*(KW-1)-1)//SW+1)*C*KZ*KH*KW",
	.terms = "C*KZ*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=16 C=3 O=64 Z=64 H=64 W=64 KZ=3 KH=3 KW=3", OP_LARGE, "f32", "kb1/54" },
		{ "NB=1 C=3 O=64 Z=16 H=14 W=12 KZ=3 KH=3 KW=3", OP_FULL, "f32", "kb1/54/cpu" },
		{ "NB=16 C=3 O=64 Z=256 H=256 W=10 KZ=3 KH=3 KW=1", OP_LARGE, "f32", "kb1/59" },
		{ "NB=1 C=3 O=64 Z=16 H=14 W=10 KZ=3 KH=3 KW=1", OP_FULL, "f32", "kb1/59/cpu" },
		{ "NB=16 C=3 O=64 Z=64 H=64 W=64 KZ=3 KH=5 KW=7", OP_LARGE, "f32", "kb1/60" },
		{ "NB=1 C=3 O=64 Z=16 H=14 W=12 KZ=3 KH=5 KW=7", OP_FULL, "f32", "kb1/60/cpu" },
		{ "NB=8 C=3 O=64 Z=16 H=128 W=128 KZ=3 KH=5 KW=7", OP_LARGE, "f32", "kb1/66" },
		{ "NB=1 C=3 O=64 Z=16 H=14 W=12 KZ=3 KH=5 KW=7", OP_FULL, "f32", "kb1/66/cpu" },
		{ "NB=2 C=19 O=23 Z=13 H=11 W=17 KZ=3 KH=5 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 Z=5 H=7 W=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 Z=1 H=1 W=1 KZ=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=6 Z=6 H=8 W=9 KZ=2 KH=3 KW=2 SZ=2 PZ=2 DZ=3 SH=3 PH=1 DH=2 SW=2 PW=2 DW=3 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=4 Z=7 H=8 W=9 KZ=3 KH=2 KW=3 SZ=3 PZ=2 DZ=2 SH=3 PH=2 DH=2 SW=3 PW=2 DW=2 G=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv3d(x, k, None, stride=(SZ, SH, SW,), padding=(PZ, PH, PW,), "
		"dilation=(DZ, DH, DW,), groups=G)",
	.opinfo = "nn.functional.conv3d",
	.sample = "dict(x=input, k=args[0], **conv('ZHW', kw), want=F.conv3d(input, args[0], None, **kw)) if input.dim() == 5 else skip('no batch')",
	.source_path = __FILE__,
};
