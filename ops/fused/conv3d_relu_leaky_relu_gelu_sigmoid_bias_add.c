#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1];
	double slope = c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], o, ci, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_map(y, ref_relu);
	y = ref_leaky_relu(y, slope);
	y = ref_map(y, ref_gelu);
	y = ref_map(y, ref_sigmoid);
	y = ref_add(y, addend);
	ref_store(c->out[0], y);
}

const struct op op_conv3d_relu_leaky_relu_gelu_sigmoid_bias_add = {
	.name = "conv3d_relu_leaky_relu_gelu_sigmoid_bias_add",
	.summary = "convolution, ReLU, leaky ReLU, GELU, sigmoid, a second bias",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (Z+2*P-KZ)//S+1 (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "slope", 0.01, false } },
	.require = "S >= 1; P >= 0",
	.body = "ZO = (Z + 2*P - KZ)//S + 1; HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + "
		"1; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW) "
		"(x[nb,ci,z*S+t-P,i*S+u-P,j*S+v-P] else 0) * weight[o,ci,t,u,v]; "
		"y[nb,o,z<ZO,i<HO,j<WO] = sigmoid(gelu(leaky(relu(conv[nb,o,z,i,j]), slope))) + "
		"addend[o]",
	.reference = reference,
	.flop = "2*NB*O*((Z+2*P-KZ)//S+1)*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 Z=32 H=32 W=32 O=32 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/7/cpu" },
		{ "NB=64 CI=8 Z=32 H=64 W=64 O=32 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/7" },
		{ "NB=3 CI=8 Z=7 H=15 W=19 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=4 H=5 W=5 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=3 H=3 W=3 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=2 H=5 W=1 O=4 KZ=4 KH=5 KW=3 S=2 P=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=5 H=7 W=9 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "(torch.sigmoid(torch.nn.functional.gelu(torch.nn.functional.leaky_relu(torch.relu(torch.conv3d(x, "
		 "weight, bias, S, P)), slope))) + addend.reshape(-1, 1, 1, 1))",
	.source_path = __FILE__,
};
