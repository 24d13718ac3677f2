#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	const int64_t *d = c->dim;
	struct ref_window depthwise = ref_window((int64_t)c->attr[0], (int64_t)c->attr[1]);

	depthwise.groups = d[1];
	struct ref t = ref_conv(REF(c->in[0], d[0], d[1], d[3], d[4]), REF(c->in[1], d[1], 1, d[5], d[6]), REF_NONE, depthwise);
	ref_store(c->out[0], ref_conv(t, REF(c->in[2], d[2], d[1], 1, 1), REF_NONE, ref_window(1, 0)));
}

const struct op op_depthwise_separable_conv2d = {
	.name = "depthwise_separable_conv2d",
	.summary = "depthwise convolution, then a pointwise one",
	.dims = "NB C O H W KH KW",
	.static_dims = "KH KW",
	.tensor = {
		{ "x", "NB C H W", OP_IN, "T", OP_REAL, NULL },
		{ "k", "C KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "p", "O C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "NB O (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 1, true } },
	.require = "S >= 1; P >= 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"t[nb,c,h<HO,w<WO] = sum(u<KH,v<KW) (x[nb,c,h*S+u-P,w*S+v-P] else 0) * k[c,u,v]; "
		"y[nb,o,h<HO,w<WO] = sum(c) t[nb,c,h,w] * p[o,c]",
	.reference = reference,
	.flop = "2*NB*C*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*(KH*KW+O)",
	.terms = "C*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=16 C=64 O=128 H=512 W=512 KH=3 KW=3", OP_LARGE, "f32", "kb1/86" },
		{ "NB=1 C=64 O=128 H=64 W=64 KH=3 KW=3", OP_FULL, "f32", "kb1/86/cpu" },
		{ "NB=2 C=19 O=23 H=31 W=37 KH=3 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 H=5 W=7 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 H=1 W=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=4 O=3 H=9 W=8 KH=3 KW=5 S=2 P=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv2d(torch.nn.functional.conv2d(x, k.unsqueeze(1), None, S, P, 1, "
		"k.shape[0]), p.reshape(*p.shape, 1, 1))",
	.source_path = __FILE__,
};
