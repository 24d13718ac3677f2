#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			const double *m = c->in[1] + o * R * I + i;
			double sum = 0;
			for (int64_t r = 0; r < R; r++)
				c->out[0][(o * R + r) * I + i] = sum += x[r * I] * m[r * I];
		}
}

const struct op op_masked_cumsum = {
	.name = "masked_cumsum",
	.summary = "running sum of what the mask keeps",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "m", "O R I", OP_IN, "bool", OP_REAL, NULL },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,r,i] = sum(j<=r) x[o,j,i] * m[o,j,i]",
	.reference = reference,
	.flop = "2*O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=512 R=4096 I=1", OP_FULL, "f32" },
		{ "O=3 R=501 I=333", OP_HELDOUT, "f32" },
		{ "O=32768 R=32768 I=1", OP_LARGE, "f32", "kb1/93" },
		{ "O=1024 R=2048 I=1", OP_FULL, "f32", "kb1/93/cpu" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
	},
	.torch = "torch.cumsum(x * m, 1)",
	.opinfo = "masked.cumsum",
	.sample = "dict(x=oril(input, args[0]), m=oril(kw['mask'], args[0])) if kw.get('mask') is not None and kw['mask'].shape == input.shape and "
		"kw.get('dtype') is None and input.dim() else skip('no mask of the shape')",
	.source_path = __FILE__,
};
