#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	int64_t K = (int64_t)c->attr[0];
	const double *x = c->in[0], *s = c->in[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < O * R * I; k++)
		y[k] = x[k];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++)
			y[(o * R + K) * I + i] = s[o * I + i];
}

const struct op op_select_scatter = {
	.name = "select_scatter",
	.summary = "a tensor with slice K of a dimension replaced",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "s", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 0, true } },
	.require = "K >= 0; K < R",
	.body = "y[o,r,i] = r == K ? s[o,i] : x[o,r,i]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=512 R=8 I=512 K=2", OP_FULL, "f32" },
		{ "O=101 R=5 I=77 K=2", OP_HELDOUT, "f32" },
		{ "O=2 R=3 I=5", OP_CHECK, NULL },
		{ "O=3 R=4 I=7 K=2", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=5 I=1 K=4", OP_CHECK, NULL },
	},
	.torch = "torch.select_scatter(x, s, 1, K)",
	.opinfo = "select_scatter",
	.sample = "dict(x=oril(input, args[1]), s=args[0].reshape(math.prod(input.shape[:args[1] % input.dim()]), "
		  "-1), K=args[2] % input.shape[args[1]], out=lambda y: flat(y))",
	.source_path = __FILE__,
};
