#include "ops/core/op.h"

#include <math.h>

/* Gradient of the norm of order p of n elements, `step` apart. */
static void gradient(const double *x, double g, int64_t n, int64_t step, double p, double *dx)
{
	double sum = 0, extreme = fabs(x[0]), equals = 0;

	for (int64_t r = 0; r < n; r++) {
		double a = fabs(x[r * step]);
		sum += isinf(p) ? 0 : pow(a, p);
		extreme = !isnan(extreme) && (isnan(a) || (p > 0 ? a > extreme : a < extreme)) ? a : extreme;
	}
	for (int64_t r = 0; r < n; r++)
		equals += fabs(x[r * step]) == extreme || isnan(x[r * step]);
	for (int64_t r = 0; r < n; r++) {
		double v = x[r * step], sign = v > 0 ? 1 : v < 0 ? -1 : v;
		if (p == 0 || v == 0)
			dx[r * step] = 0;
		else if (isinf(p))
			dx[r * step] = sign * (g / equals * (fabs(v) == extreme || isnan(v)));
		else
			dx[r * step] = sign * g * pow(fabs(v) / pow(sum, 1 / p), p - 1);
	}
}

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], R = c->dim[1], I = c->dim[2];
	for (int64_t o = 0; o < O; o++)
		for (int64_t i = 0; i < I; i++)
			gradient(c->in[1] + o * R * I + i, c->in[0][o * I + i], R, I, c->attr[0], c->out[0] + o * R * I + i);
}

const struct op op_linalg_vector_norm_backward = {
	.name = "linalg_vector_norm_backward",
	.summary = "gradient of linalg_vector_norm; of orders inf and -inf shared by all that attain it",
	.dims = "O R I",
	.tensor = {
		{ "g", "O I", OP_IN, "T", OP_REAL, NULL },
		{ "x", "O R I", OP_IN, "T", OP_REAL, NULL },
		{ "dx", "O R I", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "p", 2, false } },
	.body = "n[o,i] = p == inf ? max(r) abs(x[o,r,i]) : p == -inf ? min(r) abs(x[o,r,i]) : "
		"pow(sum(r) pow(abs(x[o,r,i]), p), 1 / p); k[o,i] = sum(r) (abs(x[o,r,i]) == n[o,i] || x[o,r,i] != x[o,r,i]); "
		"dx[o,r,i] = p == 0 || x[o,r,i] == 0 ? 0 : (x[o,r,i] < 0 ? -g[o,i] : x[o,r,i] > 0 ? g[o,i] : x[o,r,i]) * "
		"(p == inf || p == -inf ? (abs(x[o,r,i]) == n[o,i] || x[o,r,i] != x[o,r,i] ? 1 / k[o,i] : 0) : pow(abs(x[o,r,i]) / n[o,i], p - 1))",
	.reference = reference,
	.flop = "8*O*R*I",
	.terms = "R+1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "O=1 R=4096 I=1024", OP_FULL, "f32" },
		{ "O=2048 R=2048 I=1", OP_FULL, "f32" },
		{ "O=33 R=777 I=65", OP_HELDOUT, "f32" },
		{ "O=3 R=5 I=7", OP_CHECK, NULL },
		{ "O=1 R=2 I=1", OP_CHECK, NULL },
		{ "O=2 R=67 I=3", OP_CHECK, NULL },
		{ "O=5 R=17 I=1", OP_CHECK, NULL },
		{ "O=3 R=6 I=5 p=1", OP_CHECK, NULL },
		{ "O=2 R=9 I=4 p=3.5", OP_CHECK, NULL },
		{ "O=2 R=5 I=3 p=0.5", OP_CHECK, NULL },
		{ "O=3 R=31 I=2 p=inf", OP_CHECK, NULL },
		{ "O=2 R=25 I=3 p=-inf", OP_CHECK, NULL },
	},
	.torch = "(lambda x: torch.autograd.grad(torch.linalg.vector_norm(x, p, 1), x, g)[0])(x.detach().requires_grad_())",
	.opinfo = "linalg.vector_norm",
	.sample = "(lambda x, v: dict(g=v.g.reshape(x.shape[0], x.shape[2]), x=x, p=float(number(arg(0, 'ord', 2))), want=oril(v.d[0], dims())))(oril(input, dims()), "
		"vjp(input)) if (dtype == torch.float32 or math.isinf(arg(0, 'ord', 2)) or arg(0, 'ord', 2) * 2 % 1 == 0 or skip('an order that PyTorch rounds')) and arg(0, "
		"'ord', 2) >= 0 or arg(0, 'ord', 2) == -math.inf else skip('another order')",
	.source_path = __FILE__,
};
