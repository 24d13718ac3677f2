#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = 0;
}

const struct op op_zeros = {
	.name = "zeros",
	.aliases = "zeros_like new_zeros",
	.summary = "a tensor of zeros",
	.dims = "N",
	.tensor = {
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = 0",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8",
	.shape = {
		{ "N=1048576", OP_FULL, "f32" },
		{ "N=333001", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=4099", OP_CHECK, NULL },
	},
	.torch = "torch.zeros(N)",
	.opinfo = "zeros zeros_like",
	.sample = "dict(N=input.numel() if isinstance(input, torch.Tensor) else math.prod(seq(input, len(input)) if isinstance(input, (tuple, list)) else [input])) "
		"if kw.get('dtype', dtype) == dtype else skip('another dtype')",
	.source_path = __FILE__,
};
