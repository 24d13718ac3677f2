#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref addend = REF(c->in[3], o, 1, 1, 1);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	struct ref conv = ref_copy(y);
	y = ref_add(ref_add(y, addend), conv);
	y = ref_add(ref_multiply(y, conv), conv);
	ref_free(conv);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose3d_sum_residual_add_multiply_residual_add = {
	.name = "conv_transpose3d_sum_residual_add_multiply_residual_add",
	.summary = "transposed convolution c with bias e: ((c + e) + c) * c + c",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (Z-1)*S-2*P+KZ+Q (H-1)*S-2*P+KH+Q (W-1)*S-2*P+KW+Q", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 1, true } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "ZO = (Z-1)*S - 2*P + KZ + Q; HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW "
		"+ Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(x[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"y[nb,o,z<ZO,i<HO,j<WO] = (conv[nb,o,z,i,j] + addend[o] + conv[nb,o,z,i,j]) * "
		"conv[nb,o,z,i,j] + conv[nb,o,z,i,j]",
	.reference = reference,
	.flop = "2*NB*O*Z*H*W*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 Z=16 H=16 W=16 O=32 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/20/cpu" },
		{ "NB=16 CI=32 Z=16 H=32 W=32 O=64 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/20" },
		{ "NB=3 CI=9 Z=3 H=7 W=9 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=1 H=2 W=2 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=1 H=1 W=1 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=1 H=1 W=2 O=4 KZ=4 KH=5 KW=3 S=3 P=2 Q=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=2 H=3 W=4 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "(lambda c: (c + addend.reshape(-1, 1, 1, 1) + c) * c + "
		 "c)(torch.conv_transpose3d(x, weight, bias, S, P, Q))",
	.source_path = __FILE__,
};
