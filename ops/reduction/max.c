#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			int64_t at = 0;
			for (int64_t r = 1; r < R; r++)
				if (!isnan(x[at * I]) && (isnan(x[r * I]) || x[r * I] > x[at * I]))
					at = r;
			c->out[0][o * I + i] = x[at * I];
			c->out[1][o * I + i] = (double)at;
		}
}

const struct op op_max = {
	.name = "max",
	.summary = "greatest value over one dimension and where it is, the first of equals",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O I", OP_OUT, "T", OP_REAL, NULL },
		{ "k", "O I", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "y[o,i] = max(r) x[o,r,i]; k[o,i] = argmax(r) x[o,r,i]",
	.reference = reference,
	.flop = "2*O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=2048 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=1 R=131 I=2", OP_CHECK, NULL },
	},
	.torch = "((lambda k: (torch.gather(x, 1, k.unsqueeze(1)).squeeze(1), k))(torch.argmax(x, 1)))",
	.opinfo = "max:reduction_with_dim",
	.sample = "dict(x=oril(input, args[0]), out=lambda v, i: (flat(v), flat(i))) if dtype.is_floating_point "
		  "and args and not isinstance(args[0], torch.Tensor) else skip('ties, or not along a dimension')",
	.source_path = __FILE__,
};
