#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t A = c->dim[0], B = c->dim[1], C = c->dim[2];
	int64_t DIMS = (int64_t)c->attr[0];
	const double *x = c->in[0];
	double *y = c->out[0];

	for (int64_t a = 0; a < A; a++)
		for (int64_t b = 0; b < B; b++)
			for (int64_t k = 0; k < C; k++) {
				int64_t to = DIMS & 1 ? A - 1 - a : a;
				to = to * B + (DIMS & 2 ? B - 1 - b : b);
				to = to * C + (DIMS & 4 ? C - 1 - k : k);
				y[to] = *x++;
			}
}

const struct op op_flip = {
	.name = "flip",
	.aliases = "fliplr flipud",
	.summary = "three collapsed dimensions, reversed where DIMS has the bit: 1 the first, 2 the second, "
		"4 the third",
	.dims = "A B C",
	.tensor = {
		{ "x", "A B C", OP_IN, "T", OP_REAL, NULL },
		{ "y", "A B C", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "DIMS", 4, true } },
	.body = "y[a,b,c] = x[DIMS % 2 == 1 ? A-1-a : a,DIMS//2 % 2 == 1 ? B-1-b : b,DIMS//4 == 1 ? C-1-c : c]",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "A=1 B=2048 C=1024", OP_FULL, "f32" },
		{ "A=3 B=201 C=333", OP_HELDOUT, "f32" },
		{ "A=2 B=3 C=5", OP_CHECK, NULL },
		{ "A=3 B=5 C=7 DIMS=7", OP_CHECK, NULL },
		{ "A=5 B=3 C=4 DIMS=1", OP_CHECK, NULL },
		{ "A=2 B=9 C=17 DIMS=2", OP_CHECK, NULL },
		{ "A=1 B=1 C=1 DIMS=3", OP_CHECK, NULL },
		{ "A=4 B=2 C=67 DIMS=5", OP_CHECK, NULL },
	},
	.torch = "torch.flip(x, [k for k in range(3) if DIMS >> k & 1])",
	.opinfo = "flip",
	.sample = "(lambda d, n: dict(x=input.reshape((1,) * (3 - n) + tuple(input.shape)), DIMS=sum(1 << (3 - n "
		  "+ k % n) for k in set(d)), out=lambda y: flat(y)))(arg(0, 'dims'), input.dim()) if 0 < "
		  "input.dim() <= 3 else skip('more than three dimensions')",
	.source_path = __FILE__,
};
