#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t C = c->dim[1], S = c->dim[2], I = c->dim[3];
	const double *x = c->in[0], *a = c->in[1], *b = c->in[2];
	double *y = c->out[0];

	for (int64_t k = 0; k < S * I; k++)
		y[k] = x[((int64_t)a[k / I] * C + (int64_t)b[k / I]) * I + k % I];
}

const struct op op_index = {
	.name = "index",
	.aliases = "index_tensor",
	.summary = "elements of two dimensions, named by two index vectors",
	.dims = "R C S I",
	.tensor = {
		{ "x", "R C I", OP_IN, "T", OP_REAL, NULL },
		{ "a", "S", OP_IN, "i64", OP_INDEX, "R" },
		{ "b", "S", OP_IN, "i64", OP_INDEX, "C" },
		{ "y", "S I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[s,e<I] = x[a[s],b[s],e]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "R=512 C=300 S=4096 I=32", OP_FULL, "f32" },
		{ "R=101 C=77 S=501 I=17", OP_HELDOUT, "f32" },
		{ "R=5 C=7 S=9 I=3", OP_CHECK, NULL },
		{ "R=1 C=1 S=1 I=1", OP_CHECK, NULL },
		{ "R=3 C=2 S=17 I=1", OP_CHECK, NULL },
		{ "R=17 C=5 S=4 I=33", OP_CHECK, NULL },
	},
	.torch = "x[a, b]",
	.opinfo = "__getitem__",
	.sample = "(lambda i: dict(x=input, a=torch.tensor(i[0]), b=torch.tensor(i[1])) if isinstance(i, (tuple, list)) and len(i) == 3 and isinstance(i[0], list) and "
		"isinstance(i[1], list) and isinstance(i[2], slice) and i[2] == slice(None) else skip('another index'))(args[0])",
	.source_path = __FILE__,
};
