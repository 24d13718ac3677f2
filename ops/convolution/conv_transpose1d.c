#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window window = {
		.stride = { (int64_t)c->attr[0] },
		.padding = { (int64_t)c->attr[1] },
		.dilation = { (int64_t)c->attr[2] },
		.output_padding = { (int64_t)c->attr[3] },
		.groups = (int64_t)c->attr[4],
	};
	struct ref x = REF(c->in[0], d[0], d[1], d[3]);
	struct ref weight = REF(c->in[1], d[1], d[2], d[4]);

	ref_store(c->out[0], ref_conv_transpose(x, weight, REF_NONE, window));
}

const struct op op_conv_transpose1d = {
	.name = "conv_transpose1d",
	.summary = "one-dimensional transposed convolution; strides, padding, dilation, output padding, groups",
	.dims = "NB CI OG L KL",
	.static_dims = "KL",
	.tensor = {
		{ "x", "NB CI L", OP_IN, "T", OP_REAL, NULL },
		{ "k", "CI OG KL", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB OG*G (L-1)*S-2*P+D*(KL-1)+Q+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 0, true }, { "D", 1, true }, { "Q", 0, true }, { "G", 1, true } },
	.require = "S >= 1; P >= 0; D >= 1; Q >= 0; G >= 1; Q < maximum(S,D); CI % G == 0",
	.body = "LO = (L-1)*S - 2*P + D*(KL-1) + Q + 1; CG = CI//G; "
		"y[nb,o<OG*G,l<LO] = sum(c<CG,u<KL if (l+P-u*D) % S == 0) (x[nb,o//OG*CG+c,(l+P-u*D)//S] else 0) "
		"* k[o//OG*CG+c,o%OG,u]",
	.reference = reference,
	.flop = "2*NB*CI*OG*L*KL",
	.terms = "CI//G*KL",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=64 CI=128 OG=128 L=65536 KL=3", OP_LARGE, "f32", "kb1/64" },
		{ "NB=1 CI=128 OG=128 L=4096 KL=3", OP_FULL, "f32", "kb1/64/cpu" },
		{ "NB=32 CI=32 OG=64 L=131072 KL=5 D=3", OP_LARGE, "f32", "kb1/74" },
		{ "NB=1 CI=32 OG=64 L=4096 KL=5 D=3", OP_FULL, "f32", "kb1/74/cpu" },
		{ "NB=16 CI=32 OG=64 L=131072 KL=3 S=2 P=1 D=2", OP_LARGE, "f32", "kb1/79" },
		{ "NB=1 CI=32 OG=64 L=4096 KL=3 S=2 P=1 D=2", OP_FULL, "f32", "kb1/79/cpu" },
		{ "NB=2 CI=19 OG=23 L=1021 KL=3", OP_HELDOUT, "f32" },
		{ "NB=1 CI=3 OG=5 L=5 KL=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 OG=1 L=1 KL=1", OP_CHECK, NULL },
		{ "NB=2 CI=4 OG=3 L=6 KL=2 S=2 P=2 D=3 Q=1 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=2 L=7 KL=3 S=3 P=2 D=2 Q=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=3 L=4 KL=5 D=3", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=3 L=4 KL=3 S=2 P=1 D=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=16 L=4 KL=3 S=2 P=1 D=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=16 L=4 KL=3", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv_transpose1d(x, k, None, stride=(S,), padding=(P,), "
		"output_padding=(Q,), groups=G, dilation=(D,))",
	.opinfo = "nn.functional.conv_transpose1d",
	.sample = "dict(x=input, k=args[0], **conv('', kw, True)) if args[1] is None and input.dim() == 3 else "
		  "skip('a bias')",
	.source_path = __FILE__,
};
