#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window window = {
		.stride = { (int64_t)c->attr[0], (int64_t)c->attr[4], (int64_t)c->attr[8] },
		.padding = { (int64_t)c->attr[1], (int64_t)c->attr[5], (int64_t)c->attr[9] },
		.dilation = { (int64_t)c->attr[2], (int64_t)c->attr[6], (int64_t)c->attr[10] },
		.output_padding = { (int64_t)c->attr[3], (int64_t)c->attr[7], (int64_t)c->attr[11] },
		.groups = (int64_t)c->attr[12],
	};
	struct ref x = REF(c->in[0], d[0], d[1], d[3], d[4], d[5]);
	struct ref weight = REF(c->in[1], d[1], d[2], d[6], d[7], d[8]);

	ref_store(c->out[0], ref_conv_transpose(x, weight, REF_NONE, window));
}

const struct op op_conv_transpose3d = {
	.name = "conv_transpose3d",
	.summary = "three-dimensional transposed convolution; strides, padding, dilation, output padding, groups",
	.dims = "NB CI OG Z H W KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = {
		{ "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		{ "k", "CI OG KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB OG*G (Z-1)*SZ-2*PZ+DZ*(KZ-1)+QZ+1 (H-1)*SH-2*PH+DH*(KH-1)+QH+1 (W-1)*SW-2*PW+DW*(KW-1)+QW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SZ", 1, true }, { "PZ", 0, true }, { "DZ", 1, true }, { "QZ", 0, true }, { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "QH", 0, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "QW", 0, true }, { "G", 1, true } },
	.require = "SZ >= 1; PZ >= 0; DZ >= 1; QZ >= 0; SH >= 1; PH >= 0; DH >= 1; QH >= 0; SW >= 1; PW >= 0; DW >= 1; "
		"QW >= 0; G >= 1; QZ < maximum(SZ,DZ); QH < maximum(SH,DH); QW < maximum(SW,DW); CI % G == 0",
	.body = "ZO = (Z-1)*SZ - 2*PZ + DZ*(KZ-1) + QZ + 1; HO = (H-1)*SH - 2*PH + DH*(KH-1) + QH + 1; "
		"WO = (W-1)*SW - 2*PW + DW*(KW-1) + QW + 1; CG = CI//G; "
		"y[nb,o<OG*G,z<ZO,h<HO,w<WO] = sum(c<CG,u<KZ,v<KH,t<KW if (z+PZ-u*DZ) % SZ == 0 && (h+PH-v*DH) % "
		"SH == 0 && (w+PW-t*DW) % SW == 0) "
		"(x[nb,o//OG*CG+c,(z+PZ-u*DZ)//SZ,(h+PH-v*DH)//SH,(w+PW-t*DW)//SW] else 0) * k[o//OG*CG+c,o%OG,u,v,t]",
	.reference = reference,
	.flop = "2*NB*CI*OG*Z*H*W*KZ*KH*KW",
	.terms = "CI//G*KZ*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=16 CI=32 OG=16 Z=16 H=32 W=64 KZ=3 KH=5 KW=7", OP_LARGE, "f32", "kb1/58" },
		{ "NB=1 CI=32 OG=16 Z=16 H=14 W=12 KZ=3 KH=5 KW=7", OP_FULL, "f32", "kb1/58/cpu" },
		{ "NB=8 CI=48 OG=48 Z=64 H=64 W=64 KZ=3 KH=3 KW=3", OP_LARGE, "f32", "kb1/61" },
		{ "NB=1 CI=48 OG=48 Z=16 H=14 W=12 KZ=3 KH=3 KW=3", OP_FULL, "f32", "kb1/61/cpu" },
		{ "NB=16 CI=32 OG=64 Z=64 H=64 W=64 KZ=3 KH=5 KW=5", OP_LARGE, "f32", "kb1/68" },
		{ "NB=1 CI=32 OG=64 Z=16 H=14 W=12 KZ=3 KH=5 KW=5", OP_FULL, "f32", "kb1/68/cpu" },
		{ "NB=8 CI=48 OG=24 Z=96 H=96 W=96 KZ=3 KH=3 KW=3", OP_LARGE, "f32", "kb1/70" },
		{ "NB=1 CI=48 OG=24 Z=16 H=14 W=12 KZ=3 KH=3 KW=3", OP_FULL, "f32", "kb1/70/cpu" },
		{ "NB=8 CI=32 OG=8 Z=12 H=24 W=48 KZ=3 KH=5 KW=7 SZ=2 PZ=1 QZ=1 SH=2 PH=2 QH=1 SW=2 PW=3 QW=1 G=4", OP_LARGE, "f32", "kb1/72" },
		{ "NB=1 CI=32 OG=8 Z=12 H=14 W=12 KZ=3 KH=5 KW=7 SZ=2 PZ=1 QZ=1 SH=2 PH=2 QH=1 SW=2 PW=3 QW=1 G=4", OP_FULL, "f32", "kb1/72/cpu" },
		{ "NB=4 CI=32 OG=32 Z=32 H=64 W=128 KZ=3 KH=3 KW=3 SZ=2 PZ=1 SH=2 PH=1 SW=2 PW=1", OP_LARGE, "f32", "kb1/73" },
		{ "NB=1 CI=32 OG=32 Z=16 H=14 W=12 KZ=3 KH=3 KW=3 SZ=2 PZ=1 SH=2 PH=1 SW=2 PW=1", OP_FULL, "f32", "kb1/73/cpu" },
		{ "NB=16 CI=32 OG=64 Z=16 H=32 W=32 KZ=3 KH=3 KW=3 SZ=2 PZ=1 DZ=2 SH=2 PH=1 DH=2 SW=2 PW=1 DW=2", OP_LARGE, "f32", "kb1/77" },
		{ "NB=1 CI=32 OG=64 Z=16 H=14 W=12 KZ=3 KH=3 KW=3 SZ=2 PZ=1 DZ=2 SH=2 PH=1 DH=2 SW=2 PW=1 DW=2", OP_FULL, "f32", "kb1/77/cpu" },
		{ "NB=2 CI=19 OG=23 Z=13 H=11 W=17 KZ=3 KH=5 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 CI=3 OG=5 Z=5 H=7 W=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 OG=1 Z=1 H=1 W=1 KZ=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 CI=4 OG=3 Z=6 H=7 W=8 KZ=2 KH=3 KW=2 SZ=2 PZ=2 DZ=3 QZ=1 SH=3 PH=1 DH=2 QH=1 SW=2 PW=2 DW=3 QW=1 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=2 Z=7 H=8 W=9 KZ=3 KH=2 KW=3 SZ=3 PZ=2 DZ=2 QZ=2 SH=3 PH=2 DH=2 QH=2 SW=3 PW=2 DW=2 QW=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=8 OG=3 Z=4 H=6 W=8 KZ=3 KH=5 KW=7 SZ=2 PZ=1 QZ=1 SH=2 PH=2 QH=1 SW=2 PW=3 QW=1 G=4", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=3 Z=4 H=6 W=8 KZ=3 KH=3 KW=3 SZ=2 PZ=1 SH=2 PH=1 SW=2 PW=1", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=3 Z=4 H=6 W=8 KZ=3 KH=3 KW=3 SZ=2 PZ=1 DZ=2 SH=2 PH=1 DH=2 SW=2 PW=1 DW=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=16 Z=2 H=3 W=4 KZ=3 KH=3 KW=3 SZ=2 PZ=1 SH=2 PH=1 SW=2 PW=1", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv_transpose3d(x, k, None, stride=(SZ, SH, SW,), padding=(PZ, PH, PW,), "
		"output_padding=(QZ, QH, QW,), groups=G, dilation=(DZ, DH, DW,))",
	.opinfo = "nn.functional.conv_transpose3d",
	.sample = "dict(x=input, k=args[0], **conv('ZHW', kw, True)) if args[1] is None and input.dim() == 5 else "
		  "skip('a bias')",
	.source_path = __FILE__,
};
