#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1];
	double slope = c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], o, ci, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref factor = REF(c->in[3], o, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_multiply(y, factor);
	y = ref_leaky_relu(y, slope);
	y = ref_map(y, ref_gelu);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_multiply_leaky_relu_gelu = {
	.name = "conv2d_multiply_leaky_relu_gelu",
	.summary = "convolution, factor a channel, leaky ReLU, GELU",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "factor", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "slope", 0.01, false } },
	.require = "S >= 1; P >= 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else "
		"0) * weight[o,ci,u,v]; "
		"y[nb,o,i<HO,j<WO] = gelu(leaky(conv[nb,o,i,j] * factor[o], slope))",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=64 W=64 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/54/cpu" },
		{ "NB=64 CI=64 H=256 W=256 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/54" },
		{ "NB=3 CI=9 H=15 W=19 O=19 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=5 W=5 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=3 W=3 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=5 W=1 O=4 KH=5 KW=3 S=2 P=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=7 W=9 O=9 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.gelu(torch.nn.functional.leaky_relu((torch.conv2d(x, "
		 "weight, bias, S, P) * factor.reshape(-1, 1, 1)), slope))",
	.source_path = __FILE__,
};
