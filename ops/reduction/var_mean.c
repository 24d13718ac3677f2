#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double mean = 0, square = 0;
			for (int64_t r = 0; r < R; r++)
				mean += x[r * I] / (double)R;
			for (int64_t r = 0; r < R; r++)
				square += (x[r * I] - mean) * (x[r * I] - mean);
			c->out[0][o * I + i] = square / (double)(R - (int64_t)c->attr[0]);
			c->out[1][o * I + i] = mean;
		}
}

const struct op op_var_mean = {
	.name = "var_mean",
	.summary = "variance, divided by R - correction, and mean",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "v", "O I", OP_OUT, "T", OP_REAL, NULL },
		{ "m", "O I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "correction", 1, true } },
	.body = "m[o,i] = sum(r) x[o,r,i] / R; v[o,i] = sum(r) sq(x[o,r,i] - m[o,i]) / (R - correction)",
	.reference = reference,
	.flop = "5*O*R*I",
	.terms = "R",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=2048 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=1 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=1 R=131 I=2", OP_CHECK, NULL },
		{ "O=3 R=6 I=5 correction=0", OP_CHECK, NULL },
		{ "O=2 R=9 I=4 correction=2", OP_CHECK, NULL },
	},
	.torch = "torch.var_mean(x, 1, unbiased=correction == 1) if correction < 2 else (((x - x.mean(1, "
		"keepdim=True)) ** 2).sum(1) / (x.shape[1] - correction), x.mean(1))",
	.opinfo = "var_mean",
	.sample = "dict(x=oril(input, kw['dim'] if 'dim' in kw else args[0] if args and not isinstance(args[0], "
		  "bool) else None), correction=integer(kw.get('correction', 1) if 'correction' in kw else "
		  "int(kw.get('unbiased', args[0] if args and isinstance(args[0], bool) else args[1] if len(args) "
		  "> 1 and isinstance(args[1], bool) else True))), out=lambda v, m: (flat(v), flat(m)))",
	.source_path = __FILE__,
};
