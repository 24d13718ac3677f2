#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], CI = c->dim[1], OG = c->dim[2], L = c->dim[3], K = c->dim[4];
	int64_t S = (int64_t)c->attr[0], P = (int64_t)c->attr[1], D = (int64_t)c->attr[2], Q = (int64_t)c->attr[3], G = (int64_t)c->attr[4];
	int64_t LO = (L - 1) * S - 2 * P + D * (K - 1) + Q + 1;
	for (int64_t i = 0; i < CI * OG * K; i++)
		c->out[0][i] = 0;
	for (int64_t i = 0; i < N * CI * L; i++)
		for (int64_t j = 0; j < OG * K; j++) {
			int64_t n = i / (CI * L), ci = i / L % CI, o = ci / (CI / G) * OG + j / K, at = i % L * S + j % K * D - P;
			double g = at >= 0 && at < LO ? c->in[0][(n * OG * G + o) * LO + at] : 0;
			c->out[0][ci * OG * K + j] += g * c->in[1][i];
		}
}

const struct op op_conv_transpose1d_backward_weight = {
	.name = "conv_transpose1d_backward_weight",
	.summary = "gradient of conv_transpose1d with respect to its weight",
	.dims = "NB CI OG L KL",
	.static_dims = "KL",
	.tensor = {
		{ "g", "NB OG*G (L-1)*S-2*P+D*(KL-1)+Q+1", OP_IN, "T", OP_REAL, NULL },
		{ "x", "NB CI L", OP_IN, "T", OP_REAL, NULL },
		{ "dk", "CI OG KL", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "S", 1, true }, { "P", 0, true }, { "D", 1, true }, { "Q", 0, true }, { "G", 1, true } },
	.require = "S >= 1; P >= 0; D >= 1; Q >= 0; G >= 1; Q < maximum(S,D); CI % G == 0",
	.body = "CG = CI//G; dk[ci,o<OG,u<KL] = sum(nb,l<L) x[nb,ci,l] * (g[nb,ci//CG*OG+o,l*S+u*D-P] else 0)",
	.reference = reference,
	.flop = "2*NB*CI*OG*L*KL",
	.terms = "NB*L",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "NB=1 CI=32 OG=48 L=2048 KL=3", OP_FULL, "f32" },
		{ "NB=2 CI=19 OG=23 L=1021 KL=3", OP_HELDOUT, "f32" },
		{ "NB=1 CI=3 OG=5 L=5 KL=3", OP_CHECK, NULL },
		{ "NB=1 CI=1 OG=1 L=1 KL=1", OP_CHECK, NULL },
		{ "NB=2 CI=4 OG=3 L=6 KL=2 S=2 P=2 D=3 Q=1 G=2", OP_CHECK, NULL },
		{ "NB=1 CI=2 OG=2 L=7 KL=3 S=3 P=2 D=2 Q=2 G=2", OP_CHECK, NULL },
		{ "NB=2 CI=2 OG=3 L=4 KL=5 D=3", OP_CHECK, NULL },
		{ "NB=1 CI=6 OG=2 L=5 KL=3 S=2 P=1 D=2 G=3", OP_CHECK, NULL },
	},
	.torch = "(lambda k: torch.autograd.grad(torch.nn.functional.conv_transpose1d(x, k, None, S, P, Q, G, D), k, "
		"g)[0])(torch.zeros(CI, OG, KL).requires_grad_())",
	.opinfo = "nn.functional.conv_transpose1d",
	.sample = "(lambda v: dict(g=v.g, x=input, OG=args[0].shape[1], KL=args[0].shape[2], **conv('', kw, True), "
		"want=v.d[0]))(vjp(args[0])) if input.dim() == 3 else skip('no batch')",
	.source_path = __FILE__,
};
