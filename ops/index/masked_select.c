#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *x = c->in[0], *mask = c->in[1];
	double *y = c->out[0], *count = c->out[1];

	int64_t found = 0;

	for (int64_t n = 0; n < N; n++)
		if (mask[n] != 0)
			y[found++] = x[n];
	*count = (double)found;
	for (int64_t n = found; n < N; n++)
		y[n] = 0;
}

const struct op op_masked_select = {
	.name = "masked_select",
	.summary = "the elements where the mask is true, in order; the rest is 0; and their count",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "mask", "N", OP_IN, "bool", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "k[n] = sum(j<=n) mask[j]; count = k[N-1]; at[t<N] = sum(n<N-1) (k[n] <= t); "
		"y[t<N] = t < count ? x[at[t]] : 0",
	.reference = reference,
	.flop = "0",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "N=16384", OP_FULL, "f32" },
		{ "N=3001", OP_HELDOUT, "f32" },
		{ "N=17", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=131", OP_CHECK, NULL },
	},
	.torch = "(lambda p: (torch.cat([p, torch.zeros(N - len(p), dtype=p.dtype)]), "
		"torch.tensor(len(p))))(torch.masked_select(x, mask))",
	.opinfo = "masked_select",
	.sample = "(lambda x, m: dict(x=flat(x), mask=flat(m), out=lambda p: (torch.cat([p, p.new_zeros(x.numel() "
		  "- len(p))]), torch.tensor(len(p)))))(*expanded(input, args[0]))",
	.source_path = __FILE__,
};
