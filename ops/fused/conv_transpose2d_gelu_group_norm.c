#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], groups = (int64_t)c->attr[3];
	double eps = c->attr[4];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], ci, o, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref scale = REF(c->in[3], o);
	struct ref shift = REF(c->in[4], o);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 2; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_map(y, ref_gelu);
	y = ref_group_norm(y, groups, scale, shift, eps);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose2d_gelu_group_norm = {
	.name = "conv_transpose2d_gelu_group_norm",
	.summary = "transposed convolution, GELU, group norm",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "scale", "O", OP_IN, "T", OP_REAL, NULL },
		    { "shift", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (H-1)*S-2*P+KH+Q (W-1)*S-2*P+KW+Q", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "Q", 0, true }, { "G", 8, true },
		  { "eps", 1e-05, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S; O % G == 0",
	.body = "HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW + Q; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW if (i+P-u) % S == 0 && (j+P-v) "
		"% S == 0) (x[nb,ci,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,u,v]; "
		"active[nb,o,i<HO,j<WO] = gelu(conv[nb,o,i,j]); "
		"E = O//G; "
		"mean[nb,g<G] = sum(e<E,i<HO,j<WO) active[nb,g*E+e,i,j] / (E*HO*WO); "
		"variance[nb,g<G] = sum(e<E,i<HO,j<WO) sq(active[nb,g*E+e,i,j] - mean[nb,g]) / "
		"(E*HO*WO); "
		"y[nb,o,i<HO,j<WO] = (active[nb,o,i,j] - mean[nb,o//E]) * rsqrt(variance[nb,o//E] "
		"+ eps) * scale[o] + shift[o]",
	.reference = reference,
	.flop = "2*NB*O*H*W*CI*KH*KW",
	.terms = "CI*KH*KW*((O//G)*(((H-1)*S-2*P+KH+Q))*(((W-1)*S-2*P+KW+Q)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=64 W=64 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/19/cpu" },
		{ "NB=128 CI=64 H=256 W=256 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/19" },
		{ "NB=3 CI=9 H=11 W=15 O=24 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=1 W=1 O=16 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=1 H=2 W=1 O=8 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=1 W=2 O=6 KH=5 KW=3 S=3 P=2 Q=2 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=3 W=5 O=24 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.group_norm(torch.nn.functional.gelu(torch.conv_transpose2d(x, "
		 "weight, bias, S, P, Q)), G, scale, shift, eps)",
	.source_path = __FILE__,
};
