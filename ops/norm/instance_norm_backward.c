#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t S = c->dim[1];
	for (int64_t n = 0; n < c->dim[0]; n++) {
		const double *g = c->in[0] + n * S, *x = c->in[1] + n * S;
		double mean = 0, variance = 0, along = 0, all = 0;
		for (int64_t s = 0; s < S; s++)
			mean += x[s] / (double)S;
		for (int64_t s = 0; s < S; s++)
			variance += (x[s] - mean) * (x[s] - mean) / (double)S;
		double deviation = sqrt(variance + c->attr[0]);
		for (int64_t s = 0; s < S; s++) {
			all += g[s];
			along += g[s] * (x[s] - mean) / deviation;
		}
		for (int64_t s = 0; s < S; s++)
			c->out[0][n * S + s] = ((double)S * g[s] - all - (x[s] - mean) / deviation * along) / ((double)S * deviation);
	}
}

const struct op op_instance_norm_backward = {
	.name = "instance_norm_backward",
	.summary = "gradient of instance_norm",
	.dims = "N S",
	.tensor = {
		{ "g", "N S", OP_IN, "T", OP_REAL, NULL },
		{ "x", "N S", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "N S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.require = "S > 1",
	.body = "mu[n] = sum(s) x[n,s] / S; v[n] = sum(s) sq(x[n,s] - mu[n]) / S; r[n] = rsqrt(v[n] + eps); a[n] = "
		"sum(s) g[n,s] / S; b[n] = sum(s) g[n,s] * (x[n,s] - mu[n]) / S; dx[n,s] = r[n] * (g[n,s] - a[n] - "
		"(x[n,s] - mu[n]) * b[n] * sq(r[n]))",
	.reference = reference,
	.flop = "16*N*S",
	.terms = "3*S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=256 S=4096", OP_FULL, "f32" },
		{ "N=33 S=777", OP_HELDOUT, "f32" },
		{ "N=3 S=5", OP_CHECK, NULL },
		{ "N=1 S=3", OP_CHECK, NULL },
		{ "N=7 S=67", OP_CHECK, NULL },
		{ "N=2 S=33 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad((x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, unbiased=False, "
		"keepdim=True) + eps), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "nn.functional.instance_norm",
	.sample = "(lambda v, n: dict(g=v.g.reshape(n, -1), x=input.reshape(n, -1), eps=number(kw.get('eps', 1e-5)), want=v.d))(vjp(input), "
		"input.shape[0] * input.shape[1]) if kw.get('weight') is None and kw.get('bias') is None and kw.get('use_input_stats', True) else skip('weights')",
	.source_path = __FILE__,
};
