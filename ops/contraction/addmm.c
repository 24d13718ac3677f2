#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1], K = c->dim[2];
	for (int64_t m = 0; m < M; m++)
		for (int64_t n = 0; n < N; n++) {
			double sum = 0;
			for (int64_t k = 0; k < K; k++)
				sum += c->in[1][m * K + k] * c->in[2][k * N + n];
			c->out[0][m * N + n] = c->attr[0] * c->in[0][m * N + n] + c->attr[1] * sum;
		}
}

const struct op op_addmm = {
	.name = "addmm",
	.summary = "beta times a row or matrix, plus alpha times a matrix product",
	.dims = "M N K",
	.tensor = {
		{ "b", "M N", OP_IN, "T", OP_REAL, NULL, .ones = "OB" },
		{ "x", "M K", OP_IN, "T", OP_REAL, NULL },
		{ "w", "K N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "beta", 1, false }, { "alpha", 1, false }, { "OB", 0, true } },
	.body = "p[m,n] = sum(k) x[m,k] * w[k,n]; y[m,n] = beta * b[m,n] + alpha * p[m,n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=512 N=512 K=512 OB=1", OP_FULL, "f32" },
		{ "M=201 N=177 K=123 OB=1", OP_HELDOUT, "f32" },
		{ "M=5 N=7 K=9", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=33 K=65", OP_CHECK, NULL },
		{ "M=3 N=70 K=131", OP_CHECK, NULL },
		{ "M=5 N=9 K=17 OB=1", OP_CHECK, NULL },
		{ "M=6 N=3 K=4 OB=3 beta=0.5 alpha=-2", OP_CHECK, NULL },
		{ "M=6 N=3 K=4 OB=2", OP_CHECK, NULL },
	},
	.torch = "torch.addmm(b, x, w, beta=beta, alpha=alpha)",
	.opinfo = "addmm",
	.sample = "dict(b=input.expand(args[0].shape[0], args[1].shape[1]).contiguous(), x=args[0], w=args[1], "
		  "beta=number(kw.get('beta', 1)), alpha=number(kw.get('alpha', 1)))",
	.source_path = __FILE__,
};
