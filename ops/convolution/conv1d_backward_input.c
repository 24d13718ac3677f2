#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], C = c->dim[1], O = c->dim[2], L = c->dim[3], K = c->dim[4];
	int64_t S = (int64_t)c->attr[0], P = (int64_t)c->attr[1], D = (int64_t)c->attr[2], G = (int64_t)c->attr[3];
	int64_t LO = (L + 2 * P - D * (K - 1) - 1) / S + 1;
	for (int64_t i = 0; i < N * C * G * L; i++)
		c->out[0][i] = 0;
	for (int64_t n = 0; n < N; n++)
		for (int64_t o = 0; o < O; o++)
			for (int64_t l = 0; l < LO; l++)
				for (int64_t i = 0; i < C * K; i++) {
					int64_t at = l * S + i % K * D - P, ch = o / (O / G) * C + i / K;
					if (at >= 0 && at < L)
						c->out[0][(n * C * G + ch) * L + at] += c->in[0][(n * O + o) * LO + l] * c->in[1][o * C * K + i];
				}
}

const struct op op_conv1d_backward_input = {
	.name = "conv1d_backward_input",
	.summary = "gradient of conv1d with respect to its input",
	.dims = "NB C O L KL",
	.static_dims = "KL",
	.tensor = {
		{ "g", "NB O (L+2*P-D*(KL-1)-1)//S+1", OP_IN, "T", OP_REAL, NULL },
		{ "k", "O C KL", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "NB C*G L", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 0, true }, { "D", 1, true }, { "G", 1, true } },
	.require = "S >= 1; P >= 0; D >= 1; G >= 1; O % G == 0",
	.body = "LO = (L + 2*P - D*(KL-1) - 1)//S + 1; E = O//G; dx[nb,c<C*G,l] = sum(e<E,u<KL if (l+P-u*D) % S == 0 "
		"&& l+P-u*D >= 0 && l+P-u*D < LO*S) g[nb,c//C*E+e,(l+P-u*D)//S] * k[c//C*E+e,c%C,u]",
	.reference = reference,
	.flop = "2*NB*O*((L+2*P-D*(KL-1)-1)//S+1)*C*KL",
	.terms = "(O//G)*KL",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 C=32 O=48 L=2048 KL=3 P=1", OP_FULL, "f32" },
		{ "NB=2 C=19 O=23 L=1021 KL=3", OP_HELDOUT, "f32" },
		{ "NB=1 C=3 O=5 L=5 KL=3", OP_CHECK, NULL },
		{ "NB=1 C=1 O=1 L=1 KL=1", OP_CHECK, NULL },
		{ "NB=2 C=2 O=6 L=6 KL=2 S=2 P=2 D=3 G=2", OP_CHECK, NULL },
		{ "NB=1 C=1 O=4 L=9 KL=3 S=3 P=2 D=2 G=2", OP_CHECK, NULL },
		{ "NB=2 C=3 O=5 L=9 KL=3 P=1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.nn.functional.conv1d(x, k, stride=S, padding=P, dilation=D, "
		"groups=G), x, g)[0])(torch.zeros(NB, C * G, L).requires_grad_())",
	.opinfo = "nn.functional.conv1d",
	.sample = "(lambda v: dict(g=v.g, k=args[0], L=input.shape[2], **conv('', kw), want=v.d[0]))(vjp(input)) if "
		"input.dim() == 3 else skip('no batch')",
	.source_path = __FILE__,
};
