#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], D = c->dim[2];
	const double *x = c->in[0], *count = c->in[1];
	double *y = c->out[0];

	for (int64_t n = 0; n < N; n++)
		for (int64_t left = (int64_t)count[n]; left > 0; left--)
			for (int64_t d = 0; d < D; d++)
				*y++ = x[n * D + d];
}

const struct op op_repeat_interleave = {
	.name = "repeat_interleave",
	.summary = "each row as often as its count says; T rows in all",
	.dims = "N T D",
	.tensor = {
		{ "x", "N D", OP_IN, "T", OP_REAL, NULL },
		{ "count", "N", OP_IN, "i64", OP_LENGTHS, "T" },
		{ "y", "T D", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "k[n] = sum(j<=n) count[j]; at[t] = sum(n<N-1) (k[n] <= t); y[t,d] = x[at[t],d]",
	.reference = reference,
	.flop = "0",
	.terms = "N",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "N=1024 T=4096 D=64", OP_FULL, "f32" },
		{ "N=301 T=1001 D=33", OP_HELDOUT, "f32" },
		{ "N=5 T=9 D=3", OP_CHECK, NULL },
		{ "N=1 T=1 D=1", OP_CHECK, NULL },
		{ "N=17 T=67 D=1", OP_CHECK, NULL },
		{ "N=33 T=7 D=5", OP_CHECK, NULL },
	},
	.torch = "torch.repeat_interleave(x, count, dim=0)",
	.opinfo = "repeat_interleave",
	.sample = "(lambda d, r: dict(x=input.movedim(d, 0).reshape(input.shape[d], -1), count=r, T=int(r.sum()), "
		  "out=lambda y: y.movedim(d, 0).reshape(int(r.sum()), -1)))(arg(1, 'dim'), (lambda r: "
		  "r.expand(input.shape[arg(1, 'dim')]).contiguous() if isinstance(r, torch.Tensor) else "
		  "torch.full((input.shape[arg(1, 'dim')],), r))(arg(0, 'repeats'))) if arg(1, 'dim') is not None "
		  "and input.dim() else skip('over all')",
	.source_path = __FILE__,
};
