#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t r = 0; r < R; r++) {
		const double *g = c->in[0] + r * C, *x = c->in[1] + r * C, *w = c->in[2];
		double square = 0, dot = 0;
		for (int64_t i = 0; i < C; i++) {
			square += x[i] * x[i] / (double)C;
			dot += g[i] * w[i] * x[i] / (double)C;
		}
		double inverse = 1 / sqrt(square + c->attr[0]);
		for (int64_t i = 0; i < C; i++) {
			c->out[0][r * C + i] = inverse * g[i] * w[i] - x[i] * inverse * inverse * inverse * dot;
			c->out[1][i] = (r ? c->out[1][i] : 0) + g[i] * x[i] * inverse;
		}
	}
}

const struct op op_rms_norm_backward = {
	.name = "rms_norm_backward",
	.summary = "gradients of rms_norm: of x and of the weight",
	.dims = "R C",
	.tensor = {
		{ "g", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "R C", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.body = "q[r] = sum(c) sq(x[r,c]) / C; i[r] = rsqrt(q[r] + eps); "
		"a[r] = sum(c) g[r,c] * w[c] * x[r,c] / C; "
		"dx[r,c] = i[r] * g[r,c] * w[c] - x[r,c] * i[r] * i[r] * i[r] * a[r]; "
		"dw[c] = sum(r) g[r,c] * x[r,c] * i[r]",
	.reference = reference,
	.flop = "12*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=16384 C=1024", OP_LARGE, "f32", "paper/rmsnorm_bwd" },
		{ "R=8192 C=8192", OP_LARGE, "f32", "paper/rmsnorm_bwd" },
		{ "R=4096 C=1024", OP_FULL, "f32", "paper/rmsnorm_bwd/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "(lambda x, w: torch.autograd.grad(x * torch.rsqrt((x * x).mean(1, keepdim=True) + eps) * w, (x, "
		"w), g))(x.detach().requires_grad_(), w.detach().requires_grad_())",
	.opinfo = "nn.functional.rms_norm",
	.sample = "(lambda n, v: dict(g=v.g.reshape(-1, n), x=input.reshape(-1, n), w=flat(args[1]), eps=number(kw.get('eps', "
		  "torch.finfo(dtype).eps)), want=v.d))(math.prod(args[0]), vjp(input, args[1])) if len(args) > 1 else skip('no weight')",
	.source_path = __FILE__,
};
