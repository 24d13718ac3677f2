#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	const double *v = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++)
		y[k] = *v;
}

const struct op op_fill = {
	.name = "fill",
	.aliases = "full full_like new_full",
	.summary = "a tensor of one value",
	.dims = "N",
	.tensor = {
		{ "v", "", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.body = "y[n] = v",
	.reference = reference,
	.flop = "0",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool",
	.shape = {
		{ "N=1048576", OP_FULL, "f32" },
		{ "N=333001", OP_HELDOUT, "f32" },
		{ "N=5", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=67", OP_CHECK, NULL },
		{ "N=4099", OP_CHECK, NULL },
	},
	.torch = "torch.full((N,), v.item(), dtype=v.dtype)",
	.opinfo = "fill",
	.sample = "dict(v=torch.tensor(number(arg(0, 'value')), dtype=dtype), N=input.numel())",
	.source_path = __FILE__,
};
