#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		tile = (int64_t)c->attr[3];
	double factor = c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], o, ci, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_map(y, tanh);
	y = ref_affine(y, factor, 0);
	y = ref_add(y, addend);
	y = ref_max_tiles(y, 2, tile);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_tanh_scaling_bias_add_max = {
	.name = "conv2d_tanh_scaling_bias_add_max",
	.summary = "convolution, tanh, factor, a second bias, maximum pool",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O ((H+2*P-KH)//S+1)//J ((W+2*P-KW)//S+1)//J", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "factor", 2, false }, { "J", 4, true } },
	.require = "S >= 1; P >= 0; J >= 1",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else "
		"0) * weight[o,ci,u,v]; "
		"shifted[nb,o,i<HO,j<WO] = (tanh(conv[nb,o,i,j]) * factor + addend[o]); "
		"HP = HO//J; WP = WO//J; "
		"y[nb,o,i<HP,j<WP] = max(p<J,q<J) shifted[nb,o,i*J+p,j*J+q]",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW*(J*J)",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 H=128 W=128 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/82/cpu" },
		{ "NB=128 CI=8 H=256 W=256 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/82" },
		{ "NB=3 CI=8 H=27 W=34 O=19 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=11 W=8 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=6 W=6 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=9 W=7 O=4 KH=5 KW=3 S=2 P=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=13 W=15 O=9 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.max_pool2d(((torch.tanh(torch.conv2d(x, weight, bias, S, P)) * "
		 "factor) + addend.reshape(-1, 1, 1)), J)",
	.source_path = __FILE__,
};
