#include "ops/core/op.h"
#include "ops/core/reference.h"

/*
 * KernelBench level 2, problem 44: the second mean runs over axes of extent 1.
 */
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

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 2; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(x, weight, bias, window);
	y = ref_affine(y, factor, 0);
	y = ref_mean(y, 2);
	y = ref_mean(y, 3);
	ref_store(c->out[0], y);
}

const struct op op_conv_transpose2d_multiply_global_avg_pool_global_avg_pool_mean = {
	.name = "conv_transpose2d_multiply_global_avg_pool_global_avg_pool_mean",
	.summary = "transposed convolution, factor, mean over space",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 1, true }, { "factor", 0.5, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "HO = (H-1)*S - 2*P + KH + Q; WO = (W-1)*S - 2*P + KW + Q; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW if (i+P-u) % S == 0 && (j+P-v) "
		"% S == 0) (x[nb,ci,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,u,v]; "
		"scaled[nb,o,i<HO,j<WO] = conv[nb,o,i,j] * factor; "
		"y[nb,o] = sum(i<HO,j<WO) scaled[nb,o,i,j] / (HO*WO)",
	.reference = reference,
	.flop = "2*NB*O*H*W*CI*KH*KW",
	.terms = "CI*KH*KW*((((H-1)*S-2*P+KH+Q))*(((W-1)*S-2*P+KW+Q)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=64 H=32 W=32 O=128 KH=3 KW=3", OP_FULL, NULL, "kb2/44/cpu" },
		{ "NB=16 CI=64 H=128 W=128 O=128 KH=3 KW=3", OP_LARGE, NULL, "kb2/44" },
		{ "NB=3 CI=9 H=7 W=9 O=19 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=2 W=2 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=1 W=1 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=1 W=2 O=4 KH=5 KW=3 S=3 P=2 Q=2", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=3 W=4 O=9 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.mean((torch.conv_transpose2d(x, weight, bias, S, P, Q) * factor), "
		 "[2, 3])",
	.source_path = __FILE__,
};
