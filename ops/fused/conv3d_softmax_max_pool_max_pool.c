#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		tile = (int64_t)c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], o, ci, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_softmax(y, 1);
	y = ref_max_tiles(y, 3, tile);
	y = ref_max_tiles(y, 3, tile);
	ref_store(c->out[0], y);
}

const struct op op_conv3d_softmax_max_pool_max_pool = {
	.name = "conv3d_softmax_max_pool_max_pool",
	.summary = "convolution, softmax over channels, two maximum pools of J",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (((Z+2*P-KZ)//S+1)//J)//J (((H+2*P-KH)//S+1)//J)//J (((W+2*P-KW)//S+1)//J)//J", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "J", 2, true } },
	.require = "S >= 1; P >= 0; J >= 1",
	.body = "ZO = (Z + 2*P - KZ)//S + 1; HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + "
		"1; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW) "
		"(x[nb,ci,z*S+t-P,i*S+u-P,j*S+v-P] else 0) * weight[o,ci,t,u,v]; "
		"peak[nb,z<ZO,i<HO,j<WO] = max(o) conv[nb,o,z,i,j]; "
		"total[nb,z<ZO,i<HO,j<WO] = sum(o) exp(conv[nb,o,z,i,j] - peak[nb,z,i,j]); "
		"share[nb,o,z<ZO,i<HO,j<WO] = exp(conv[nb,o,z,i,j] - peak[nb,z,i,j]) / "
		"total[nb,z,i,j]; "
		"ZP = ZO//J; HP = HO//J; WP = WO//J; "
		"tiles[nb,o,z<ZP,i<HP,j<WP] = max(p<J,q<J,r<J) share[nb,o,z*J+p,i*J+q,j*J+r]; "
		"ZPP = ZP//J; HPP = HP//J; WPP = WP//J; "
		"y[nb,o,z<ZPP,i<HPP,j<WPP] = max(p<J,q<J,r<J) tiles[nb,o,z*J+p,i*J+q,j*J+r]",
	.reference = reference,
	.flop = "2*NB*O*((Z+2*P-KZ)//S+1)*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*((O))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=3 Z=16 H=32 W=32 O=16 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/6/cpu" },
		{ "NB=128 CI=3 Z=16 H=32 W=32 O=16 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/6" },
		{ "NB=3 CI=3 Z=13 H=27 W=34 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=7 H=11 W=8 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=6 H=6 W=6 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=12 H=13 W=11 O=4 KZ=4 KH=5 KW=3 S=2 P=2 J=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=8 H=13 W=15 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.max_pool3d(torch.max_pool3d(torch.softmax(torch.conv3d(x, weight, "
		 "bias, S, P), 1), J), J)",
	.source_path = __FILE__,
};
