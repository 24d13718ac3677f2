#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t salt = (int64_t)c->attr[0], modulus = (int64_t)c->attr[1];
	const double *v = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++) {
		uint64_t h = ((uint64_t)(int64_t)v[k] ^ (uint64_t)salt) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 29;
		y[k] = (double)((h & INT64_MAX) % (uint64_t)modulus);
	}
}

const struct op op_hash_mod = {
	.name = "hash_mod",
	.summary = "ids hashed by a multiplication and a shift, modulo modulus",
	.dims = "N",
	.tensor = {
		{ "v", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1000000 },
		{ "y", "N", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "salt", 1, true }, { "modulus", 101, true } },
	.require = "modulus >= 1",
	.body = "h[n] = bit_xor(v[n], salt) * -7046029254386353131; y[n] = bit_and(bit_xor(h[n], shr(h[n], "
		"29)), 9223372036854775807) % modulus",
	.reference = reference,
	.flop = "N",
	.terms = "1",
	.dtypes = "i64 i32",
	.shape = {
		{ "N=1048576 salt=77 modulus=1009", OP_FULL, "i64" },
		{ "N=333001 salt=77 modulus=1009", OP_HELDOUT, "i64" },
		{ "N=5 salt=77 modulus=1009", OP_CHECK, NULL },
		{ "N=67 salt=3 modulus=1000003", OP_CHECK, NULL },
		{ "N=1", OP_CHECK, NULL },
		{ "N=4099 modulus=2", OP_CHECK, NULL },
	},
	.torch = "(lambda h: "
		"((h ^ ((h >> 29) & 0x7ffffffff)) & 0x7fffffffffffffff) % modulus)((v ^ salt) * -7046029254386353131)",
	.source_path = __FILE__,
};
