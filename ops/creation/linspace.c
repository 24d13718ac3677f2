#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	double lo = c->attr[0], hi = c->attr[1];
	double *y = c->out[0];

	double step = N > 1 ? (hi - lo) / (double)(N - 1) : 0;

	for (int64_t k = 0; k < N; k++)
		y[k] = N == 1 || k < N / 2 ? lo + (double)k * step : hi - (double)(N - 1 - k) * step;
}

const struct op op_linspace = {
	.name = "linspace",
	.summary = "N numbers from lo to hi, both included; the upper half is counted from hi",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "lo", -1, false }, { "hi", 2, false } },
	.body = "y[n] = n < N // 2 || N == 1 ? lo + n * ((hi - lo) / maximum(N - 1, 1)) : "
		"hi - (N - 1 - n) * ((hi - lo) / maximum(N - 1, 1))",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=1048576", OP_FULL, "f32" },
		{ "N=333001", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=8", OP_CHECK, NULL },
		{ "N=67 lo=3 hi=-4.5", OP_CHECK, NULL },
		{ "N=2", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
	},
	.torch = "torch.linspace(lo, hi, N, dtype=torch.float64)",
	.opinfo = "linspace",
	.sample = "dict(N=args[1], lo=number(input), hi=number(args[0])) if kw.get('dtype') == dtype else skip('another dtype')",
	.source_path = __FILE__,
};
