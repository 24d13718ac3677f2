#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t R = c->dim[0], C = c->dim[1];
	double total = 0;
	for (int64_t r = 0; r < R; r++) {
		const double *x = c->in[0] + r * C;
		double most = -INFINITY, sum = 0;
		for (int64_t i = 0; i < C; i++)
			most = isnan(x[i]) || x[i] > most ? x[i] : most;
		for (int64_t i = 0; i < C; i++)
			sum += exp(x[i] - most);
		total += most + log(sum) - x[(int64_t)c->in[1][r]];
	}
	c->out[0][0] = total / (double)R;
}

const struct op op_cross_entropy = {
	.name = "cross_entropy",
	.summary = "mean of -log softmax at the target class",
	.dims = "R C",
	.tensor = {
		{ "x", "R C", OP_IN, "T", OP_REAL, NULL },
		{ "t", "R", OP_IN, "i64", OP_INDEX, "C" },
		{ "y", "", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "m[r] = max(c) x[r,c]; l[r] = m[r] + log(sum(c) exp(x[r,c] - m[r])); "
		"y = sum(r) (l[r] - x[r,t[r]]) / R",
	.reference = reference,
	.flop = "4*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=32768 C=4096", OP_LARGE, "f32", "kb1/95" },
		{ "R=256 C=8192", OP_FULL, "f32", "kb1/95/cpu" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=1", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=40 C=571", OP_CHECK, NULL },
		{ "R=4 C=131", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.cross_entropy(x, t)",
	.opinfo = "nn.functional.cross_entropy",
	.sample = "dict(x=input, t=args[0]) if input.dim() == 2 and args[0].dtype == torch.int64 and "
		  "kw.get('reduction', 'mean') == 'mean' and kw.get('weight') is None and not "
		  "kw.get('label_smoothing') and not set(kw) & {'ignore_index'} else skip('another form')",
	.source_path = __FILE__,
};
