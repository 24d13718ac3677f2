#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[1], I = c->dim[2];
	for (int64_t k = 0; k < c->dim[0] * I; k++) {
		double total = 0;
		for (int64_t r = R; r-- > 0;)
			total += c->in[0][(k / I * R + r) * I + k % I];
		c->out[0][k] = total;
	}
}

const struct op op_sum_over = {
	.name = "sum_over",
	.summary = "sum over one dimension of three",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O I", OP_OUT, "sum", OP_REAL, NULL },
	},
	.body = "y[o,i] = sum(r) x[o,r,i]",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "O=128 R=4096 I=4095", OP_LARGE, "f32", "kb1/47" },
		{ "O=4 R=1024 I=1023", OP_FULL, "f32", "kb1/47/cpu" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
	},
	.torch = "torch.sum(x, 1)",
	.opinfo = "sum",
	.sample = "dict(x=oril(input, dims()), out=lambda y: flat(y))",
	.source_path = __FILE__,
};
