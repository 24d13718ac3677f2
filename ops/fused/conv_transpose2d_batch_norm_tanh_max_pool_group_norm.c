#include "ops/core/op.h"
#include "ops/core/reference.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], tile = (int64_t)c->attr[4],
		groups = (int64_t)c->attr[5];
	double eps = c->attr[3];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], ci, o, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref scale = REF(c->in[3], o);
	struct ref shift = REF(c->in[4], o);
	struct ref scale2 = REF(c->in[5], o);
	struct ref shift2 = REF(c->in[6], o);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 2; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_batch_norm(y, scale, shift, eps);
	y = ref_map(y, tanh);
	y = ref_max_tiles(y, 2, tile);
	y = ref_group_norm(y, groups, scale2, shift2, eps);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose2d_batch_norm_tanh_max_pool_group_norm = {
	.name = "conv_transpose2d_batch_norm_tanh_max_pool_group_norm",
	.summary = "transposed convolution, batch norm (training), tanh, maximum pool, "
		   "group norm",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale2", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift2", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O ((H-1)*S-2*P+KH+Q)//J ((W-1)*S-2*P+KW+Q)//J", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 1, true }, { "Q", 0, true }, { "eps", 1e-05, false },
		  { "J", 2, true }, { "G", 8, true } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S; O % G == 0",
	.body = "HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW + Q; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW if (i+P-u) % S == 0 && (j+P-v) "
		"% S == 0) (x[nb,ci,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,u,v]; "
		"mean[o] = sum(nb,i<HO,j<WO) conv[nb,o,i,j] / (NB*HO*WO); "
		"variance[o] = sum(nb,i<HO,j<WO) sq(conv[nb,o,i,j] - mean[o]) / (NB*HO*WO); "
		"active[nb,o,i<HO,j<WO] = tanh(((conv[nb,o,i,j] - mean[o]) * rsqrt(variance[o] + "
		"eps) * scale[o] + shift[o])); "
		"HP = HO//J; WP = WO//J; "
		"tiles[nb,o,i<HP,j<WP] = max(p<J,q<J) active[nb,o,i*J+p,j*J+q]; "
		"E = O//G; "
		"mean2[nb,g<G] = sum(e<E,i<HP,j<WP) tiles[nb,g*E+e,i,j] / (E*HP*WP); "
		"variance2[nb,g<G] = sum(e<E,i<HP,j<WP) sq(tiles[nb,g*E+e,i,j] - mean2[nb,g]) / "
		"(E*HP*WP); "
		"y[nb,o,i<HP,j<WP] = (tiles[nb,o,i,j] - mean2[nb,o//E]) * rsqrt(variance2[nb,o//E] "
		"+ eps) * scale2[o] + shift2[o]",
	.reference = reference,
	.flop = "2*NB*O*H*W*CI*KH*KW",
	.terms = "CI*KH*KW*((NB)*(((H-1)*S-2*P+KH+Q))*(((W-1)*S-2*P+KW+Q)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=32 W=32 O=128 KH=5 KW=5", OP_FULL, NULL, "kb2/11/cpu" },
		{ "NB=512 CI=64 H=32 W=32 O=128 KH=5 KW=5", OP_LARGE, NULL, "kb2/11" },
		{ "NB=3 CI=9 H=15 W=20 O=24 KH=5 KW=5", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=3 W=2 O=16 KH=5 KW=5", OP_CHECK, NULL },
		{ "NB=2 CI=1 H=3 W=2 O=8 KH=5 KW=5", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=2 W=3 O=6 KH=5 KW=3 S=3 P=2 Q=2 G=2 J=3", OP_CHECK, NULL },
		{ "NB=3 CI=4 H=5 W=7 O=24 KH=5 KW=5", OP_CHECK, NULL },
	},
	.torch = "torch.group_norm(torch.max_pool2d(torch.tanh(torch.nn.functional.batch_norm(torch.conv_transpose2d(x, "
		 "weight, bias, S, P, Q), None, None, scale, shift, True, 0, eps)), J), "
		 "G, scale2, shift2, eps)",
	.source_path = __FILE__,
};
