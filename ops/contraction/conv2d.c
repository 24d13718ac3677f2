#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t n = c->dim[0], ci = c->dim[1], h = c->dim[2], w = c->dim[3], o = c->dim[4], kh = c->dim[5],
		kw = c->dim[6], s = (int64_t)c->attr[0], p = (int64_t)c->attr[1];
	int64_t ho = (h + 2 * p - kh) / s + 1, wo = (w + 2 * p - kw) / s + 1;
	double *y = c->out[0];

	for (int64_t b = 0; b < n; b++)
		for (int64_t f = 0; f < o; f++)
			for (int64_t i = 0; i < ho; i++)
				for (int64_t j = 0; j < wo; j++, y++) {
					*y = 0;
					for (int64_t ch = 0; ch < ci; ch++)
						for (int64_t u = 0; u < kh; u++)
							for (int64_t v = 0; v < kw; v++) {
								int64_t row = i * s + u - p, col = j * s + v - p;
								bool inside = row >= 0 && row < h && col >= 0 && col < w;
								/* Padding is a zero that is multiplied: 0 * inf is NaN. */
								*y += (inside ? c->in[0][((b * ci + ch) * h + row) * w + col] : 0) *
								      c->in[1][((f * ci + ch) * kh + u) * kw + v];
							}
				}
}

const struct op op_conv2d = {
	.name = "conv2d",
	.summary = "two-dimensional convolution, NCHW, stride S, zero padding P",
	.dims = "NB CI H W O KH KW",
	.static_dims = "KH KW",
	.tensor = { { "x", "NB CI H W", OP_IN, "T", OP_REAL, NULL },
		    { "k", "O CI KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (H+2*P-KH)//S+1 (W+2*P-KW)//S+1", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 1, true }, { "P", 1, true } },
	.require = "S >= 1; P >= 0",
	.body = "HO = (H + 2*P - KH)//S + 1; WO = (W + 2*P - KW)//S + 1; "
		"y[nb,o,i<HO,j<WO] = sum(ci,u<KH,v<KW) (x[nb,ci,i*S+u-P,j*S+v-P] else 0) * k[o,ci,u,v]",
	.reference = reference,
	.flop = "2*NB*O*((H+2*P-KH)//S+1)*((W+2*P-KW)//S+1)*CI*KH*KW",
	.terms = "CI*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 CI=64 H=56 W=56 O=64 KH=3 KW=3", OP_SEARCH, "f32" },
		{ "NB=1 CI=128 H=28 W=28 O=128 KH=3 KW=3", OP_FULL, "f32" },
		{ "NB=1 CI=64 H=56 W=56 O=128 KH=3 KW=3 S=2", OP_FULL, "f32" },
		{ "NB=2 CI=48 H=40 W=52 O=80 KH=3 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 CI=3 H=5 W=7 O=5 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=5 H=13 W=19 O=9 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 H=3 W=3 O=1 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=2 H=9 W=35 O=17 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=3 H=11 W=14 O=4 KH=3 KW=3 S=2 P=1", OP_CHECK, NULL },
		{ "NB=1 CI=2 H=12 W=17 O=3 KH=5 KW=3 S=3 P=2", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.conv2d(x, k, stride=S, padding=P)",
	.opinfo = "nn.functional.conv2d",
	.sample = "dict(x=input, k=args[0], **square(conv('HW', kw), 'SP')) if args[1] is None and input.dim() == "
		  "4 and kw.get('groups', 1) == 1 and kw.get('dilation', 1) in (1, (1, 1)) else skip('a bias, "
		  "groups or dilation')",
	.source_path = __FILE__,
};
