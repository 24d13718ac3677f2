#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2];
	double factor = c->attr[3];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_mean(y, 2);
	y = ref_add(y, addend);
	y = ref_softmax(y, 1);
	y = ref_map(y, tanh);
	y = ref_affine(y, factor, 0);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose3d_mean_add_softmax_tanh_scaling = {
	.name = "conv_transpose3d_mean_add_softmax_tanh_scaling",
	.summary = "transposed convolution, mean over depth, a second bias, softmax over "
		   "channels, tanh, factor",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (H-1)*S-2*P+KH+Q (W-1)*S-2*P+KW+Q", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 1, true }, { "Q", 0, true }, { "factor", 2, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "ZO = (Z-1)*S - 2*P + KZ + Q; HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW "
		"+ Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(x[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"mean[nb,o,i<HO,j<WO] = sum(z<ZO) conv[nb,o,z,i,j] / ZO; "
		"shifted[nb,o,i<HO,j<WO] = (mean[nb,o,i,j] + addend[o]); "
		"peak[nb,i<HO,j<WO] = max(o) shifted[nb,o,i,j]; "
		"total[nb,i<HO,j<WO] = sum(o) exp(shifted[nb,o,i,j] - peak[nb,i,j]); "
		"y[nb,o,i<HO,j<WO] = (tanh(exp(shifted[nb,o,i,j] - peak[nb,i,j]) / total[nb,i,j])) "
		"* factor",
	.reference = reference,
	.flop = "2*NB*O*Z*H*W*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*((O))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=16 Z=16 H=16 W=16 O=64 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/13/cpu" },
		{ "NB=16 CI=16 Z=32 H=128 W=128 O=64 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/13" },
		{ "NB=3 CI=9 Z=5 H=13 W=17 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=2 H=3 W=3 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=1 H=1 W=1 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=1 H=1 W=2 O=4 KZ=4 KH=5 KW=3 S=3 P=2 Q=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=3 H=5 W=7 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "(torch.tanh(torch.softmax((torch.mean(torch.conv_transpose3d(x, weight, "
		 "bias, S, P, Q), 2) + addend.reshape(-1, 1, 1)), 1)) * factor)",
	.source_path = __FILE__,
};
