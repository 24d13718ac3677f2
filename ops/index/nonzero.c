#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *x = c->in[0];
	double *at = c->out[0], *count = c->out[1];

	int64_t found = 0;

	for (int64_t n = 0; n < N; n++) {
		at[n] = -1;
		if (x[n] != 0)
			at[found++] = (double)n;
	}
	*count = (double)found;
}

const struct op op_nonzero = {
	.name = "nonzero",
	.aliases = "argwhere flatnonzero",
	.summary = "positions of the elements that are not zero, in order; the rest of at is -1; and their count",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "at", "N", OP_OUT, "i64", OP_REAL, NULL },
		{ "count", "", OP_OUT, "i64", OP_REAL, NULL },
	},
	.body = "k[n] = sum(j<=n) (x[j] != 0); count = k[N-1]; at[t<N] = t < count ? sum(n) (k[n] <= t) : -1",
	.reference = reference,
	.flop = "N",
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
	.torch = "(lambda p: (torch.cat([p, torch.full((N - len(p),), -1)]), "
		"torch.tensor(len(p))))(x.nonzero()[:, 0])",
	.opinfo = "nonzero",
	.sample = "dict(x=input, out=lambda p: (torch.cat([p[:, 0], torch.full((len(input) - len(p),), -1)]), "
		  "torch.tensor(len(p)))) if input.dim() == 1 and not kw.get('as_tuple') else skip('another "
		  "number of dimensions')",
	.source_path = __FILE__,
};
