#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		groups = (int64_t)c->attr[2];
	double eps = c->attr[3];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], o, ci, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref scale = REF(c->in[3], o);
	struct ref shift = REF(c->in[4], o);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_map(y, ref_hard_swish);
	y = ref_group_norm(y, groups, scale, shift, eps);
	y = ref_mean(y, 2);
	y = ref_mean(y, 3);
	y = ref_mean(y, 4);
	ref_store(c->out[0], y);
}

const struct op op_conv3d_hard_swish_group_norm_mean = {
	.name = "conv3d_hard_swish_group_norm_mean",
	.summary = "convolution, hard swish, group norm, mean over space",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "G", 4, true }, { "eps", 1e-05, false } },
	.require = "S >= 1; P >= 0; G >= 1; O % G == 0",
	.body = "ZO = (Z + 2*P - KZ)//S + 1; HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + "
		"1; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW) "
		"(x[nb,ci,z*S+t-P,i*S+u-P,j*S+v-P] else 0) * weight[o,ci,t,u,v]; "
		"active[nb,o,z<ZO,i<HO,j<WO] = hardswish(conv[nb,o,z,i,j]); "
		"E = O//G; "
		"mean[nb,g<G] = sum(e<E,z<ZO,i<HO,j<WO) active[nb,g*E+e,z,i,j] / (E*ZO*HO*WO); "
		"variance[nb,g<G] = sum(e<E,z<ZO,i<HO,j<WO) sq(active[nb,g*E+e,z,i,j] - "
		"mean[nb,g]) / (E*ZO*HO*WO); "
		"normal[nb,o,z<ZO,i<HO,j<WO] = ((active[nb,o,z,i,j] - mean[nb,o//E]) * "
		"rsqrt(variance[nb,o//E] + eps) * scale[o] + shift[o]); "
		"y[nb,o] = sum(z<ZO,i<HO,j<WO) normal[nb,o,z,i,j] / (ZO*HO*WO)",
	.reference = reference,
	.flop = "2*NB*O*((Z+2*P-KZ)//S+1)*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*((O//G)*(((Z+2*P-KZ)//S+1))*(((H+2*P-KH)//S+1))*(((W+2*P-KW)//S+1)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=3 Z=16 H=32 W=32 O=16 KZ=4 KH=4 KW=4", OP_FULL, NULL, "kb2/27/cpu" },
		{ "NB=1024 CI=3 Z=16 H=32 W=32 O=16 KZ=4 KH=4 KW=4", OP_LARGE, NULL, "kb2/27" },
		{ "NB=3 CI=3 Z=8 H=16 W=20 O=12 KZ=4 KH=4 KW=4", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=5 H=6 W=6 O=8 KZ=4 KH=4 KW=4", OP_CHECK, NULL },
		{ "NB=2 CI=1 Z=5 H=7 W=6 O=4 KZ=4 KH=4 KW=4", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=2 H=5 W=1 O=6 KZ=4 KH=5 KW=3 S=2 P=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=6 H=8 W=10 O=12 KZ=4 KH=4 KW=4", OP_CHECK, NULL },
	},
	.torch = "torch.mean(torch.group_norm(torch.nn.functional.hardswish(torch.conv3d(x, "
		 "weight, bias, S, P)), G, scale, shift, eps), [2, 3, 4])",
	.source_path = __FILE__,
};
