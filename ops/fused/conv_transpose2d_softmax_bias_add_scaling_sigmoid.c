#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2];
	double factor = c->attr[3];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], ci, o, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 2; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_softmax(y, 1);
	y = ref_add(y, addend);
	y = ref_affine(y, factor, 0);
	y = ref_map(y, ref_sigmoid);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose2d_softmax_bias_add_scaling_sigmoid = {
	.name = "conv_transpose2d_softmax_bias_add_scaling_sigmoid",
	.summary = "transposed convolution, softmax over channels, a second bias, factor, "
		   "sigmoid",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (H-1)*S-2*P+KH+Q (W-1)*S-2*P+KW+Q", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 1, true }, { "factor", 2, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW + Q; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW if (i+P-u) % S == 0 && (j+P-v) "
		"% S == 0) (x[nb,ci,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,u,v]; "
		"peak[nb,i<HO,j<WO] = max(o) conv[nb,o,i,j]; "
		"total[nb,i<HO,j<WO] = sum(o) exp(conv[nb,o,i,j] - peak[nb,i,j]); "
		"y[nb,o,i<HO,j<WO] = sigmoid(((exp(conv[nb,o,i,j] - peak[nb,i,j]) / total[nb,i,j] "
		"+ addend[o])) * factor)",
	.reference = reference,
	.flop = "2*NB*O*H*W*CI*KH*KW",
	.terms = "CI*KH*KW*((O))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=32 W=32 O=128 KH=4 KW=4", OP_FULL, NULL, "kb2/91/cpu" },
		{ "NB=128 CI=64 H=64 W=64 O=128 KH=4 KW=4", OP_LARGE, NULL, "kb2/91" },
		{ "NB=3 CI=9 H=6 W=8 O=19 KH=4 KW=4", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=1 W=1 O=5 KH=4 KW=4", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=1 W=1 O=1 KH=4 KW=4", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=1 W=2 O=4 KH=5 KW=3 S=3 P=2 Q=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=2 W=3 O=9 KH=4 KW=4", OP_CHECK, NULL },
	},
	.torch = "torch.sigmoid(((torch.softmax(torch.conv_transpose2d(x, weight, bias, "
		 "S, P, Q), 1) + addend.reshape(-1, 1, 1)) * factor))",
	.source_path = __FILE__,
};
