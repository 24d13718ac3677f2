#include "ops/core/op.h"

#include <math.h>

/* Of n elements, `step` apart. */
static double norm(const double *x, int64_t n, int64_t step, double p)
{
	double sum = 0, most = fabs(x[0]), least = most;

	for (int64_t r = 0; r < n; r++) {
		double a = fabs(x[r * step]);
		sum += p == 0 ? a != 0 : isinf(p) ? 0 : pow(a, p);
		most = isnan(a) || a > most ? a : most;
		least = isnan(a) || a < least ? a : least;
	}
	return p == 0 ? sum : p == INFINITY ? most : p == -INFINITY ? least : pow(sum, 1 / p);
}

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++) {
			const double *x = c->in[0] + o * R * I + i;
			c->out[0][o * I + i] = norm(x, R, I, c->attr[0]);
		}
}

const struct op op_linalg_vector_norm = {
	.name = "linalg_vector_norm",
	.summary = "p-norm over one dimension; of order inf and -inf the greatest and least magnitude, of order 0 how many are not zero",
	.dims = "O R I",
	.tensor = {
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "p", 2, false } },
	.body = "y[o,i] = p == inf ? max(r) abs(x[o,r,i]) : p == -inf ? min(r) abs(x[o,r,i]) : p == 0 ? sum(r) (x[o,r,i] != 0) : "
		"pow(sum(r) pow(abs(x[o,r,i]), p), 1 / p)",
	.reference = reference,
	.flop = "4*O*R*I",
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
		{ "O=3 R=6 I=5 p=1", OP_CHECK, NULL },
		{ "O=2 R=9 I=4 p=3.5", OP_CHECK, NULL },
		{ "O=2 R=5 I=3 p=0.5", OP_CHECK, NULL },
		{ "O=3 R=7 I=2 p=inf", OP_CHECK, NULL },
		{ "O=2 R=5 I=3 p=-inf", OP_CHECK, NULL },
		{ "O=2 R=8 I=3 p=0", OP_CHECK, NULL },
	},
	.torch = "torch.linalg.vector_norm(x, p, 1)",
	.opinfo = "linalg.vector_norm",
	.sample = "dict(x=oril(input, dims()), p=float(number(arg(0, 'ord', 2))), out=lambda y: flat(y)) "
		"if (dtype == torch.float32 or math.isinf(arg(0, 'ord', 2)) or arg(0, 'ord', 2) * 2 % 1 == 0 or skip('an order that PyTorch rounds')) and arg(0, "
		"'ord', 2) >= 0 or arg(0, 'ord', 2) == -math.inf else skip('another order')",
	.source_path = __FILE__,
};
