#include "ops/core/op.h"
#include "ops/core/reference.h"

/*
 * KernelBench level 2, problem 26 declares a bias that its forward pass leaves out.
 */
static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	struct ref addend = REF(c->in[3], y.dim[0], y.dim[1], y.dim[2], y.dim[3], y.dim[4]);
	y = ref_add(y, addend);
	struct ref total = ref_copy(y);
	y = ref_multiply(ref_map(y, ref_hard_swish), total);
	ref_free(total);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose3d_add_hard_swish = {
	.name = "conv_transpose3d_add_hard_swish",
	.summary = "transposed convolution plus an array of its shape, t; t * "
		   "hardswish(t)",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "addend", "NB O (Z-1)*S-2*P+KZ+Q (H-1)*S-2*P+KH+Q (W-1)*S-2*P+KW+Q", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (Z-1)*S-2*P+KZ+Q (H-1)*S-2*P+KH+Q (W-1)*S-2*P+KW+Q", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 1, true } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "ZO = (Z-1)*S - 2*P + KZ + Q; HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW "
		"+ Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(x[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"total[nb,o,z<ZO,i<HO,j<WO] = conv[nb,o,z,i,j] + addend[nb,o,z,i,j]; "
		"y[nb,o,z<ZO,i<HO,j<WO] = total[nb,o,z,i,j] * hardswish(total[nb,o,z,i,j])",
	.reference = reference,
	.flop = "2*NB*O*Z*H*W*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 Z=16 H=16 W=16 O=32 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/26/cpu" },
		{ "NB=128 CI=32 Z=16 H=16 W=16 O=64 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/26" },
		{ "NB=3 CI=9 Z=3 H=7 W=9 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=1 H=2 W=2 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=1 H=1 W=1 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=1 H=1 W=2 O=4 KZ=4 KH=5 KW=3 S=3 P=2 Q=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=2 H=3 W=4 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "(lambda t: t * "
		 "torch.nn.functional.hardswish(t))(torch.conv_transpose3d(x, weight, "
		 "bias, S, P, Q) + addend)",
	.source_path = __FILE__,
};
