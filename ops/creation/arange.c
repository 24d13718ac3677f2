#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t start = (int64_t)c->attr[0], step = (int64_t)c->attr[1];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = (double)(start + k * step);
}

const struct op op_arange = {
	.name = "arange",
	.aliases = "range",
	.summary = "numbers from start on, step apart",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "start", 0, true }, { "step", 1, true } },
	.require = "step != 0",
	.body = "y[n] = start + n * step",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 i64 i32",
	.shape = {
		{ "N=1048576", OP_FULL, "f32" },
		{ "N=333001", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67 start=2 step=3", OP_CHECK, NULL },
		{ "N=37 start=-5 step=2", OP_CHECK, NULL },
		{ "N=7 start=9 step=-1", OP_CHECK, NULL },
	},
	.torch = "torch.arange(start, start + N * step, step)",
	.opinfo = "arange",
	.sample = "(lambda y: dict(N=len(y), start=integer(input) if args else 0, step=integer(args[1]) if len(args) > 1 else 1, want=y))(call())",
	.source_path = __FILE__,
};
