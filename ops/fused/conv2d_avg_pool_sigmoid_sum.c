#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3],
		o = c->dim[4], kh = c->dim[5], kw = c->dim[6];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		tile = (int64_t)c->attr[2];
	struct ref x = REF(c->in[0], nb, ci, h, w);
	struct ref weight = REF(c->in[1], o, ci, kh, kw);
	struct ref bias = REF(c->in[2], o);

	struct ref_window window = ref_window(stride, padding);
	struct ref y = ref_conv(x, weight, bias, window);
	y = ref_avg_tiles(y, 2, tile);
	y = ref_map(y, ref_sigmoid);
	y = ref_sum(y, 1);
	y = ref_sum(y, 2);
	y = ref_sum(y, 3);
	ref_store(c->out[0], y);
}

const struct op op_conv2d_avg_pool_sigmoid_sum = {
	.name = "conv2d_avg_pool_sigmoid_sum",
	.summary = "convolution, average pool, sigmoid, sum over all but the batch",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 0, true }, { "J", 4, true } },
	.require = "S >= 1; P >= 0; J >= 1",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"conv[nb,o,i<HO,j<WO] = bias[o] + sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else "
		"0) * weight[o,ci,u,v]; "
		"HP = HO//J; WP = WO//J; "
		"tiles[nb,o,i<HP,j<WP] = sum(p<J,q<J) conv[nb,o,i*J+p,j*J+q] / (J*J); "
		"active[nb,o,i<HP,j<WP] = sigmoid(tiles[nb,o,i,j]); "
		"y[nb] = sum(o,i<HP,j<WP) active[nb,o,i,j]",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW*((O)*((((H+2*P-KH)//S+1)//J))*((((W+2*P-KW)//S+1)//J)))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=8 H=96 W=96 O=64 KH=3 KW=3", OP_FULL, NULL, "kb2/65/cpu" },
		{ "NB=128 CI=8 H=384 W=384 O=64 KH=3 KW=3", OP_LARGE, NULL, "kb2/65" },
		{ "NB=3 CI=8 H=27 W=34 O=19 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 H=11 W=8 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=6 W=6 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 H=9 W=7 O=4 KH=5 KW=3 S=2 P=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 H=13 W=15 O=9 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "torch.sum(torch.sigmoid(torch.nn.functional.avg_pool2d(torch.conv2d(x, "
		 "weight, bias, S, P), J)), [1, 2, 3])",
	.source_path = __FILE__,
};
