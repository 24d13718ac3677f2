#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			int64_t at = 0;
			for (int64_t r = 0; r < R; r++) {
				if (isnan(x[r * I]) || x[r * I] <= x[at * I])
					at = r;
				c->out[0][(o * R + r) * I + i] = x[at * I];
				c->out[1][(o * R + r) * I + i] = (double)at;
			}
		}
}

const struct op op_cummin = {
	.name = "cummin",
	.summary = "running least value and where it is, the last of equals",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O R I", OP_OUT, "T", OP_REAL, NULL },
		{ "k", "O R I", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "y[o,r,i] = min(j<=r) x[o,j,i]; "
		"k[o,r,i] = max(j<=r if x[o,j,i] == y[o,r,i] || y[o,r,i] != y[o,r,i] && x[o,j,i] != x[o,j,i]) j",
	.reference = reference,
	.flop = "O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "O=512 R=4096 I=1", OP_FULL, "f32" },
		{ "O=3 R=501 I=333", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
	},
	.torch = "torch.cummin(x, 1)",
	.opinfo = "cummin",
	.sample = "dict(x=oril(input, arg(0, 'dim', 0)), out=lambda y, k: (oril(y, arg(0, 'dim', 0)), oril(k, arg(0, 'dim', 0))))",
	.source_path = __FILE__,
};
