#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	for (int64_t n = 0; n < N; n++)
		for (int64_t m = 0; m < N; m++) {
			double sum = 0;
			for (int64_t k = m; k <= n; k++)
				sum += c->in[0][n * N + k] * c->in[1][k * N + m];
			c->out[0][n * N + m] = sum;
		}
}

const struct op op_triangular_matmul_lower = {
	.name = "triangular_matmul_lower",
	.summary = "product of two lower triangular matrices",
	.dims = "N",
	.tensor = {
		{ "a", "N N", OP_IN, "T", OP_REAL, NULL },
		{ "b", "N N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n,m<N] = m > n ? 0 : sum(k in m..n+1) a[n,k] * b[k,m]",
	.reference = reference,
	.flop = "N*N*N//3",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4096", OP_LARGE, "f32", "kb1/15" },
		{ "N=512", OP_FULL, "f32", "kb1/15/cpu" },
		{ "N=333", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=17", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
	},
	.torch = "torch.tril(torch.tril(a) @ torch.tril(b))",
	.source_path = __FILE__,
};
