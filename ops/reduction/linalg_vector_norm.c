#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double sum = 0;
			for (int64_t r = 0; r < R; r++)
				sum += pow(fabs(x[r * I]), c->attr[0]);
			c->out[0][o * I + i] = pow(sum, 1 / c->attr[0]);
		}
}

const struct op op_linalg_vector_norm = {
	.name = "linalg_vector_norm",
	.summary = "p-norm over one dimension",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "p", 2, false } },
	.body = "s[o,i] = sum(r) pow(abs(x[o,r,i]), p); y[o,i] = pow(s[o,i], 1 / p)",
	.reference = reference,
	.flop = "4*O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=2048 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=1 R=131 I=2", OP_CHECK, NULL },
		{ "O=3 R=6 I=5 p=1", OP_CHECK, NULL },
		{ "O=2 R=9 I=4 p=3.5", OP_CHECK, NULL },
		{ "O=2 R=5 I=3 p=0.5", OP_CHECK, NULL },
	},
	.torch = "torch.linalg.vector_norm(x, p, 1)",
	.opinfo = "linalg.vector_norm",
	.sample = "dict(x=oril(input, dims()), p=float(number(arg(0, 'ord', 2))), out=lambda y: flat(y)) "
		"if (dtype == torch.float32 or arg(0, 'ord', 2) * 2 % 1 == 0 or skip('an order that PyTorch rounds')) and arg(0, "
		"'ord', 2) not in (math.inf, -math.inf, 0) and arg(0, 'ord', 2) > 0 else skip('another order')",
	.source_path = __FILE__,
};
