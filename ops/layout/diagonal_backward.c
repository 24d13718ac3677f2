#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], M = c->dim[1], N = c->dim[2];
	int64_t K = (int64_t)c->attr[0];
	const double *g = c->in[0];
	double *y = c->out[0];

	int64_t at = 0;

	for (int64_t k = 0; k < B * M * N; k++)
		y[k] = k % N - k / N % M == K ? g[at++] : 0;
}

const struct op op_diagonal_backward = {
	.name = "diagonal_backward",
	.summary = "gradient of a diagonal: zeros elsewhere",
	.dims = "B M N",
	.tensor = {
		{ "g", "B minimum(M-maximum(-K,0),N-maximum(K,0))", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B M N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 0, true } },
	.body = "y[b,m,n] = n - m == K ? g[b,m-maximum(-K,0)] : 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "B=64 M=512 N=700", OP_FULL, "f32" },
		{ "B=17 M=303 N=201", OP_HELDOUT, "f32" },
		{ "B=2 M=5 N=7", OP_CHECK, NULL },
		{ "B=1 M=1 N=1", OP_CHECK, NULL },
		{ "B=3 M=4 N=9 K=3", OP_CHECK, NULL },
		{ "B=2 M=9 N=5 K=-2", OP_CHECK, NULL },
		{ "B=2 M=33 N=17 K=2", OP_CHECK, NULL },
		{ "B=2 M=5 N=9 K=-2", OP_CHECK, NULL },
	},
	.torch = "(lambda z: (torch.diagonal(z, offset=K, dim1=1, dim2=2).copy_(g), z)[1])(torch.zeros(B, M, N, "
		"dtype=g.dtype))",
	.opinfo = "diagonal",
	.sample = "(lambda v, x: dict(g=v.g.reshape(-1, v.g.shape[-1]), B=x.shape[:-2].numel(), M=x.shape[-2], "
		  "N=x.shape[-1], K=integer(arg(0, 'offset', 0)), want=flat(v.d[0].movedim((arg(1, 'dim1', 0), "
		  "arg(2, 'dim2', 1)), (-2, -1)))))(vjp(input), (input.movedim((arg(1, 'dim1', 0), arg(2, 'dim2', "
		  "1)), (-2, -1)))) if call().numel() else skip('empty')",
	.source_path = __FILE__,
};
