#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	const double *x = c->in[0];
	double *at = c->out[0], *count = c->out[1];

	int64_t found = 0;

	for (int64_t k = 0; k < 2 * R * C; k++)
		at[k] = -1;
	for (int64_t r = 0; r < R; r++)
		for (int64_t k = 0; k < C; k++)
			if (x[r * C + k] != 0) {
				at[2 * found] = (double)r;
				at[2 * found++ + 1] = (double)k;
			}
	*count = (double)found;
}

const struct op op_nonzero_2d = {
	.name = "nonzero_2d",
	.summary = "rows and columns of the elements that are not zero, in order; the rest of at is -1; "
		"and their count",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "at", "R*C 2", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "k[i<R*C] = sum(j<=i) (x[j//C,j%C] != 0); count = k[R*C-1]; p[t<R*C] = sum(i<R*C) (k[i] <= t); "
		"at[t<R*C,q<2] = t < count ? (q == 0 ? p[t] // C : p[t] % C) : -1",
	.reference = reference,
	.flop = "R*C",
	.terms = "R*C",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "R=64 C=256", OP_FULL, "f32" },
		{ "R=33 C=71", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=9 C=17", OP_CHECK, NULL },
	},
	.torch = "(lambda p: (torch.cat([p, torch.full((R * C - len(p), 2), -1)]), "
		"torch.tensor(len(p))))(x.nonzero())",
	.opinfo = "nonzero",
	.sample = "dict(x=input, out=lambda p: (torch.cat([p, torch.full((input.numel() - len(p), 2), -1)]), "
		  "torch.tensor(len(p)))) if input.dim() == 2 and not kw.get('as_tuple') else skip('another "
		  "number of dimensions')",
	.source_path = __FILE__,
};
