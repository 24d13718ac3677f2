#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	for (int64_t n = 0; n < c->dim[0]; n++) {
		const double *x = c->in[0] + n * c->dim[1];
		double mean = 0, square = 0, S = (double)c->dim[1];
		for (int64_t s = 0; s < c->dim[1]; s++)
			mean += x[s] / S;
		for (int64_t s = 0; s < c->dim[1]; s++)
			square += (x[s] - mean) * (x[s] - mean) / S;
		for (int64_t s = 0; s < c->dim[1]; s++)
			c->out[0][n * c->dim[1] + s] = (x[s] - mean) / sqrt(square + c->attr[0]);
	}
}

const struct op op_instance_norm = {
	.name = "instance_norm",
	.summary = "normalisation of each channel of each sample",
	.dims = "N S",
	.tensor = {
		{ "x", "N S", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N S", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "eps", 1e-5, false } },
	.require = "S > 1",
	.body = "mu[n] = sum(s) x[n,s] / S; v[n] = sum(s) sq(x[n,s] - mu[n]) / S; "
		"y[n,s] = (x[n,s] - mu[n]) * rsqrt(v[n] + eps)",
	.reference = reference,
	.flop = "7*N*S",
	.terms = "S",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=7168 S=262144", OP_LARGE, "f32", "kb1/34" },
		{ "N=64 S=16384", OP_FULL, "f32", "kb1/34/cpu" },
		{ "N=256 S=4096", OP_FULL, "f32" },
		{ "N=33 S=777", OP_HELDOUT, "f32" },
		{ "N=3 S=5", OP_CHECK, NULL },
		{ "N=1 S=3", OP_CHECK, NULL },
		{ "N=7 S=67", OP_CHECK, NULL },
		{ "N=2 S=33 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "(x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, unbiased=False, keepdim=True) + eps)",
	.opinfo = "nn.functional.instance_norm",
	.sample = "dict(x=input.reshape(input.shape[0] * input.shape[1], -1), eps=number(kw.get('eps', 1e-5)), "
		  "out=lambda y: flat(y)) if kw.get('weight') is None and kw.get('bias') is None and "
		  "kw.get('use_input_stats', True) else skip('weights')",
	.source_path = __FILE__,
};
