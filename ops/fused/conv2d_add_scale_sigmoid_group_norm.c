#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		groups = (int64_t)c->attr[2];
	double eps = c->attr[3];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], o, ci, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1);
	struct ref factor = REF(c->in[4], o, 1, 1);
	struct ref scale = REF(c->in[5], o);
	struct ref shift = REF(c->in[6], o);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_add(y, addend);
	y = ref_multiply(y, factor);
	y = ref_map(y, ref_sigmoid);
	y = ref_group_norm(y, groups, scale, shift, eps);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_add_scale_sigmoid_group_norm = {
	.name = "conv2d_add_scale_sigmoid_group_norm",
	.summary = "convolution, a second bias, factor a channel, sigmoid, group norm",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "factor", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "G", 8, true }, { "eps", 1e-05, false } },
	.require = "S >= 1; P >= 0; G >= 1; O % G == 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else "
		"0) * weight[o,ci,u,v]; "
		"active[nb,o,i<HO,j<WO] = sigmoid(((conv[nb,o,i,j] + addend[o])) * factor[o]); "
		"E = O//G; "
		"mean[nb,g<G] = sum(e<E,i<HO,j<WO) active[nb,g*E+e,i,j] / (E*HO*WO); "
		"variance[nb,g<G] = sum(e<E,i<HO,j<WO) sq(active[nb,g*E+e,i,j] - mean[nb,g]) / "
		"(E*HO*WO); "
		"y[nb,o,i<HO,j<WO] = (active[nb,o,i,j] - mean[nb,o//E]) * rsqrt(variance[nb,o//E] "
		"+ eps) * scale[o] + shift[o]",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW*((O//G)*(((H+2*P-KH)//S+1))*(((W+2*P-KW)//S+1)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 H=128 W=128 O=32 KH=3 KW=3", OP_FULL, NULL, "kb2/21/cpu" },
		{ "NB=128 CI=8 H=256 W=256 O=32 KH=3 KW=3", OP_LARGE, NULL, "kb2/21" },
		{ "NB=3 CI=8 H=15 W=19 O=24 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=5 W=5 O=16 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=1 H=6 W=5 O=8 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=5 W=1 O=6 KH=5 KW=3 S=2 P=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=7 W=9 O=24 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.group_norm(torch.sigmoid(((torch.conv2d(x, weight, bias, S, P) + "
		 "addend.reshape(-1, 1, 1)) * factor.reshape(-1, 1, 1))), G, scale, "
		 "shift, eps)",
	.source_path = __FILE__,
};
