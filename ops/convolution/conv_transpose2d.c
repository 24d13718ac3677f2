#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window window = {
		.stride = { (int64_t)c->attr[0], (int64_t)c->attr[4] },
		.padding = { (int64_t)c->attr[1], (int64_t)c->attr[5] },
		.dilation = { (int64_t)c->attr[2], (int64_t)c->attr[6] },
		.output_padding = { (int64_t)c->attr[3], (int64_t)c->attr[7] },
		.groups = (int64_t)c->attr[8],
	};
	struct ref x = REF(c->in[0], d[0], d[1], d[3], d[4]);
	struct ref weight = REF(c->in[1], d[1], d[2], d[5], d[6]);

	ref_store(c->out[0], ref_conv_transpose(x, weight, REF_NONE, window));
}

const struct op op_conv_transpose2d = {
	.name = "conv_transpose2d",
	.summary = "two-dimensional transposed convolution; strides, padding, dilation, output padding, groups",
	.dims = "NB CI OG H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		{ "k", "CI OG KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB OG*G (H-1)*SH-2*PH+DH*(KH-1)+QH+1 (W-1)*SW-2*PW+DW*(KW-1)+QW+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "QH", 0, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "QW", 0, true }, { "G", 1, true } },
	.require = "SH >= 1; PH >= 0; DH >= 1; QH >= 0; SW >= 1; PW >= 0; DW >= 1; QW >= 0; G >= 1; "
		"QH < maximum(SH,DH); QW < maximum(SW,DW); CI % G == 0",
	.body = "HO = (H-1)*SH - 2*PH + DH*(KH-1) + QH + 1; WO = (W-1)*SW - 2*PW + DW*(KW-1) + QW + 1; "
		"CG = CI//G; "
		"y[nb,o<OG*G,h<HO,w<WO] = sum(c<CG,u<KH,v<KW if (h+PH-u*DH) % SH == 0 && (w+PW-v*DW) % SW == 0) "
		"(x[nb,o//OG*CG+c,(h+PH-u*DH)//SH,(w+PW-v*DW)//SW] else 0) * k[o//OG*CG+c,o%OG,u,v]",
	.reference = reference,
	.flop = "2*NB*CI*OG*H*W*KH*KW",
	.terms = "CI//G*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=8 CI=64 OG=64 H=1024 W=1024 KH=3 KW=3", OP_LARGE, "f32", "kb1/57" },
		{ "NB=1 CI=64 OG=64 H=56 W=48 KH=3 KW=3", OP_FULL, "f32", "kb1/57/cpu" },
		{ "NB=8 CI=64 OG=64 H=512 W=512 KH=3 KW=7", OP_LARGE, "f32", "kb1/65" },
		{ "NB=1 CI=64 OG=64 H=56 W=48 KH=3 KW=7", OP_FULL, "f32", "kb1/65/cpu" },
		{ "NB=64 CI=64 OG=128 H=128 W=256 KH=3 KW=5", OP_LARGE, "f32", "kb1/69" },
		{ "NB=1 CI=64 OG=128 H=56 W=48 KH=3 KW=5", OP_FULL, "f32", "kb1/69/cpu" },
		{ "NB=8 CI=32 OG=32 H=512 W=1024 KH=3 KW=3", OP_LARGE, "f32", "kb1/71" },
		{ "NB=1 CI=32 OG=32 H=56 W=48 KH=3 KW=3", OP_FULL, "f32", "kb1/71/cpu" },
		{ "NB=16 CI=32 OG=16 H=128 W=256 KH=3 KW=5 SH=2 PH=1 DH=2 SW=3 PW=2 G=4", OP_LARGE, "f32", "kb1/75" },
		{ "NB=1 CI=32 OG=16 H=56 W=48 KH=3 KW=5 SH=2 PH=1 DH=2 SW=3 PW=2 G=4", OP_FULL, "f32", "kb1/75/cpu" },
		{ "NB=8 CI=32 OG=32 H=512 W=1024 KH=3 KW=7 PH=1 PW=3", OP_LARGE, "f32", "kb1/78" },
		{ "NB=1 CI=32 OG=32 H=56 W=48 KH=3 KW=7 PH=1 PW=3", OP_FULL, "f32", "kb1/78/cpu" },
		{ "NB=16 CI=32 OG=64 H=64 W=128 KH=3 KW=3 SH=5 PH=1 DH=2 SW=5 PW=1 DW=2", OP_LARGE, "f32", "kb1/81" },
		{ "NB=1 CI=32 OG=64 H=56 W=48 KH=3 KW=3 SH=5 PH=1 DH=2 SW=5 PW=1 DW=2", OP_FULL, "f32", "kb1/81/cpu" },
		{ "NB=2 CI=19 OG=23 H=61 W=47 KH=3 KW=5", OP_HELDOUT, "f32" },
		{ "NB=1 CI=3 OG=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 OG=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 CI=4 OG=3 H=6 W=7 KH=2 KW=3 SH=2 PH=2 DH=3 QH=1 SW=3 PW=1 DW=2 QW=1 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=2 H=7 W=8 KH=3 KW=2 SH=3 PH=2 DH=2 QH=2 SW=3 PW=2 DW=2 QW=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=8 OG=3 H=4 W=6 KH=3 KW=5 SH=2 PH=1 DH=2 SW=3 PW=2 G=4", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=3 H=4 W=6 KH=3 KW=7 PH=1 PW=3", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=3 H=4 W=6 KH=3 KW=3 SH=5 PH=1 DH=2 SW=5 PW=1 DW=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=16 H=4 W=5 KH=3 KW=3 SH=5 PH=1 DH=2 SW=5 PW=1 DW=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 OG=16 H=3 W=5 KH=3 KW=5 SH=2 PH=1 DH=2 SW=3 PW=2 G=4", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=16 H=3 W=5 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv_transpose2d(x, k, None, stride=(SH, SW,), padding=(PH, PW,), "
		"output_padding=(QH, QW,), groups=G, dilation=(DH, DW,))",
	.opinfo = "nn.functional.conv_transpose2d",
	.sample = "dict(x=input, k=args[0], **conv('HW', kw, True)) if args[1] is None and input.dim() == 4 else "
		  "skip('a bias')",
	.source_path = __FILE__,
};
