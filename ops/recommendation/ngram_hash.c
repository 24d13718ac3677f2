#include "ops/core/op.h"

static void reference(const struct op_case *c)
{
	int64_t B = c->dim[0];
	int64_t G = (int64_t)c->attr[0], base = (int64_t)c->attr[1], modulus = (int64_t)c->attr[2];
	const double *v = c->in[0], *off = c->in[1];
	double *y = c->out[0];

	for (int64_t b = 0; b < B; b++)
		for (int64_t t = (int64_t)off[b]; t < (int64_t)off[b + 1]; t++) {
			uint64_t h = 0;
			for (int64_t j = t - G + 1; j <= t; j++)
				h = h * (uint64_t)base + (uint64_t)(j >= (int64_t)off[b] ? v[j] : 0);
			y[t] = (double)(h % (uint64_t)modulus);
		}
}

const struct op op_ngram_hash = {
	.name = "ngram_hash",
	.summary = "each id of a jagged list hashed with up to G-1 before it in its list: a polynomial in base, "
		"modulo modulus",
	.dims = "B T",
	.tensor = {
		{ "v", "T", OP_IN, "T", OP_REAL, NULL, .lo = 0, .hi = 1000000 },
		{ "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" },
		{ "y", "T", OP_OUT, "i64", OP_REAL, NULL },
	},
	.attr = { { "G", 2, true }, { "base", 31, true }, { "modulus", 1009, true } },
	.require = "modulus >= 1; G >= 1",
	.body = "seg[t] = sum(b<B-1) (off[b+1] <= t); w[i<G] = i == 0 ? 1 : base * (w[i-1] else 0); "
		"y[t] = (sum(i<G if t - i >= off[seg[t]]) v[t-i] * w[i]) % modulus",
	.reference = reference,
	.flop = "2*T*G",
	.terms = "G",
	.dtypes = "i64 i32",
	.shape = {
		{ "B=1024 T=20480 G=3", OP_FULL, "i64" },
		{ "B=100 T=2001 G=3", OP_HELDOUT, "i64" },
		{ "B=3 T=7 G=3", OP_CHECK, NULL },
		{ "B=1 T=1", OP_CHECK, NULL },
		{ "B=17 T=101 G=4 base=1009 modulus=1000003", OP_CHECK, NULL },
		{ "B=9 T=4", OP_CHECK, NULL },
	},
	.torch = "torch.tensor([sum(int(v[t - i]) * base ** i for i in range(G) if t - i >= off[b]) % modulus for b in range(B) for t in range(off[b], "
		"off[b + 1])])",
	.source_path = __FILE__,
};
