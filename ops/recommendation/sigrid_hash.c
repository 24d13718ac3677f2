#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0];
	int64_t salt = (int64_t)c->attr[0], modulus = (int64_t)c->attr[1];
	const double *v = c->in[0];
	double *y = c->out[0];

	for (int64_t k = 0; k < N; k++) {
		uint64_t h = (uint64_t)(int64_t)v[k] ^ (uint64_t)salt;
		h = ~h + (h << 21);
		h ^= h >> 24;
		h = h + (h << 3) + (h << 8);
		h ^= h >> 14;
		h = h + (h << 2) + (h << 4);
		h ^= h >> 28;
		h += h << 31;
		y[k] = (double)((h & INT64_MAX) % (uint64_t)modulus);
	}
}

const struct op op_sigrid_hash = {
	.name = "sigrid_hash",
	.summary = "ids mixed with a salt by the 64-bit mix of shifts and adds (Wang's), modulo modulus",
	.dims = "N",
	.tensor = {
		{ "v", "N", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1000000 },
		{ "y", "N", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "salt", 1, true }, { "modulus", 101, true } },
	.require = "modulus >= 1",
	.body = "a[n] = bit_xor(v[n], salt); b[n] = bit_not(a[n]) + shl(a[n], 21); d[n] = bit_xor(b[n], "
		"shr(b[n], 24)) * 265; e[n] = bit_xor(d[n], shr(d[n], 14)) * 21; f[n] = bit_xor(e[n], shr(e[n], "
		"28)); g[n] = f[n] + shl(f[n], 31); y[n] = bit_and(g[n], 9223372036854775807) % modulus",
	.reference = reference,
	.flop = "10*N",
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
	.torch = "(lambda s: (lambda a: (lambda b: (lambda d: (lambda e: (lambda f: ((f + "
		"(f << 31)) & 0x7fffffffffffffff) % modulus)(e ^ s(e, 28)))((d ^ s(d, 14)) * 21))((b ^ s(b, "
		"24)) * 265))(~a + (a << 21)))(v ^ salt))(lambda h, n: (h >> n) & ((1 << 64 - n) - 1))",
	.source_path = __FILE__,
};
