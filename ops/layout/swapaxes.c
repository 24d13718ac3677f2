#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t O = c->dim[0], M = c->dim[1], P = c->dim[2], N = c->dim[3], I = c->dim[4];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t o = 0; o < O; o++)
		for (int64_t m = 0; m < M; m++)
			for (int64_t p = 0; p < P; p++)
				for (int64_t n = 0; n < N; n++)
					for (int64_t i = 0; i < I; i++)
						y[(((o * N + n) * P + p) * M + m) * I + i] = *x++;
}

const struct op op_swapaxes = {
	.name = "swapaxes",
	.aliases = "swapdims movedim permute transpose_copy",
	.summary = "two dimensions change places; what lies before, between and after them is collapsed",
	.dims = "O M P N I",
	.tensor = {
		{ "x", "O M P N I", OP_IN, "T", OP_REAL, NULL },
		{ "y", "O N P M I", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[o,n,p,m,i] = x[o,m,p,n,i]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "O=16 M=128 P=1 N=16 I=64", OP_FULL, "f32" },
		{ "O=8 M=64 P=16 N=96 I=1", OP_FULL, "f32" },
		{ "O=3 M=33 P=5 N=17 I=13", OP_HELDOUT, "f32" },
		{ "O=2 M=3 P=5 N=7 I=3", OP_CHECK, NULL },
		{ "O=1 M=1 P=1 N=1 I=1", OP_CHECK, NULL },
		{ "O=3 M=17 P=1 N=5 I=9", OP_CHECK, NULL },
		{ "O=1 M=9 P=4 N=33 I=1", OP_CHECK, NULL },
	},
	.torch = "x.transpose(1, 3).contiguous()",
	.opinfo = "transpose",
	.sample = "(lambda i, j, s: dict(x=input.reshape(math.prod(s[:i]), s[i], math.prod(s[i + 1:j]), s[j], "
		  "math.prod(s[j + 1:])), out=lambda y: flat(y)))(*sorted(d % input.dim() for d in args), "
		  "input.shape) if input.dim() and args[0] % input.dim() != args[1] % input.dim() else skip('one "
		  "dimension')",
	.source_path = __FILE__,
};
