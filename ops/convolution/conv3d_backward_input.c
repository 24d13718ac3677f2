#include "ops/core/op.h"

#include <math.h>

/* Element of a volume in[] that tap t reads for point p, or -1. */
static int64_t element(int64_t p, int64_t t, const int64_t in[3], const int64_t k[3], const int64_t out[3], const int64_t S[3], const int64_t P[3],
		       const int64_t D[3])
{
	int64_t at = 0, stride = 1;

	for (int d = 3; d-- > 0; p /= out[d], t /= k[d], stride *= in[d]) {
		int64_t i = p % out[d] * S[d] + t % k[d] * D[d] - P[d];
		if (i < 0 || i >= in[d])
			return -1;
		at += i * stride;
	}
	return at;
}

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], O = c->dim[2], in[3], k[3], out[3], S[3], P[3], D[3], G = (int64_t)c->attr[9], points = 1, taps = 1;
	for (int d = 0; d < 3; d++) {
		in[d] = c->dim[3 + d];
		k[d] = c->dim[6 + d];
		S[d] = (int64_t)c->attr[3 * d];
		P[d] = (int64_t)c->attr[3 * d + 1];
		D[d] = (int64_t)c->attr[3 * d + 2];
		out[d] = (in[d] + 2 * P[d] - D[d] * (k[d] - 1) - 1) / S[d] + 1;
		points *= out[d];
		taps *= k[d];
	}
	int64_t volume = in[0] * in[1] * in[2];
	for (int64_t i = 0; i < N * C * G * volume; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * O * points; i++)
		for (int64_t j = 0; j < C * taps; j++) {
			int64_t n = i / points / O, o = i / points % O, at = element(i % points, j % taps, in, k, out, S, P, D);
			if (at >= 0)
				c->out[0][(n * C * G + o / (O / G) * C + j / taps) * volume + at] += c->in[0][i] * c->in[1][o * C * taps + j];
		}
}

const struct op op_conv3d_backward_input = {
	.name = "conv3d_backward_input",
	.summary = "gradient of conv3d with respect to its input",
	.dims = "NB C O Z H W KZ KH KW",
	.static_dims = "KZ KH KW",
	.tensor = {
		{ "g", "NB O (Z+2*PZ-DZ*(KZ-1)-1)//SZ+1 (H+2*PH-DH*(KH-1)-1)//SH+1 (W+2*PW-DW*(KW-1)-1)//SW+1", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KZ KH KW", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "NB C*G Z H W", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "SZ", 1, true }, { "PZ", 0, true }, { "DZ", 1, true }, { "SH", 1, true }, { "PH", 0, true }, { "DH", 1, true }, { "SW", 1, true }, { "PW", 0, true }, { "DW", 1, true }, { "G", 1, true } },
	.require = "SZ >= 1; PZ >= 0; DZ >= 1; SH >= 1; PH >= 0; DH >= 1; SW >= 1; PW >= 0; DW >= 1; G >= 1; "
		"O % G == 0",
	.body = "ZO = (Z+2*PZ-DZ*(KZ-1)-1)//SZ+1; HO = (H+2*PH-DH*(KH-1)-1)//SH+1; WO = (W+2*PW-DW*(KW-1)-1)//SW+1; E "
		"= O//G; dx[nb,c<C*G,z,h,w] = sum(e<E,u<KZ,v<KH,t<KW if (z+PZ-u*DZ) % SZ == 0 && z+PZ-u*DZ >= 0 && "
		"z+PZ-u*DZ < ZO*SZ && (h+PH-v*DH) % SH == 0 && h+PH-v*DH >= 0 && h+PH-v*DH < HO*SH && (w+PW-t*DW) % "
		"SW == 0 && w+PW-t*DW >= 0 && w+PW-t*DW < WO*SW) "
		"g[nb,c//C*E+e,(z+PZ-u*DZ)//SZ,(h+PH-v*DH)//SH,(w+PW-t*DW)//SW] * k[c//C*E+e,c%C,u,v,t]",
	.reference = reference,
	.flop = "2*NB*O*((Z+2*PZ-DZ*(KZ-1)-1)//SZ+1)*((H+2*PH-DH*(KH-1)-1)//SH+1)*((W+2*PW-DW*(KW-1)-1)//SW+1)*C*KZ*KH*KW",
	.terms = "(O//G)*KZ*KH*KW",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 C=3 O=16 Z=12 H=14 W=12 KZ=3 KH=3 KW=3", OP_FULL, "f32" },
		{ "NB=2 C=7 O=9 Z=9 H=11 W=10 KZ=3 KH=5 KW=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=2 O=3 Z=4 H=5 W=6 KZ=3 KH=2 KW=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 Z=1 H=1 W=1 KZ=1 KH=1 KW=1", OP_CHECK, NULL },
		{ "NB=2 C=1 O=4 Z=6 H=7 W=8 KZ=2 KH=3 KW=2 SZ=2 PZ=2 DZ=3 SH=3 PH=1 DH=2 SW=2 PW=2 DW=3 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=2 Z=9 H=9 W=12 KZ=3 KH=2 KW=3 SZ=3 PZ=2 DZ=2 SH=3 PH=2 DH=4 SW=3 PW=2 DW=2", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.conv3d(x, k, None, (SZ, SH, SW), (PZ, PH, PW), "
		"(DZ, DH, DW), G), x, g)[0])(torch.zeros(NB, C * G, Z, H, W).requires_grad_())",
	.opinfo = "nn.functional.conv3d",
	.sample = "(lambda v: dict(g=v.g, k=args[0], Z=input.shape[2], H=input.shape[3], W=input.shape[4], **conv('ZHW', kw), want=v.d))(vjp(input)) if "
		"input.dim() == 5 else skip('no batch')",
	.source_path = __FILE__,
};
