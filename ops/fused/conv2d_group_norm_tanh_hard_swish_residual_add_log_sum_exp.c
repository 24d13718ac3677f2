#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

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
	struct ref scale = REF(c->in[3], o);
	struct ref shift = REF(c->in[4], o);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	struct ref conv = ref_copy(y);
	y = ref_group_norm(y, groups, scale, shift, eps);
	y = ref_map(y, tanh);
	y = ref_map(y, ref_hard_swish);
	y = ref_add(y, conv);
	ref_free(conv);
	y = ref_logsumexp(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_group_norm_tanh_hard_swish_residual_add_log_sum_exp = {
	.name = "conv2d_group_norm_tanh_hard_swish_residual_add_log_sum_exp",
	.summary = "convolution t, plus hardswish(tanh(group norm of t)), log-sum-exp "
		   "over channels",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "G", 16, true }, { "eps", 1e-05, false } },
	/* An infinite convolution makes its group NaN, so no peak is infinite. */
	.require = "S >= 1; P >= 0; G >= 1; O % G == 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; conv[nb,o,i<HO,j<WO] = "
		"bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else 0) * weight[o,ci,u,v]; E = "
		"O//G; mean[nb,g<G] = sum(e<E,i<HO,j<WO) conv[nb,g*E+e,i,j] / (E*HO*WO); "
		"variance[nb,g<G] = sum(e<E,i<HO,j<WO) sq(conv[nb,g*E+e,i,j] - mean[nb,g]) / "
		"(E*HO*WO); total[nb,o,i<HO,j<WO] = conv[nb,o,i,j] + hardswish(tanh(((conv[nb,o,i,j] - "
		"mean[nb,o//E]) * rsqrt(variance[nb,o//E] + eps) * scale[o] + shift[o]))); "
		"peak[nb,i<HO,j<WO] = max(o) total[nb,o,i,j]; y[nb,i<HO,j<WO] = "
		"peak[nb,i,j] + log(sum(o) exp(total[nb,o,i,j] - peak[nb,i,j]))",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW*((O//G)*(((H+2*P-KH)//S+1))*(((W+2*P-KW)//S+1)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 H=128 W=128 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/92/cpu" },
		{ "NB=128 CI=8 H=128 W=128 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/92" },
		{ "NB=3 CI=8 H=15 W=19 O=48 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=5 W=5 O=32 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=1 H=6 W=5 O=16 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=5 W=1 O=6 KH=5 KW=3 S=2 P=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=7 W=9 O=48 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.logsumexp((lambda c: c + "
		 "torch.nn.functional.hardswish(torch.tanh(torch.group_norm(c, G, scale, "
		 "shift, eps))))(torch.conv2d(x, weight, bias, S, P)), 1)",
	.source_path = __FILE__,
};
