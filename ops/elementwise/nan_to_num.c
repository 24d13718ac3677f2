#include "ops/core/op.h"

#include <math.h>

static void reference(const struct op_case *c)
{
	double none = c->attr[0];
	double most = c->attr[1];
	double least = c->attr[2];
	for (int64_t i = 0; i < c->dim[0]; i++) {
		double v = c->in[0][i];
		c->out[0][i] = isnan(v) ? none : isinf(v) ? (v > 0 ? most : least) : v;
	}
}

const struct op op_nan_to_num = {
	.name = "nan_to_num",
	.summary = "NaN and infinities replaced by numbers",
	.dims = "N",
	.tensor = {
		{ "x", "N", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N", OP_OUT, "T", OP_REAL, NULL },
	},
	.attr = { { "none", 0, false }, { "most", 10000, false }, { "least", -10000, false } },
	.body = "y[n] = x[n] != x[n] ? none : x[n] == inf ? most : x[n] == -inf ? least : x[n]",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "f32 f64 f16 bf16",
	.shape = {
		{ "N=4194304", OP_FULL, "f32" },
		{ "N=1000003", OP_HELDOUT, "f32" },
		{ "N=37", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=1031", OP_CHECK, NULL },
	},
	.torch = "torch.nan_to_num(x, nan=none, posinf=most, neginf=least)",
	.opinfo = "nan_to_num",
	.sample = "(lambda top: dict(x=flat(input), none=number(kw.get('nan') or 0), most=number(kw.get('posinf') "
		  "if kw.get('posinf') is not None else top), least=number(kw.get('neginf') if kw.get('neginf') "
		  "is not None else -top)))(torch.finfo(dtype).max) if dtype.is_floating_point else "
		  "skip('integers')",
	.source_path = __FILE__,
};
