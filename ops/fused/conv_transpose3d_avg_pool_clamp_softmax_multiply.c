#include "ops/core/op.h"
#include "ops/core/reference.h"

static void reference(const struct op_case *c)
{
	int64_t nb = c->dim[0], ci = c->dim[1], z = c->dim[2], h = c->dim[3],
		w = c->dim[4], o = c->dim[5], kz = c->dim[6], kh = c->dim[7], kw = c->dim[8];
	int64_t stride = (int64_t)c->attr[0], padding = (int64_t)c->attr[1],
		output_padding = (int64_t)c->attr[2], tile = (int64_t)c->attr[3];
	double lo = c->attr[4], hi = c->attr[5];
	struct ref x = REF(c->in[0], nb, ci, z, h, w);
	struct ref weight = REF(c->in[1], ci, o, kz, kh, kw);
	struct ref bias = REF(c->in[2], o);
	struct ref factor = REF(c->in[3], o, 1);

	struct ref_window window = ref_window(stride, padding);
	for (int i = 0; i < 3; i++)
		window.output_padding[i] = output_padding;
	struct ref y = ref_conv_transpose(ref_avg_tiles(x, 3, tile), weight, bias, window);
	y = ref_clamp(y, lo, hi);
	struct ref flat = REF(y.at, y.dim[0], o, y.dim[2] * y.dim[3] * y.dim[4]);
	flat = ref_multiply(ref_softmax(flat, 2), factor);
	ref_free(y);
	ref_store(c->out[0], flat);
}

const struct op op_conv_transpose3d_avg_pool_clamp_softmax_multiply = {
	.name = "conv_transpose3d_avg_pool_clamp_softmax_multiply",
	.summary = "average pool, transposed convolution, clamp, softmax over space, "
		   "factor a channel",
	.dims = "NB CI Z H W O KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = { { "x", "NB CI Z H W", OP_IN, "T", OP_REAL, NULL },
		    { "weight", "CI O KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		    { "bias", "O", OP_IN, "T", OP_REAL, NULL },
		    { "factor", "O", OP_IN, "T", OP_REAL, NULL },
		    { "y", "NB O (Z//J-1)*S-2*P+KZ+Q (H//J-1)*S-2*P+KH+Q (W//J-1)*S-2*P+KW+Q", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "S", 2, true }, { "P", 1, true }, { "Q", 1, true }, { "J", 2, true },
		  { "lo", 0, false }, { "hi", 1, false } },
	.require = "S >= 1; P >= 0; Q >= 0; Q < S",
	.body = "ZP = Z//J; HP = H//J; WP = W//J; "
		"tiles[nb,ci,z<ZP,i<HP,j<WP] = sum(p<J,q<J,r<J) x[nb,ci,z*J+p,i*J+q,j*J+r] / "
		"(J*J*J); "
		"ZO = (ZP-1)*S - 2*P + KZ + Q; HO = (HP-1)*S - 2*P + KH + Q; WO = (WP-1)*S - 2*P + "
		"KW + Q; "
		"conv[nb,o,z<ZO,i<HO,j<WO] = bias[o] + sum(ci,t<KZ,u<KH,v<KW if (z+P-t) % S == 0 "
		"&& (i+P-u) % S == 0 && (j+P-v) % S == 0) "
		"(tiles[nb,ci,(z+P-t)//S,(i+P-u)//S,(j+P-v)//S] else 0) * weight[ci,o,t,u,v]; "
		"clamped[nb,o,z<ZO,i<HO,j<WO] = clamp(conv[nb,o,z,i,j], lo, hi); "
		"peak[nb,o] = max(z<ZO,i<HO,j<WO) clamped[nb,o,z,i,j]; "
		"total[nb,o] = sum(z<ZO,i<HO,j<WO) exp(clamped[nb,o,z,i,j] - peak[nb,o]); "
		"y[nb,o,z<ZO,i<HO,j<WO] = exp(clamped[nb,o,z,i,j] - peak[nb,o]) / total[nb,o] * "
		"factor[o]",
	.reference = reference,
	.flop = "2*NB*O*(Z//J)*(H//J)*(W//J)*CI*KZ*KH*KW",
	.terms = "CI*KZ*KH*KW*(((Z//J-1)*S-2*P+KZ+Q)*((H//J-1)*S-2*P+KH+Q)*((W//J-1)*S-2*P+KW+Q))",
	.dtypes = "f32",
	.shape = {
		{ "NB=2 CI=32 Z=16 H=16 W=16 O=64 KZ=3 KH=3 KW=3", OP_FULL, NULL, "kb2/38/cpu" },
		{ "NB=32 CI=32 Z=32 H=64 W=64 O=64 KZ=3 KH=3 KW=3", OP_LARGE, NULL, "kb2/38" },
		{ "NB=3 CI=9 Z=6 H=14 W=18 O=19 KZ=3 KH=3 KW=3", OP_HELDOUT, NULL },
		{ "NB=2 CI=3 Z=2 H=4 W=4 O=5 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 Z=2 H=2 W=2 O=1 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
		{ "NB=2 CI=2 Z=6 H=6 W=9 O=4 KZ=4 KH=5 KW=3 S=3 P=2 Q=2 J=3", OP_CHECK, NULL },
		{ "NB=1 CI=4 Z=4 H=6 W=8 O=9 KZ=3 KH=3 KW=3", OP_CHECK, NULL },
	},
	.torch = "(lambda t: (torch.softmax(t.flatten(2), 2) * factor[:, "
		 "None]).reshape(t.shape))(torch.clamp(torch.conv_transpose3d(torch.nn.functional.avg_pool3d(x, "
		 "J), weight, bias, S, P, Q), lo, hi))",
	.source_path = __FILE__,
};
