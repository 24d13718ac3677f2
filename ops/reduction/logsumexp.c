#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			double most = x[0], sum = 0;
			for (int64_t r = 1; r < R; r++)
				most = isnan(x[r * I]) || x[r * I] > most ? x[r * I] : most;
			for (int64_t r = 0; r < R; r++)
				sum += exp(x[r * I] - most);
			c->out[0][o * I + i] = isinf(most) ? most : most + log(sum);
		}
}

const struct op op_logsumexp = {
	.name = "logsumexp",
	.summary = "log of the sum of exp over one dimension",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "m[o,i] = max(r) x[o,r,i]; y[o,i] = m[o,i] == inf || m[o,i] == -inf ? m[o,i] : m[o,i] + log(sum(r) "
		"exp(x[o,r,i] - m[o,i]))",
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
	},
	.torch = "torch.logsumexp(x, 1)",
	.opinfo = "logsumexp",
	.sample = "dict(x=oril(input, dims()), out=lambda y: flat(y))",
	.source_path = __FILE__,
};
