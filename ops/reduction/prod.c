#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double product = 1;
			for (int64_t r = R; r-- > 0;)
				product *= x[r * I];
			c->out[0][o * I + i] = product;
		}
}

const struct op op_prod = {
	.name = "prod",
	.summary = "product over one dimension",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_FACTORS, NULL },
		{ "y", "O I", OP_OUT, "sum", OP_REAL, NULL },
	},
	.body = "y[o,i] = prod(r) x[o,r,i]",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "2", /* not R: the magnitude of a product is R times its value already */
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=2048 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=1 R=131 I=9", OP_CHECK, NULL },
	},
	.torch = "torch.prod(x, 1)",
	.opinfo = "prod",
	.sample = "dict(x=oril(input, dims()), out=lambda y: flat(y))",
	.source_path = __FILE__,
};
