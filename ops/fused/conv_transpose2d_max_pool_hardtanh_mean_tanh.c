#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], tile = (int64_t)c->attr[3];
	double lo = c->attr[4], hi = c->attr[5];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], ci, o, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 2; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_max_tiles(y, 2, tile);
	y = ref_clamp(y, lo, hi);
	y = ref_mean(y, 2);
	y = ref_mean(y, 3);
	y = ref_map(y, tanh);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose2d_max_pool_hardtanh_mean_tanh = {
	.name = "conv_transpose2d_max_pool_hardtanh_mean_tanh",
	.summary = "transposed convolution, maximum pool, hardtanh, mean over space, tanh",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 1, true }, { "Q", 0, true }, { "J", 2, true },
		  { "lo", -1, false }, { "hi", 1, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW + Q; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW if (i+P-u) % S == 0 && (j+P-v) "
		"% S == 0) (x[nb,ci,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,u,v]; "
		"HP = HO//J; WP = WO//J; "
		"tiles[nb,o,i<HP,j<WP] = max(p<J,q<J) conv[nb,o,i*J+p,j*J+q]; "
		"clamped[nb,o,i<HP,j<WP] = clamp(tiles[nb,o,i,j], lo, hi); "
		"mean[nb,o] = sum(i<HP,j<WP) clamped[nb,o,i,j] / (HP*WP); "
		"y[nb,o] = tanh(mean[nb,o])",
	.reference = reference,
	.flop = "2*NB*O*H*W*CI*KH*KW",
	.terms = "CI*KH*KW*(((((H-1)*S-2*P+KH+Q)//J))*((((W-1)*S-2*P+KW+Q)//J)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=64 W=64 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/10/cpu" },
		{ "NB=128 CI=64 H=256 W=256 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/10" },
		{ "NB=3 CI=9 H=17 W=22 O=19 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=5 W=4 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=2 W=2 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=2 W=3 O=4 KH=5 KW=3 S=3 P=2 Q=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=7 W=9 O=9 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.tanh(torch.mean(torch.clamp(torch.max_pool2d(torch.conv_transpose2d(x, "
		 "weight, bias, S, P, Q), J), lo, hi), [2, 3]))",
	.source_path = __FILE__,
};
