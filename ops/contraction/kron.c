#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t A = c->dim[0], B = c->dim[1], C = c->dim[2], D = c->dim[3];
	for (int64_t a = 0; a < A; a++)
		for (int64_t b = 0; b < B; b++)
			for (int64_t k = 0; k < C * D; k++)
				c->out[0][(a * C + k / D) * B * D + b * D + k % D] = c->in[0][a * B + b] * c->in[1][k];
}

const struct op op_kron = {
	.name = "kron",
	.summary = "Kronecker product",
	.dims = "A B C D",
	.tensor = {
		{ "x", "A B", OP_IN, "T", OP_REAL, NULL },
		{ "w", "C D", OP_IN, "T", OP_REAL, NULL },
		{ "y", "A*C B*D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[i<A*C,j<B*D] = x[i//C,j//D] * w[i%C,j%D]",
	.reference = reference,
	.flop = "A*B*C*D",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "A=32 B=32 C=64 D=64", OP_FULL, "f32" },
		{ "A=17 B=23 C=31 D=29", OP_HELDOUT, "f32" },
		{ "A=3 B=5 C=7 D=2", OP_CHECK, NULL },
		{ "A=1 B=1 C=1 D=1", OP_CHECK, NULL },
		{ "A=2 B=17 C=5 D=9", OP_CHECK, NULL },
	},
	.torch = "torch.kron(x, w)",
	.opinfo = "kron",
	.sample = "dict(x=input, w=args[0]) if input.dim() == 2 and args[0].dim() == 2 else skip('not two "
		  "matrices')",
	.source_path = __FILE__,
};
