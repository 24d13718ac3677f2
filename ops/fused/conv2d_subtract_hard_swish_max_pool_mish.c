#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		tile = (int64_t)c->attr[3];
	double subtrahend = c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], o, ci, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_affine(y, 1, -subtrahend);
	y = ref_map(y, ref_hard_swish);
	y = ref_max_tiles(y, 2, tile);
	y = ref_map(y, ref_mish);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_subtract_hard_swish_max_pool_mish = {
	.name = "conv2d_subtract_hard_swish_max_pool_mish",
	.summary = "convolution less a number, hard swish, maximum pool, Mish",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O ((H+2*P-KH)//S+1)//J ((W+2*P-KW)//S+1)//J", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "subtrahend", 0.5, false }, { "J", 2, true } },
	.require = "S >= 1; P >= 0; J >= 1",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else "
		"0) * weight[o,ci,u,v]; "
		"active[nb,o,i<HO,j<WO] = hardswish((conv[nb,o,i,j] - subtrahend)); "
		"HP = HO//J; WP = WO//J; "
		"tiles[nb,o,i<HP,j<WP] = max(p<J,q<J) active[nb,o,i*J+p,j*J+q]; "
		"y[nb,o,i<HP,j<WP] = mish(tiles[nb,o,i,j])",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW*(J*J)",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=64 W=64 O=128 KH=3 KW=3", OP_FULL, NULL, "kb2/35/cpu" },
		{ "NB=128 CI=64 H=128 W=128 O=128 KH=3 KW=3", OP_LARGE, NULL, "kb2/35" },
		{ "NB=3 CI=9 H=19 W=24 O=19 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=7 W=6 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=4 W=4 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=9 W=7 O=4 KH=5 KW=3 S=2 P=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=9 W=11 O=9 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.mish(torch.max_pool2d(torch.nn.functional.hardswish((torch.conv2d(x, "
		 "weight, bias, S, P) - subtrahend)), J))",
	.source_path = __FILE__,
};
