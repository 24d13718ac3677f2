#include "ops/core/op.h"

#include <math.h>

/* To nearest even at 8 significant bits. */
static double round_to_bf16(double x)
{
	int e;

	if (!isfinite(x) || x == 0)
		return x;
	frexp(x, &e);
	return ldexp(rint(ldexp(x, 8 - e)), e - 8);
}

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1], K = c->dim[2];
	for (int64_t m = 0; m < M; m++)
		for (int64_t n = 0; n < N; n++) {
			double sum = 0;
			for (int64_t k = 0; k < K; k++)
				sum += c->in[0][m * K + k] * c->in[1][k * N + n];
			c->out[0][m * N + n] = sum <= 0 ? 0 : round_to_bf16(sum);
		}
}

const struct op op_matmul_relu_bf16 = {
	.name = "matmul_relu_bf16",
	.summary = "relu of a matrix product whose sum is rounded to bf16",
	.dims = "M N K",
	.tensor = {
		{ "x", "M K", OP_IN, "bf16", OP_REAL, NULL },
		{ "w", "K N", OP_IN, "bf16", OP_REAL, NULL },
		{ "y", "M N", OP_OUT, "bf16", OP_REAL, NULL },
	},
	/* A sum as good as halfway between two bf16 goes either way: a step is 2^-7 of the value at most, four roundoffs. */
	.tolerance = 4,
	.body = "h[m,n] = bf16(sum(k) x[m,k] * w[k,n]); y[m,n] = relu(h[m,n])",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "K",
	.dtypes = "bf16",
	.shape = {
		{ "M=512 N=512 K=512", OP_FULL, "bf16" },
		{ "M=201 N=177 K=123", OP_HELDOUT, "bf16" },
		{ "M=5 N=7 K=9", OP_CHECK, NULL },
		{ "M=1 N=1 K=1", OP_CHECK, NULL },
		{ "M=17 N=33 K=65", OP_CHECK, NULL },
		{ "M=3 N=70 K=131", OP_CHECK, NULL },
	},
	.torch = "(x @ w).to(torch.bfloat16).double().relu()",
	.source_path = __FILE__,
};
