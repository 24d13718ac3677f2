#include "ops/core/op.h"

#include <math.h>

/* Does a come before b?  NaN is greatest. */
static bool precedes(double a, double b, bool descending)
{
	if (isnan(a) || isnan(b))
		return descending ? isnan(a) && !isnan(b) : isnan(b) && !isnan(a);
	return descending ? a > b : a < b;
}

/* Positions of a row's elements in order; equal ones keep theirs. */
static void order_row(const double *x, int64_t count, bool descending, double *at)
{
	for (int64_t n = 0; n < count; n++) {
		int64_t to = n;
		for (; to > 0 && precedes(x[n], x[(int64_t)at[to - 1]], descending); to--)
			at[to] = at[to - 1];
		at[to] = (double)n;
	}
}

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	const double *x = c->in[0];
	double *y = c->out[0], *i = c->out[1];

	for (int64_t r = 0; r < R; r++) {
		order_row(x + r * C, C, true, i + r * C);
		for (int64_t k = 0; k < C; k++)
			y[r * C + k] = x[r * C + (int64_t)i[r * C + k]];
	}
}

const struct op op_sort_descending = {
	.name = "sort_descending",
	.summary = "each row in descending order, NaN first, and where its elements stood; "
		"equal ones keep their order",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "R C", OP_OUT, "T", OP_REAL, NULL },
		{ "i", "R C", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "k[r,c] = sum(j<C) (x[r,j] > x[r,c] || x[r,j] != x[r,j] && x[r,c] == x[r,c] || "
		"(x[r,j] == x[r,c] || x[r,j] != x[r,j] && x[r,c] != x[r,c]) && j < c); "
		"i[r,o<C] = min(c if k[r,c] == o) c; y[r,o<C] = max(c if k[r,c] == o) x[r,c]",
	.reference = reference,
	.flop = "0",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "R=64 C=1024", OP_FULL, "f32" },
		{ "R=33 C=777", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=2 C=131", OP_CHECK, NULL },
		{ "R=7 C=16", OP_CHECK, NULL },
	},
	.torch = "tuple(torch.sort(x, dim=1, stable=True, descending=True))",
	.opinfo = "sort",
	.sample = "(lambda d: dict(x=rows(input, d), out=lambda y, i: (rows(y, d), rows(i, d))))(arg(0, 'dim', "
		  "-1)) if bool(arg(1, 'descending', False)) is True and (dtype in (torch.float32, torch.float64) "
		  "or arg(2, 'stable')) else skip('ties, or the other order')",
	.source_path = __FILE__,
};
