#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], tile = (int64_t)c->attr[3];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref factor = REF(c->in[3], 1);
	struct ref addend = REF(c->in[4], o, 1, 1, 1);
	struct ref factor2 = REF(c->in[5], 1);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_multiply(y, factor);
	y = ref_avg_tiles(y, 3, tile);
	y = ref_add(y, addend);
	y = ref_multiply(y, factor2);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose3d_scaling_avg_pool_bias_add_scaling = {
	.name = "conv_transpose3d_scaling_avg_pool_bias_add_scaling",
	.summary = "transposed convolution, scalar factor, average pool, a second bias, "
		   "another scalar factor",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "factor", "", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "factor2", "", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O ((Z-1)*S-2*P+KZ+Q)//J ((H-1)*S-2*P+KH+Q)//J ((W-1)*S-2*P+KW+Q)//J", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 0, true }, { "J", 2, true } },
	.require = "S >= 1; P >= 0; Q >= 0; J >= 1; Q < S",
	.body = "ZO = (Z-1)*S - 2*P + KZ + Q; HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW "
		"+ Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(x[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"scaled[nb,o,z<ZO,i<HO,j<WO] = conv[nb,o,z,i,j] * factor; "
		"ZP = ZO//J; HP = HO//J; WP = WO//J; "
		"tiles[nb,o,z<ZP,i<HP,j<WP] = sum(p<J,q<J,r<J) scaled[nb,o,z*J+p,i*J+q,j*J+r] / "
		"(J*J*J); "
		"y[nb,o,z<ZP,i<HP,j<WP] = ((tiles[nb,o,z,i,j] + addend[o])) * factor2",
	.reference = reference,
	.flop = "2*NB*O*Z*H*W*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*(J*J*J)",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=3 Z=16 H=16 W=16 O=16 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/50/cpu" },
		{ "NB=128 CI=3 Z=16 H=32 W=32 O=16 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/50" },
		{ "NB=3 CI=3 Z=4 H=9 W=12 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=2 H=3 W=3 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=2 H=2 W=2 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=1 H=2 W=3 O=4 KZ=5 KH=5 KW=3 S=3 P=2 Q=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=3 H=4 W=5 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "((torch.nn.functional.avg_pool3d((torch.conv_transpose3d(x, weight, "
		 "bias, S, P, Q) * factor), J) + addend.reshape(-1, 1, 1, 1)) * factor2)",
	.source_path = __FILE__,
};
