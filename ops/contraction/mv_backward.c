#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	int64_t M = c->dim[0], K = c->dim[1];
	for (int64_t k = 0; k < K; k++) {
		c->out[1][k] = 0;
		for (int64_t m = 0; m < M; m++) {
			c->out[0][m * K + k] = c->in[0][m] * c->in[2][k];
			c->out[1][k] += c->in[1][m * K + k] * c->in[0][m];
		}
	}
}

const struct op op_mv_backward = {
	.name = "mv_backward",
	.summary = "gradients of mv: of matrix and vector",
	.dims = "M K",
	.tensor = {
		{ "g", "M", OP_IN, "T", OP_REAL, NULL },
		{ "a", "M K", OP_IN, "T", OP_REAL, NULL },
		{ "x", "K", OP_IN, "T", OP_REAL, NULL },
		{ "da", "M K", OP_OUT, "T", OP_REAL, NULL },
		{ "dx", "K", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "da[m,k] = g[m] * x[k]; dx[k] = sum(m) a[m,k] * g[m]",
	.reference = reference,
	.flop = "3*M*K",
	.terms = "M",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "M=512 K=8192", OP_FULL, "f32" },
		{ "M=201 K=1777", OP_HELDOUT, "f32" },
		{ "M=5 K=7", OP_CHECK, NULL },
		{ "M=1 K=1", OP_CHECK, NULL },
		{ "M=67 K=17", OP_CHECK, NULL },
		{ "M=1031 K=3", OP_CHECK, NULL },
	},
	.torch = "(lambda a, x: torch.autograd.grad(torch.mv(a, x), (a, x), g))(a.detach().requires_grad_(), x.detach().requires_grad_())",
	.opinfo = "mv",
	.sample = "(lambda v: dict(g=v.g, a=input, x=args[0], want=v.d))(vjp(input, args[0]))",
	.source_path = __FILE__,
};
