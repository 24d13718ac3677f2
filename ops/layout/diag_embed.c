#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0], N = c->dim[1];
	int64_t K = (int64_t)c->attr[0];
	const double *x = c->in[0];
	double *y = c->out[0];

	int64_t side = N + (K < 0 ? -K : K);

	for (int64_t k = 0; k < B * side * side; k++)
		y[k] = 0;
	for (int64_t k = 0; k < B * N; k++) {
		int64_t i = k % N + (K < 0 ? -K : 0), j = k % N + (K > 0 ? K : 0);
		y[(k / N * side + i) * side + j] = x[k];
	}
}

const struct op op_diag_embed = {
	.name = "diag_embed",
	.aliases = "diag diagflat",
	.summary = "vectors on a diagonal of zero matrices",
	.dims = "B N",
	.tensor = {
		{ "x", "B N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "B N+abs(K) N+abs(K)", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "K", 0, true } },
	.body = "y[b,i<N+abs(K),j<N+abs(K)] = j - i == K ? (x[b,minimum(i,j)] else 0) : 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "B=16 N=512", OP_FULL, "f32" },
		{ "B=7 N=301", OP_HELDOUT, "f32" },
		{ "B=2 N=5", OP_CHECK, NULL },
		{ "B=3 N=4 K=2", OP_CHECK, NULL },
		{ "B=2 N=7 K=-3", OP_CHECK, NULL },
		{ "B=1 N=1", OP_CHECK, NULL },
		{ "B=1 N=33 K=1", OP_CHECK, NULL },
	},
	.torch = "torch.diag_embed(x, offset=K)",
	.opinfo = "diag_embed",
	.sample = "dict(x=input.reshape(-1, input.shape[-1]), K=integer(arg(0, 'offset', 0)), out=lambda y: "
		  "flat(y)) if (kw.get('dim1', -2), kw.get('dim2', -1)) == (-2, -1) and len(args) < 2 else "
		  "skip('other dimensions')",
	.source_path = __FILE__,
};
