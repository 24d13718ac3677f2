#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], N = c->dim[1], K = c->dim[2];
	for (int64_t m = 0; m < M; m++)
		for (int64_t n = 0; n < N; n++) {
			double sum = 0;
			for (int64_t k = 0; k < K; k++)
				sum += c->in[0][m * K + k] * c->in[1][k * N + n];
			c->out[0][m * N + n] = sum * c->in[2][m] * c->in[3][n];
		}
}

const struct op op_int8_matmul_dequant = {
	.name = "int8_matmul_dequant",
	.summary = "integer matrix product, scaled by row and column",
	.dims = "M N K",
	.tensor = {
		{ "a", "M K", OP_IN, "i8", OP_REAL, NULL, .lo = -127, .hi = 127 },
		{ "w", "K N", OP_IN, "i8", OP_REAL, NULL, .lo = -127, .hi = 127 },
		{ "sa", "M", OP_IN, "T", OP_REAL, NULL, .lo = 0.001, .hi = 0.1 },
		{ "sb", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0.001, .hi = 0.1 },
		{ "y", "M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[m,n] = (sum(k) i32(a[m,k]) * i32(w[k,n])) * sa[m] * sb[n]",
	.reference = reference,
	.flop = "2*M*N*K",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=512 N=512 K=512", OP_FULL, "f32" },
		{ "M=201 N=177 K=123", OP_HELDOUT, "f32" },
		{ "M=5 N=7 K=9", OP_CHECK, NULL },
		{ "M=1 N=2 K=1", OP_CHECK, NULL },
		{ "M=17 N=33 K=65", OP_CHECK, NULL },
		{ "M=3 N=70 K=131", OP_CHECK, NULL },
	},
	.torch = "(a.double() @ w.double()) * sa.unsqueeze(1) * sb",
	.source_path = __FILE__,
};
