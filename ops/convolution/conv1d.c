#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window window = {
		.stride = { (int64_t)c->attr[0] },
		.padding = { (int64_t)c->attr[1] },
		.dilation = { (int64_t)c->attr[2] },
		.groups = (int64_t)c->attr[3],
	};
	struct ref x = REF(c->in[0], d[0], d[1] * window.groups, d[3]);
	struct ref weight = REF(c->in[1], d[2], d[1], d[4]);

	ref_store(c->out[0], ref_conv(x, weight, REF_NONE, window));
}

const struct op op_conv1d = {
	.name = "conv1d",
	.summary = "one-dimensional convolution; strides, padding, dilation, groups",
	.dims = "NB C O L KL",
	.static_dims = "KL",
	.tensor = {
		{ "x", "NB C*G L", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KL", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB O (L+2*P-D*(KL-1)-1)//S+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 0, true }, { "D", 1, true }, { "G", 1, true } },
	.require = "S >= 1; P >= 0; D >= 1; G >= 1; O % G == 0",
	.body = "LO = (L + 2*P - D*(KL-1) - 1)//S + 1; "
		"y[nb,o,l<LO] = sum(c,u<KL) (x[nb,o//(O//G)*C+c,l*S+u*D-P] else 0) * k[o,c,u]",
	.reference = reference,
	.flop = "2*NB*O*((L+2*P-D*(KL-1)-1)//S+1)*C*KL",
	.terms = "C*KL",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=32 C=64 O=128 L=131072 KL=3", OP_LARGE, "f32", "kb1/67" },
		{ "NB=1 C=64 O=128 L=4096 KL=3", OP_FULL, "f32", "kb1/67/cpu" },
		{ "NB=64 C=64 O=128 L=524280 KL=3 S=3 D=4", OP_LARGE, "f32", "kb1/76" },
		{ "NB=1 C=64 O=128 L=4096 KL=3 S=3 D=4", OP_FULL, "f32", "kb1/76/cpu" },
		{ "NB=2048 C=96 O=96 L=200 KL=3 P=1", OP_LARGE, "f32 f16", "paper/conv1d_2048x96x96x200" },
		{ "NB=64 C=96 O=96 L=200 KL=3 P=1", OP_LARGE, "f32 f16", "paper/conv1d_64x96x96x200" },
		{ "NB=32 C=64 O=64 L=512 KL=3 P=1", OP_LARGE, "f32 f16", "paper/conv1d_32x64x64x512" },
		{ "NB=32 C=256 O=256 L=1024 KL=3 P=1", OP_LARGE, "f32 f16", "paper/conv1d_32x256x256x1024" },
		{ "NB=64 C=768 O=768 L=1024 KL=3 P=1", OP_LARGE, "f32 f16", "paper/conv1d_64x768x768x1024" },
		{ "NB=16 C=96 O=96 L=200 KL=3 P=1", OP_FULL, "f32", "paper/conv1d/cpu" },
		{ "NB=2 C=19 O=23 L=1021 KL=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 L=5 KL=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 L=1 KL=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=6 L=6 KL=2 S=2 P=2 D=3 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=4 L=7 KL=3 S=3 P=2 D=2 G=2", OP_CHECK, NULL },
		{ "NB=2 C=3 O=5 L=9 KL=3 P=1", OP_CHECK, NULL },
		{ "NB=1 C=2 O=3 L=11 KL=3 S=3 D=4", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv1d(x, k, None, stride=(S,), padding=(P,), dilation=(D,), groups=G)",
	.opinfo = "nn.functional.conv1d",
	.sample = "dict(x=input, k=args[0], **conv('', kw)) if args[1] is None and input.dim() == 3 else skip('a "
		  "bias')",
	.source_path = __FILE__,
};
