#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		tile = (int64_t)c->attr[3];
	double divisor = c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], o, ci, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_divide(y, divisor);
	y = ref_max_tiles(y, 3, tile);
	y = ref_mean(y, 2);
	y = ref_mean(y, 3);
	y = ref_mean(y, 4);
	y = ref_add(y, addend);
	y = ref_sum(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_conv3d_divide_max_global_avg_pool_bias_add_sum = {
	.name = "conv3d_divide_max_global_avg_pool_bias_add_sum",
	.summary = "convolution divided, maximum pool, mean over space, a second bias, "
		   "summed over channels",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "divisor", 2, false }, { "J", 2, true } },
	.require = "S >= 1; P >= 0; J >= 1",
	.body = "ZO = (Z + 2*P - KZ)//S + 1; HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + "
		"1; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW) "
		"(x[nb,ci,z*S+t-P,i*S+u-P,j*S+v-P] else 0) * weight[o,ci,t,u,v]; "
		"scaled[nb,o,z<ZO,i<HO,j<WO] = conv[nb,o,z,i,j] / divisor; "
		"ZP = ZO//J; HP = HO//J; WP = WO//J; "
		"tiles[nb,o,z<ZP,i<HP,j<WP] = max(p<J,q<J,r<J) scaled[nb,o,z*J+p,i*J+q,j*J+r]; "
		"mean[nb,o] = sum(z<ZP,i<HP,j<WP) tiles[nb,o,z,i,j] / (ZP*HP*WP); "
		"shifted[nb,o] = (mean[nb,o] + addend[o]); "
		"y[nb] = sum(o) shifted[nb,o]",
	.reference = reference,
	.flop = "2*NB*O*((Z+2*P-KZ)//S+1)*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*(((((Z+2*P-KZ)//S+1)//J))*((((H+2*P-KH)//S+1)//J))*((((W+2*P-KW)//S+1)//J)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 Z=16 H=64 W=64 O=16 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/8/cpu" },
		{ "NB=128 CI=8 Z=16 H=64 W=64 O=16 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/8" },
		{ "NB=3 CI=8 Z=9 H=19 W=24 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=5 H=7 W=6 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=4 H=4 W=4 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=8 H=9 W=7 O=4 KZ=4 KH=5 KW=3 S=2 P=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=6 H=9 W=11 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.sum((torch.mean(torch.max_pool3d((torch.conv3d(x, weight, bias, "
		 "S, P) / divisor), J), [2, 3, 4]) + addend), 1)",
	.source_path = __FILE__,
};
