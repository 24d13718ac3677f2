#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], tile = (int64_t)c->attr[4];
	double factor = c->attr[3], lo = c->attr[5], hi = c->attr[6];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_affine(y, factor, 0);
	y = ref_max_tiles(y, 3, tile);
	y = ref_mean(y, 2);
	y = ref_mean(y, 3);
	y = ref_mean(y, 4);
	y = ref_clamp(y, lo, hi);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose3d_multiply_max_global_avg_pool_clamp = {
	.name = "conv_transpose3d_multiply_max_global_avg_pool_clamp",
	.summary = "transposed convolution, factor, maximum pool, mean over space, clamp",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 0, true }, { "factor", 0.5, false },
		  { "J", 2, true }, { "lo", 0, false }, { "hi", 1, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "ZO = (Z-1)*S - 2*P + KZ + Q; HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW "
		"+ Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(x[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"scaled[nb,o,z<ZO,i<HO,j<WO] = conv[nb,o,z,i,j] * factor; "
		"ZP = ZO//J; HP = HO//J; WP = WO//J; "
		"tiles[nb,o,z<ZP,i<HP,j<WP] = max(p<J,q<J,r<J) scaled[nb,o,z*J+p,i*J+q,j*J+r]; "
		"mean[nb,o] = sum(z<ZP,i<HP,j<WP) tiles[nb,o,z,i,j] / (ZP*HP*WP); "
		"y[nb,o] = clamp(mean[nb,o], lo, hi)",
	.reference = reference,
	.flop = "2*NB*O*Z*H*W*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*(((((Z-1)*S-2*P+KZ+Q)//J))*((((H-1)*S-2*P+KH+Q)//J))*((((W-1)*S-2*P+KW+Q)//J)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=3 Z=16 H=16 W=16 O=16 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/96/cpu" },
		{ "NB=128 CI=3 Z=16 H=32 W=32 O=16 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/96" },
		{ "NB=3 CI=3 Z=4 H=9 W=12 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=2 H=3 W=3 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=2 H=2 W=2 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=1 H=2 W=3 O=4 KZ=5 KH=5 KW=3 S=3 P=2 Q=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=3 H=4 W=5 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.clamp(torch.mean(torch.max_pool3d((torch.conv_transpose3d(x, "
		 "weight, bias, S, P, Q) * factor), J), [2, 3, 4]), lo, hi)",
	.source_path = __FILE__,
};
