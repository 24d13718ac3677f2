#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		groups = (int64_t)c->attr[2], tile = (int64_t)c->attr[4];
	double eps = c->attr[3], lo = c->attr[5], hi = c->attr[6];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], o, ci, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref scale = REF(c->in[3], o);
	struct ref shift = REF(c->in[4], o);
	struct ref factor = REF(c->in[5], o, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_group_norm(y, groups, scale, shift, eps);
	y = ref_multiply(y, factor);
	y = ref_max_tiles(y, 2, tile);
	y = ref_clamp(y, lo, hi);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_group_norm_scale_max_pool_clamp = {
	.name = "conv2d_group_norm_scale_max_pool_clamp",
	.summary = "convolution, group norm, factor a channel, maximum pool, clamp",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "O", OP_IN, "T", OP_REAL, NULL },
		    { "factor", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O ((H+2*P-KH)//S+1)//J ((W+2*P-KW)//S+1)//J", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "G", 16, true }, { "eps", 1e-05, false },
		  { "J", 4, true }, { "lo", 0, false }, { "hi", 1, false } },
	.require = "S >= 1; P >= 0; G >= 1; O % G == 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else "
		"0) * weight[o,ci,u,v]; "
		"E = O//G; "
		"mean[nb,g<G] = sum(e<E,i<HO,j<WO) conv[nb,g*E+e,i,j] / (E*HO*WO); "
		"variance[nb,g<G] = sum(e<E,i<HO,j<WO) sq(conv[nb,g*E+e,i,j] - mean[nb,g]) / "
		"(E*HO*WO); "
		"scaled[nb,o,i<HO,j<WO] = (((conv[nb,o,i,j] - mean[nb,o//E]) * "
		"rsqrt(variance[nb,o//E] + eps) * scale[o] + shift[o])) * factor[o]; "
		"HP = HO//J; WP = WO//J; "
		"tiles[nb,o,i<HP,j<WP] = max(p<J,q<J) scaled[nb,o,i*J+p,j*J+q]; "
		"y[nb,o,i<HP,j<WP] = clamp(tiles[nb,o,i,j], lo, hi)",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW*((O//G)*(((H+2*P-KH)//S+1))*(((W+2*P-KW)//S+1)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 H=128 W=128 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/85/cpu" },
		{ "NB=128 CI=8 H=128 W=128 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/85" },
		{ "NB=3 CI=8 H=27 W=34 O=48 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=11 W=8 O=32 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=1 H=9 W=8 O=16 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=9 W=9 O=6 KH=5 KW=3 S=2 P=2 G=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=13 W=15 O=48 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.clamp(torch.max_pool2d((torch.group_norm(torch.conv2d(x, weight, "
		 "bias, S, P), G, scale, shift, eps) * factor.reshape(-1, 1, 1)), J), lo, "
		 "hi)",
	.source_path = __FILE__,
};
