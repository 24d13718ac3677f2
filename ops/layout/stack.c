#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], I = c->dim[1];
	const double *a = c->in[0], *b = c->in[1], *d = c->in[2];
	double *y = c->out[0];

	const double *from[] = { a, b, d };

	for (int s = 0; s < 3; s++)
		for (int64_t k = 0; k < O * I; k++)
			y[(k / I * 3 + s) * I + k % I] = from[s][k];
}

const struct op op_stack = {
	.name = "stack",
	.aliases = "dstack",
	.summary = "three tensors along a new dimension",
	.dims = "O I",
	.tensor = {
		{ "a", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "b", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "d", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O 3 I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,s<3,i] = s == 0 ? a[o,i] : s == 1 ? b[o,i] : d[o,i]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=512 I=2048", OP_FULL, "f32" },
		{ "O=333 I=501", OP_HELDOUT, "f32" },
		{ "O=2 I=5", OP_CHECK, NULL },
		{ "O=1 I=1", OP_CHECK, NULL },
		{ "O=17 I=67", OP_CHECK, NULL },
		{ "O=67 I=1", OP_CHECK, NULL },
	},
	.torch = "torch.stack([a, b, d], dim=1)",
	.opinfo = "stack",
	.sample = "(lambda d: dict(zip('abd', [t.reshape(math.prod(t.shape[:d]), -1) for t in input]), out=lambda "
		  "y: flat(y)))((arg(0, 'dim', 0) or 0) % (input[0].dim() + 1)) if len(input) == 3 else skip('not "
		  "three tensors')",
	.source_path = __FILE__,
};
