#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	for (int64_t k = 0; k < C; k++)
		c->out[1][k] = c->out[2][k] = 0;
	for (int64_t r = 0; r < R; r++) {
		const double *d = c->in[0] + r * C, *x = c->in[1] + r * C, *w = c->in[4];
		double mean = c->in[2][r], inverse = c->in[3][r], sum = 0, dot = 0;
		for (int64_t i = 0; i < C; i++) {
			sum += d[i] * w[i] / (double)C;
			dot += d[i] * w[i] * (x[i] - mean) * inverse / (double)C;
			c->out[1][i] += d[i] * (x[i] - mean) * inverse;
			c->out[2][i] += d[i];
		}
		for (int64_t i = 0; i < C; i++)
			c->out[0][r * C + i] = (d[i] * w[i] - sum - (x[i] - mean) * inverse * dot) * inverse;
	}
}

const struct op op_native_layer_norm_backward = {
	.name = "native_layer_norm_backward",
	.summary = "gradients of layer normalisation",
	.dims = "R C",
	.tensor = {
		{ "d", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "mu", "R", OP_IN, "T", OP_REAL, NULL },
		{ "rs", "R", OP_IN, "T", OP_REAL, NULL, .lo = 0.5, .hi = 2 },
		{ "w", "C", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "R C", OP_OUT, "T", OP_REAL, NULL },
		{ "dw", "C", OP_OUT, "T", OP_REAL, NULL },
		{ "db", "C", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "h[r,c] = (x[r,c] - mu[r]) * rs[r]; a[r] = sum(c) d[r,c] * w[c] / C; "
		"q[r] = sum(c) d[r,c] * w[c] * h[r,c] / C; "
		"dx[r,c] = rs[r] * (d[r,c] * w[c] - a[r] - h[r,c] * q[r]); dw[c] = sum(r) d[r,c] * h[r,c]; "
		"db[c] = sum(r) d[r,c]",
	.reference = reference,
	.flop = "14*R*C",
	.terms = "maximum(C,R)",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
	},
	.torch = "torch.ops.aten.native_layer_norm_backward(d, x, [C], mu.unsqueeze(1), rs.unsqueeze(1), w, "
		"torch.zeros_like(w), [True, True, True])",
	.opinfo = "nn.functional.layer_norm",
	.sample = "(lambda x, n: (lambda y, m, s, g, w: dict(d=g, x=x, mu=flat(m), rs=flat(s), w=w, "
		  "want=torch.ops.aten.native_layer_norm_backward(g, x, [n], m, s, w, torch.zeros_like(w), [True, "
		  "True, True])))(*torch.native_layer_norm(x, [n], None, None, 1e-5), torch.sin(x * 3 + 1), "
		  "torch.linspace(-1, 2, n, dtype=dtype)))(input.reshape(-1, math.prod(args[0])), "
		  "math.prod(args[0])) if dtype not in (torch.float16, torch.bfloat16) else skip('halves of "
		  "statistics rounded in between')",
	.source_path = __FILE__,
};
