/* The functions that printed Triton calls: the formulas of the SIMT vocabulary, on tiles. */
#include "generate/triton.h"

#include <string.h>

static const char *const names[] = {
	"abs", "sqrt", "rsqrt", "floor", "ceil", "trunc", "round", "exp", "exp2", "erf", "log", "log1p", "sigmoid", "tanh", "sin", "cos", "maximum",
	"minimum", "cdiv", "rup", "bit_and", "bit_or", "bit_xor", "bit_not", "shl", "shr", "philox", "expm1", "pow", "atan2",
};

bool triton_has(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

#define JIT "@triton.jit\n"

static const char arithmetic[] =
	JIT "def km_add(a, b):\n    return a + b\n"
	JIT "def km_multiply(a, b):\n    return a * b\n"
	/* NaN of either wins. */
	JIT "def km_maximum(a, b):\n    return tl.maximum(a, b, propagate_nan=tl.PropagateNan.ALL)\n"
	JIT "def km_minimum(a, b):\n    return tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)\n"
	JIT "def km_whole_maximum(a, b):\n    return tl.where(a > b, a, b)\n"
	JIT "def km_whole_minimum(a, b):\n    return tl.where(a < b, a, b)\n"
	JIT "def km_whole_abs(a):\n    return tl.where(a < 0, -a, a)\n"
	/* // and % of the language round towards 0. */
	JIT "def km_whole_div(a, b):\n    return a // b - tl.where((a % b != 0) & ((a < 0) != (b < 0)), 1, 0)\n"
	JIT "def km_whole_mod(a, b):\n    return a - km_whole_div(a, b) * b\n"
	/* The operator / is 2 ULP off: too much where a difference follows. */
	JIT "def km_quotient(a, b):\n    return tl.div_rn(a, b)\n"
	/* As the interpreter's: a quotient that rounded up to a whole number is one too many; of infinities there is none. */
	JIT "def km_real_div(a, b):\n"
	"    f = tl.floor(km_quotient(a, b))\n    r = tl.fma(-f, b, a)\n    f = tl.where((r != 0.0) & ((r < 0.0) != (b < 0.0)) & (tl.abs(r) < float('inf')), f - 1.0, f)\n"
	"    f = tl.where((tl.abs(b) == float('inf')) & (tl.abs(a) < float('inf')), tl.where((a != 0.0) & ((a < 0.0) != (b < 0.0)), -1.0, 0.0), f)\n"
	"    return tl.where((tl.abs(a) == float('inf')) & (b != 0.0), float('nan'), f)\n"
	/* Where the quotient is large, what it was rounded by is more than a remainder. */
	JIT "def km_real_mod(a, b):\n    return km_real_mod_f64(tl.cast(a, tl.float64), tl.cast(b, tl.float64)).to(tl.float32)\n"
	JIT "def km_cdiv(a, b):\n    return -km_whole_div(-a, b)\n"
	JIT "def km_rup(a, b):\n    return km_cdiv(a, b) * b\n"
	JIT "def km_bit_and(a, b):\n    return a & b\n"
	JIT "def km_bit_or(a, b):\n    return a | b\n"
	JIT "def km_bit_xor(a, b):\n    return a ^ b\n"
	JIT "def km_bit_not(a):\n    return ~a\n"
	JIT "def km_shl(a, b):\n    return a << b\n"
	JIT "def km_shr(a, b):\n    return (a.to(tl.uint64) >> b.to(tl.uint64)).to(tl.int64)\n";

static const char functions[] =
	JIT "def km_abs(x):\n    return tl.abs(x)\n"
	JIT "def km_sqrt(x):\n    return tl.sqrt_rn(x)\n"
	JIT "def km_rsqrt(x):\n    return km_quotient(1.0, tl.sqrt_rn(x))\n"
	JIT "def km_floor(x):\n    return tl.floor(x)\n"
	JIT "def km_ceil(x):\n    return tl.ceil(x)\n"
	JIT "def km_trunc(x):\n    return tl.where(x < 0.0, tl.ceil(x), tl.floor(x))\n"
	/* Half to even. */
	JIT "def km_round(x):\n"
	"    f = tl.floor(x)\n    d = x - f\n    odd = f - 2.0 * tl.floor(f * 0.5)\n"
	"    return tl.where((d > 0.5) | ((d == 0.5) & (odd != 0.0)), f + 1.0, f)\n"
	/* 2^x on [-0.5, 0.5] by the special function unit, 2 ULP; then the exponent in two steps, so that tiny results keep what they can. */
	JIT "def km_scaled(f, n):\n"
	"    i = n.to(tl.int32)\n    h = i // 2\n"
	"    return tl.exp2(f) * ((127 + h) << 23).to(tl.float32, bitcast=True) * ((127 + i - h) << 23).to(tl.float32, bitcast=True)\n"
	JIT "def km_exp(x):\n"
	"    n = tl.floor(tl.minimum(tl.maximum(x * 1.442695041, -250.0), 250.0) + 0.5)\n"
	"    f = tl.fma(n, -0.693145752, x)\n    f = tl.fma(n, -1.42860677e-06, f)\n    f = tl.minimum(tl.maximum(f, -1.0), 1.0)\n"
	"    return tl.where(x != x, x, km_scaled(tl.fma(f, 1.925963033e-8, f * 1.442695022), n))\n"
	JIT "def km_exp2(x):\n"
	"    c = tl.minimum(tl.maximum(x, -250.0), 250.0)\n    n = tl.floor(c + 0.5)\n"
	"    return tl.where(x != x, x, km_scaled(c - n, n))\n"
	/* exp(-|x|) does not overflow: what is tiny keeps its digits. */
	JIT "def km_sigmoid(x):\n    e = km_exp(-tl.abs(x))\n    return km_quotient(tl.where(x < 0.0, e, 1.0), 1.0 + e)\n"
	/* Mantissa in [sqrt(1/2), sqrt(2)), the polynomial of Cephes' logf, 1 ULP. */
	JIT "def km_log(x):\n"
	"    tiny = x < 1.17549435e-38\n    u = tl.where(tiny, x * 8388608.0, x).to(tl.int32, bitcast=True)\n"
	"    e = (u - 0x3f3504f3) >> 23\n    m = (u - (e << 23)).to(tl.float32, bitcast=True) - 1.0\n"
	"    n = (e - tl.where(tiny, 23, 0)).to(tl.float32)\n    z = m * m\n"
	"    p = tl.fma(m, 7.0376836292e-2, -1.1514610310e-1)\n    p = tl.fma(p, m, 1.1676998740e-1)\n    p = tl.fma(p, m, -1.2420140846e-1)\n"
	"    p = tl.fma(p, m, 1.4249322787e-1)\n    p = tl.fma(p, m, -1.6668057665e-1)\n    p = tl.fma(p, m, 2.0000714765e-1)\n"
	"    p = tl.fma(p, m, -2.4999993993e-1)\n    p = tl.fma(p, m, 3.3333331174e-1)\n"
	"    y = tl.fma(p * m, z, tl.fma(n, -2.12194440e-4, -0.5 * z)) + m\n    y = tl.fma(n, 0.693359375, y)\n"
	"    odd = tl.where(x == 0.0, float('-inf'), tl.where(x > 0.0, x, float('nan')))\n"
	"    return tl.where((x > 0.0) & (x < float('inf')), y, odd)\n"
	JIT "def km_log1p(x):\n"
	"    u = 1.0 + x\n    d = u - 1.0\n    more = tl.where(u > 0.0, km_quotient(x - d, u), 0.0)\n"
	"    return tl.where((u == 1.0) | (x == float('inf')), x, km_log(u) + more)\n"
	/* The rational approximation x P(x^2)/Q(x^2) on [-4,4] of the vector C vocabulary, 6 ULP. */
	JIT "def km_erf(x):\n"
	"    c = tl.where(x > 4.0, 4.0, x)\n    c = tl.where(c < -4.0, -4.0, c)\n    q = c * c\n"
	"    p = tl.fma(q, -2.72614225801306e-10, 2.77068142495902e-08)\n    p = tl.fma(p, q, -2.10102402082508e-06)\n"
	"    p = tl.fma(p, q, -5.69250639462346e-05)\n    p = tl.fma(p, q, -7.34990630326855e-04)\n"
	"    p = tl.fma(p, q, -2.95459980854025e-03)\n    p = tl.fma(p, q, -1.60960333262415e-02)\n"
	"    d = tl.fma(q, -1.45660718464996e-05, -2.13374055278905e-04)\n    d = tl.fma(d, q, -1.68282697438203e-03)\n"
	"    d = tl.fma(d, q, -7.37332916720468e-03)\n    d = tl.fma(d, q, -1.42647390514189e-02)\n"
	/* Beyond 1 a negative number times gelu's 1 + erf would be positive. */
	"    y = km_quotient(c * p, d)\n    y = tl.where(y > 1.0, 1.0, y)\n    return tl.where(y < -1.0, -1.0, y)\n"
	/* Odd polynomial below 0.625, else by exp; 2 ULP. */
	JIT "def km_tanh(x):\n"
	"    a = tl.abs(x)\n    z = x * x\n    p = tl.fma(z, -5.70498872745e-3, 2.06390887954e-2)\n"
	"    p = tl.fma(p, z, -5.37397155531e-2)\n    p = tl.fma(p, z, 1.33314422036e-1)\n    p = tl.fma(p, z, -3.33332819422e-1)\n"
	"    p = tl.fma(p * z, x, x)\n    q = 1.0 - km_quotient(2.0, km_exp(a + a) + 1.0)\n"
	"    return tl.where(a < 0.625, p, tl.where(x < 0.0, -q, q))\n"
	/* As in vector_c.c. */
	JIT "def km_circular(x, turn: tl.constexpr):\n"
	/* Numbers are rounded to f32 before they meet f64: 2/pi in two parts, pi/2 in three. */
	"    d = x.to(tl.float64)\n    n = tl.floor(d * 0.6366197466850281 + d * 2.5682552973194106e-08 + 0.5)\n"
	"    d = tl.fma(n, -1.5707963705062866, d)\n    d = tl.fma(n, 4.371138828673793e-08, d)\n    d = tl.fma(n, 1.7151245100058819e-15, d)\n"
	"    k = (n - 4.0 * tl.floor(n * 0.25)).to(tl.int32) + turn\n    r = d.to(tl.float32)\n    z = r * r\n"
	"    s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r\n"
	"    c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0\n"
	"    y = tl.where((k & 1) != 0, c, s)\n    return tl.where((k & 2) != 0, -y, y)\n"
	JIT "def km_sin(x):\n    return km_circular(x, 0)\n"
	JIT "def km_cos(x):\n    return km_circular(x, 1)\n";

/* What f32 has no formula for above is its compiler's own library of devices. */
static const char library[] =
	JIT "def km_expm1(x):\n    return libdevice.expm1(x)\n"
	JIT "def km_pow(x, y):\n    return libdevice.pow(x, y)\n"
	JIT "def km_atan2(y, x):\n    return libdevice.atan2(y, x)\n";

/* The same functions of f64. */
static const char doubles[] =
	JIT "def km_maximum_f64(a, b):\n    return tl.where((a > b) | (a != a), a, b)\n"
	JIT "def km_minimum_f64(a, b):\n    return tl.where((a < b) | (a != a), a, b)\n"
	JIT "def km_abs_f64(x):\n    return tl.abs(x)\n"
	JIT "def km_sqrt_f64(x):\n    return tl.sqrt(x)\n"
	JIT "def km_rsqrt_f64(x):\n    return 1.0 / tl.sqrt(x)\n"
	JIT "def km_floor_f64(x):\n    return libdevice.floor(x)\n"
	JIT "def km_ceil_f64(x):\n    return libdevice.ceil(x)\n"
	JIT "def km_trunc_f64(x):\n    return libdevice.trunc(x)\n"
	JIT "def km_round_f64(x):\n    return libdevice.rint(x)\n"
	JIT "def km_exp_f64(x):\n    return libdevice.exp(x)\n"
	JIT "def km_exp2_f64(x):\n    return libdevice.exp2(x)\n"
	JIT "def km_expm1_f64(x):\n    return libdevice.expm1(x)\n"
	JIT "def km_log_f64(x):\n    return libdevice.log(x)\n"
	JIT "def km_log1p_f64(x):\n    return libdevice.log1p(x)\n"
	JIT "def km_sin_f64(x):\n    return libdevice.sin(x)\n"
	JIT "def km_cos_f64(x):\n    return libdevice.cos(x)\n"
	JIT "def km_tanh_f64(x):\n    return libdevice.tanh(x)\n"
	JIT "def km_erf_f64(x):\n    return libdevice.erf(x)\n"
	JIT "def km_pow_f64(x, y):\n    return libdevice.pow(x, y)\n"
	JIT "def km_atan2_f64(y, x):\n    return libdevice.atan2(y, x)\n"
	JIT "def km_sigmoid_f64(x):\n    e = libdevice.exp(-tl.abs(x))\n    return tl.where(x < 0.0, e, 1.0) / (1.0 + e)\n"
	/* Remainders of whole quotients are exact. */
	JIT "def km_real_div_f64(a, b):\n"
	"    m = libdevice.fmod(a, b)\n    f = libdevice.rint((a - m) / b - tl.where((m != 0.0) & ((m < 0.0) != (b < 0.0)), 1.0, 0.0))\n"
	"    return tl.where(b == 0.0, a / b, f)\n"
	JIT "def km_real_mod_f64(a, b):\n    m = libdevice.fmod(a, b)\n    return tl.where((m != 0.0) & ((m < 0.0) != (b < 0.0)), m + b, m)\n";

/*
 * Conversions.  To integers: truncated, wrapped into 64 bits, 0 of what is not finite.  f64 to f32 to odd: what is
 * narrowed further afterwards is rounded once.  fp8 (OCP 8-bit floating point, 2023) is bytes, rounded to nearest even:
 * by carries into what is kept of an f32's bits, and where that is a denormal by adding a number whose last bit is the least.
 */
static const char conversions[] =
	JIT "def km_long(x):\n"
	"    u = x.to(tl.float64).to(tl.int64, bitcast=True)\n    e = ((u >> 52) & 2047) - 1075\n    m = (u & 0xfffffffffffff) | 0x10000000000000\n"
	"    whole = tl.where(e < 64, m << tl.minimum(tl.maximum(e, 0), 63), 0)\n    part = m >> tl.minimum(tl.maximum(-e, 0), 63)\n"
	"    r = tl.where(e >= 972, 0, tl.where(e >= 0, whole, part))\n    return tl.where(u < 0, -r, r)\n"
	JIT "def km_odd(x):\n"
	"    x = x.to(tl.float64)\n    f = x.to(tl.float32)\n    d = f.to(tl.float64)\n    u = f.to(tl.int32, bitcast=True)\n"
	"    u = (u - tl.where(tl.abs(d) > tl.abs(x), 1, 0)) | 1\n"
	"    return tl.where((d == x) | (x != x) | (tl.abs(x) == float('inf')), f, u.to(tl.float32, bitcast=True))\n"
	JIT "def km_of_f8e4m3(b):\n"
	"    u = b.to(tl.int32)\n    m = u & 127\n    v = ((m << 20) + (120 << 23)).to(tl.float32, bitcast=True)\n"
	"    v = tl.where(m < 8, m.to(tl.float32) * 0.001953125, v)\n    v = tl.where(m == 127, float('nan'), v)\n    return tl.where(u > 127, -v, v)\n"
	JIT "def km_of_f8e5m2(b):\n    return (b.to(tl.int16) << 8).to(tl.float16, bitcast=True).to(tl.float32)\n"
	JIT "def km_to_f8(x, cut: tl.constexpr, carry: tl.constexpr, bias: tl.constexpr, low: tl.constexpr, least: tl.constexpr):\n"
	"    a = tl.abs(x)\n    u = a.to(tl.int32, bitcast=True)\n    normal = ((u + carry + ((u >> cut) & 1)) >> cut) - bias\n"
	"    return tl.where(a < least, (a + low).to(tl.int32, bitcast=True) & 255, normal)\n"
	JIT "def km_to_f8e4m3(x):\n"
	"    x = x.to(tl.float32)\n    code = tl.where(tl.abs(x) <= 464.0, km_to_f8(x, 20, 0x7ffff, 960, 16384.0, 0.015625), 127)\n"
	"    return (code | ((x.to(tl.int32, bitcast=True) >> 24) & 128)).to(tl.uint8)\n"
	JIT "def km_to_f8e5m2(x):\n"
	"    x = x.to(tl.float32)\n    code = tl.where(tl.abs(x) < 61440.0, km_to_f8(x, 21, 0xfffff, 448, 128.0, 6.103515625e-05), 124)\n"
	"    code = (code | ((x.to(tl.int32, bitcast=True) >> 24) & 128))\n    return tl.where(x != x, 127, code).to(tl.uint8)\n";

/* Philox4x32-10, as in double_c.c. */
static const char randomness[] =
	JIT "def km_philox(seed, at, w):\n"
	"    seed = seed.to(tl.uint64)\n    at = at.to(tl.uint64)\n    k0 = seed.to(tl.uint32)\n    k1 = (seed >> 32).to(tl.uint32)\n"
	"    c0 = at.to(tl.uint32)\n    c1 = (at >> 32).to(tl.uint32)\n    c2 = c0 ^ c0\n    c3 = c2\n"
	"    a = tl.full([], 0xD2511F53, tl.uint32)\n    b = tl.full([], 0xCD9E8D57, tl.uint32)\n    d = tl.full([], 0x9E3779B9, tl.uint32)\n    e = tl.full([], 0xBB67AE85, tl.uint32)\n"
	"    for _ in tl.static_range(10):\n"
	"        h0 = tl.umulhi(c0, a)\n        l0 = c0 * a\n        h1 = tl.umulhi(c2, b)\n        l1 = c2 * b\n"
	"        c0 = h1 ^ c1 ^ k0\n        c1 = l1\n        c2 = h0 ^ c3 ^ k1\n        c3 = l0\n        k0 = k0 + d\n        k1 = k1 + e\n"
	"    w = w & 3\n    return tl.where(w == 0, c0, tl.where(w == 1, c1, tl.where(w == 2, c2, c3))).to(tl.int64)\n";

void triton_vocabulary(struct strbuf *out)
{
	strbuf_addstr(out, arithmetic);
	strbuf_addstr(out, functions);
	strbuf_addstr(out, library);
	strbuf_addstr(out, doubles);
	strbuf_addstr(out, conversions);
	strbuf_addstr(out, randomness);
}
