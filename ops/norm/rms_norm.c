#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t rows = c->dim[0], columns = c->dim[1];

	for (int64_t r = 0; r < rows; r++) {
		const double *x = c->in[0] + r * columns;
		double squares = 0;
		for (int64_t i = 0; i < columns; i++)
			squares += x[i] * x[i];
		double scale = 1 / sqrt(squares / (double)columns + c->attr[0]);
		for (int64_t i = 0; i < columns; i++)
			c->out[0][r * columns + i] = x[i] * scale * c->in[1][i];
	}
}

const struct op op_rms_norm = {
	.name = "rms_norm",
	.summary = "root mean square normalisation over the last dimension, with scale",
	.dims = "R C",
	.tensor = { { "x", "R C", OP_IN, "T", OP_REAL, NULL }, { "g", "C", OP_IN, "T", OP_REAL, NULL },
		    { "y", "R C", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "eps", 1e-6, false } },
	.body = "q[r] = sum(c) sq(x[r,c]) / C; y[r,c] = x[r,c] * rsqrt(q[r] + eps) * g[c]",
	.reference = reference,
	.flop = "5*R*C",
	.terms = "C",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "R=2048 C=1024", OP_SEARCH, "f32" },
		{ "R=512 C=4096", OP_FULL, "f32" },
		{ "R=777 C=2001", OP_HELDOUT, "f32" },
		{ "R=3 C=5", OP_CHECK, NULL },
		{ "R=1 C=2", OP_CHECK, NULL },
		{ "R=17 C=67", OP_CHECK, NULL },
		{ "R=2 C=1027", OP_CHECK, NULL },
		{ "R=5 C=33 eps=0.1", OP_CHECK, NULL },
	},
	.torch = "x * torch.rsqrt((x * x).mean(dim=1, keepdim=True) + eps) * g",
	.opinfo = "nn.functional.rms_norm",
	.sample = "(lambda n: dict(x=input.reshape(-1, n), g=flat(args[1]) if len(args) > 1 else torch.ones(n, dtype=dtype), "
		  "eps=number(kw.get('eps', torch.finfo(dtype).eps))))(math.prod(args[0]))",
	.source_path = __FILE__,
};
