#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *x = c->in[0], *mask = c->in[1], *v = c->in[2];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++)
		y[n] = mask[n] != 0 ? *v++ : x[n];
}

const struct op op_masked_scatter = {
	.name = "masked_scatter",
	.summary = "elements where the mask is true replaced by the source's, in order",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "mask", "N", OP_IN, "bool", OP_REAL, NULL },
		{ "v", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "k[n] = sum(j<n) mask[j]; y[n] = mask[n] ? v[k[n]] : x[n]",
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
	.torch = "x.masked_scatter(mask, v)",
	.opinfo = "masked_scatter",
	.sample = "(lambda x, m: dict(x=flat(x), mask=flat(m), v=torch.cat([flat(args[1]), "
		  "flat(args[1]).new_zeros(x.numel())])[:x.numel()], out=lambda y: flat(y)))(*expanded(input, "
		  "args[0]))",
	.source_path = __FILE__,
};
