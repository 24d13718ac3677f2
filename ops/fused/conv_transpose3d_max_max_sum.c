#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], tile1 = (int64_t)c->attr[3],
		tile2 = (int64_t)c->attr[4];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_max_tiles(y, 3, tile1);
	y = ref_max_tiles(y, 3, tile2);
	y = ref_sum(y, 1);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose3d_max_max_sum = {
	.name = "conv_transpose3d_max_max_sum",
	.summary = "transposed convolution, two maximum pools, sum over channels",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB (((Z-1)*S-2*P+KZ+Q)//J1)//J2 (((H-1)*S-2*P+KH+Q)//J1)//J2 (((W-1)*S-2*P+KW+Q)//J1)//J2", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 2, true }, { "Q", 0, true }, { "J1", 2, true },
		  { "J2", 3, true } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "ZO = (Z-1)*S - 2*P + KZ + Q; HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW "
		"+ Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(x[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"ZP = ZO//J1; HP = HO//J1; WP = WO//J1; "
		"tiles[nb,o,z<ZP,i<HP,j<WP] = max(p<J1,q<J1,r<J1) conv[nb,o,z*J1+p,i*J1+q,j*J1+r]; "
		"ZPP = ZP//J2; HPP = HP//J2; WPP = WP//J2; "
		"tiles2[nb,o,z<ZPP,i<HPP,j<WPP] = max(p<J2,q<J2,r<J2) "
		"tiles[nb,o,z*J2+p,i*J2+q,j*J2+r]; "
		"y[nb,z<ZPP,i<HPP,j<WPP] = sum(o) tiles2[nb,o,z,i,j]",
	.reference = reference,
	.flop = "2*NB*O*Z*H*W*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*((O))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 Z=16 H=16 W=16 O=32 KZ=5 KH=5 KW=5", OP_FULL, NULL, "kb2/78/cpu" },
		{ "NB=16 CI=32 Z=32 H=32 W=32 O=64 KZ=5 KH=5 KW=5", OP_LARGE, NULL, "kb2/78" },
		{ "NB=3 CI=9 Z=8 H=17 W=22 O=19 KZ=5 KH=5 KW=5", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=4 H=7 W=5 O=5 KZ=5 KH=5 KW=5", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=4 H=4 W=4 O=1 KZ=5 KH=5 KW=5", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=3 H=3 W=5 O=4 KZ=4 KH=5 KW=3 S=3 P=2 Q=2 J1=3 J2=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=5 H=8 W=9 O=9 KZ=5 KH=5 KW=5", OP_CHECK, NULL },
	},
	.torch = "torch.sum(torch.max_pool3d(torch.max_pool3d(torch.conv_transpose3d(x, "
		 "weight, bias, S, P, Q), J1), J2), 1)",
	.source_path = __FILE__,
};
