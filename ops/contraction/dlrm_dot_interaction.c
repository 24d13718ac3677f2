#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t F = c->dim[1], D = c->dim[2];
	double *y = c->out[0];
	for (int64_t b = 0; b < c->dim[0]; b++)
		for (int64_t i = 1; i < F; i++)
			for (int64_t j = 0; j < i; j++, y++) {
				*y = 0;
				for (int64_t d = 0; d < D; d++)
					*y += c->in[0][(b * F + i) * D + d] * c->in[0][(b * F + j) * D + d];
			}
}

const struct op op_dlrm_dot_interaction = {
	.name = "dlrm_dot_interaction",
	.summary = "inner products of all pairs of feature vectors, below the diagonal",
	.dims = "B F D",
	.tensor = {
		{ "x", "B F D", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B F*(F-1)//2", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "s[b,i<F,j<F] = sum(d) x[b,i,d] * x[b,j,d]; f[p<F*(F-1)//2] = sum(i<F) (i*(i+1)//2 <= p); "
		"y[b,p<F*(F-1)//2] = s[b,minimum(f[p],F-1),maximum(minimum(p-f[p]*(f[p]-1)//2,F-1),0)]",
	.reference = reference,
	.flop = "B*F*F*D",
	.terms = "D",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "B=256 F=27 D=128", OP_FULL, "f32" },
		{ "B=33 F=13 D=77", OP_HELDOUT, "f32" },
		{ "B=3 F=5 D=7", OP_CHECK, NULL },
		{ "B=1 F=2 D=1", OP_CHECK, NULL },
		{ "B=2 F=9 D=17", OP_CHECK, NULL },
	},
	.torch = "(lambda s, i: s[:, i[0], i[1]])(x @ x.transpose(1, 2), torch.tril_indices(x.shape[1], x.shape[1], -1))",
	.source_path = __FILE__,
};
