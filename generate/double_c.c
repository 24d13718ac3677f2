/*
 * Scalars of printed C and of printed SIMT code, header-free: functions in double, for f64 and where f32
 * would lose what cancels later; fp8; random words.
 */
#include "generate/vector_c.h"

#include <string.h>

/*
 * Coefficients, highest degree first.  exp, expm1, log, sin, cos, atan and erf near 0 are Taylor series
 * long enough for double where they are used; erfc is exp(-x^2) times a polynomial over [0.5, 6] in
 * t = 2/(2+x), Chebyshev fit of degree 21, 8e-21 from it before rounding.
 */
static const char coefficients[] =
	"static const double km_c_exp[] = { 1.6059043836821613e-10, 2.08767569878681e-09, 2.505210838544172e-08, "
	" 2.7557319223985888e-07, 2.7557319223985893e-06, 2.4801587301587302e-05, 0.00019841269841269841, "
	" 0.0013888888888888889, 0.0083333333333333332, 0.041666666666666664, 0.16666666666666666, 0.5, 1, 1 };\n"
	"static const double km_c_expm1[] = { 1.1470745597729725e-11, 1.6059043836821613e-10, 2.08767569878681e-09, "
	" 2.505210838544172e-08, 2.7557319223985888e-07, 2.7557319223985893e-06, 2.4801587301587302e-05, "
	" 0.00019841269841269841, 0.0013888888888888889, 0.0083333333333333332, 0.041666666666666664, 0.16666666666666666, "
	" 0.5, 1 };\n"
	"static const double km_c_log[] = { 0.043478260869565216, 0.047619047619047616, 0.052631578947368418, "
	" 0.058823529411764705, 0.066666666666666666, 0.076923076923076927, 0.090909090909090912, 0.1111111111111111, "
	" 0.14285714285714285, 0.20000000000000001, 0.33333333333333331 };\n"
	"static const double km_c_sin[] = { 2.8114572543455206e-15, -7.6471637318198164e-13, 1.6059043836821613e-10, "
	" -2.505210838544172e-08, 2.7557319223985893e-06, -0.00019841269841269841, 0.0083333333333333332, "
	" -0.16666666666666666 };\n"
	"static const double km_c_cos[] = { -1.5619206968586225e-16, 4.7794773323873853e-14, -1.1470745597729725e-11, "
	" 2.08767569878681e-09, -2.7557319223985888e-07, 2.4801587301587302e-05, -0.0013888888888888889, "
	" 0.041666666666666664, -0.5 };\n"
	"static const double km_c_atan[] = { -0.023255813953488372, 0.024390243902439025, -0.02564102564102564, "
	" 0.027027027027027029, -0.028571428571428571, 0.030303030303030304, -0.032258064516129031, 0.034482758620689655, "
	" -0.037037037037037035, 0.040000000000000001, -0.043478260869565216, 0.047619047619047616, -0.052631578947368418, "
	" 0.058823529411764705, -0.066666666666666666, 0.076923076923076927, -0.090909090909090912, 0.1111111111111111, "
	" -0.14285714285714285, 0.20000000000000001, -0.33333333333333331 };\n"
	"static const double km_c_erf[] = { 4.4632242632864775e-13, -6.7113668551641105e-12, 9.4227590646504113e-11, "
	" -1.2290555301717928e-09, 1.4807192815879218e-08, -1.6365844691234924e-07, 1.6462114365889248e-06, "
	" -1.492565035840625e-05, 0.00012055332981789664, -0.00085483270234508533, 0.0052239776254421879, "
	" -0.026866170645131252, 0.11283791670955126, -0.37612638903183754, 1.1283791670955126 };\n"
	"static const double km_c_erfc[] = { -5.3346586235063968e-14, 2.8851476407550853e-13, -1.3876475080201537e-13, "
	" -3.5257621954938603e-12, 1.3954663473961648e-11, -3.2921435614474686e-12, -1.7451565464205903e-10, "
	" 6.4235326578739863e-10, 3.7772841500931242e-10, -1.079294776283385e-08, 2.6597114711046188e-08, "
	" 1.0223735249226398e-07, -7.2393787909140559e-07, -2.6196253816048272e-07, 1.4983397252066717e-05, "
	" -1.3901031833606588e-05, -0.00036235876005206834, 0.0001789924048152551, 0.013234851812970717, "
	" 0.076699526885220567, 0.24857010886981212, 0.27736900762083944 };\n";

/*
 * Rounding to f32 to odd: what is narrowed further afterwards is rounded once.  Conversions
 * to integers truncate and wrap; NaN and infinities give 0.
 */
static const char conversions[] =
	"KM_I float km_odd(double x) { float f = (float)x; if (!(x - x == 0) || (double)f == x) return f;\n"
	" unsigned u = __builtin_bit_cast(unsigned, f); u -= __builtin_fabs((double)f) > __builtin_fabs(x); return __builtin_bit_cast(float, u | 1); }\n"
	"KM_I double km_bits_d(unsigned long u) { return __builtin_bit_cast(double, u); }\n"
	"KM_I unsigned long km_of_d(double x) { return __builtin_bit_cast(unsigned long, x); }\n"
	"KM_I double km_horner(const double *c, int n, double x) { double p = c[0];\n"
	" _Pragma(\"clang loop unroll(full)\") for (int i = 1; i < n; i++) p = __builtin_fma(p, x, c[i]); return p; }\n"
	"#define KM_H(c, x) km_horner(c, sizeof(c) / sizeof(*(c)), x)\n"
	/* x * 2^n, |n| <= 2100, rounding once where it is a denormal. */
	"KM_I double km_scaled(double x, long n) { long h = n >> 1; h = n < -1000 ? n + 1000 : n > 1000 ? n - 1000 : 0; n -= h;\n"
	" return x * km_bits_d((unsigned long)(h + 1023) << 52) * km_bits_d((unsigned long)(n + 1023) << 52); }\n"
	/* Remainders by subtraction of q * y * 2^e, q < 2^32: every step is exact. */
	"KM_CALLED double km_rem_d(double x, double y) {\n"
	" double r = __builtin_fabs(x), d = __builtin_fabs(y), s = 1; if (!(r < __builtin_inf()) || !(d > 0)) return __builtin_nan(\"\");\n"
	" if (d < 0x1p-1000 && r < 0x1p900) { r *= 0x1p100; d *= 0x1p100; s = 0x1p-100; }\n"
	" while (r >= d) { long e = (long)(km_of_d(r) >> 52) - (long)(km_of_d(d) >> 52) - 30; double t = e > 0 ? km_scaled(d, e) : d;\n"
	"  r = __builtin_fma(-__builtin_elementwise_trunc(r / t), t, r); if (r < 0) r += t; }\n"
	" return (x < 0 ? -r : r) * s; }\n"
	"KM_I double km_mod_d(double x, double y) { double m = km_rem_d(x, y); return m != 0 && (y < 0) != (m < 0) ? m + y : m; }\n"
	"KM_I double km_fdiv_d(double x, double y) { double m = km_rem_d(x, y);\n"
	" return y == 0 ? x / y : __builtin_elementwise_roundeven((x - m) / y - (m != 0 && (y < 0) != (m < 0))); }\n"
	"KM_I long km_long(double x) { if (!(x - x == 0)) return 0; x = __builtin_elementwise_trunc(x);\n"
	" if (__builtin_fabs(x) < 0x1p63) return (long)x; x = km_rem_d(x, 0x1p64); return (long)(unsigned long)(x < 0 ? x + 0x1p64 : x); }\n"
	/* fp8 (OCP 8-bit floating point, 2023): to a grid of steps of 2^e by adding and taking away 1.5 * 2^(e+52). */
	"KM_I double km_grid(double x, int bits, int least) { long e = (long)(km_of_d(x) >> 52 & 2047) - 1023; e = (e < least ? least : e) - bits;\n"
	" double big = km_bits_d((unsigned long)(e + 52 + 1023) << 52) * 1.5, y = __builtin_fabs(x) + big; return y - big; }\n"
	"KM_I unsigned char km_to_f8(double x, int bits, int bias) { unsigned char sign = km_of_d(x) >> 56 & 0x80; double y = km_grid(x, bits, 1 - bias);\n"
	" long e = (long)(km_of_d(y) >> 52) - 1023; if (e < 1 - bias) return sign | (unsigned char)(y * km_bits_d((unsigned long)(bits + bias - 1 + 1023) << 52));\n"
	" return sign | (unsigned char)((e + bias) << bits) | (km_of_d(y) >> (52 - bits) & ((1 << bits) - 1)); }\n"
	"KM_I unsigned char km_to_f8e4m3(double x) { unsigned char sign = km_of_d(x) >> 56 & 0x80; return __builtin_fabs(x) <= 464 ? km_to_f8(x, 3, 7) : sign | 0x7f; }\n"
	"KM_I unsigned char km_to_f8e5m2(double x) { unsigned char sign = km_of_d(x) >> 56 & 0x80; return x != x ? 0x7f : __builtin_fabs(x) < 61440 ? km_to_f8(x, 2, 15) : sign | 0x7c; }\n"
	"KM_I float km_of_f8(unsigned char b, int bits, int bias) { int e = (b & 0x7f) >> bits, m = b & ((1 << bits) - 1);\n"
	" float v = e ? km_bits_d((unsigned long)(e - bias + 1023) << 52 | (unsigned long)m << (52 - bits)) : m * km_bits_d((unsigned long)(1 - bias - bits + 1023) << 52);\n"
	" return b >> 7 ? -v : v; }\n"
	"KM_I float km_of_f8e4m3(unsigned char b) { return (b & 0x7f) == 0x7f ? __builtin_nanf(\"\") : km_of_f8(b, 3, 7); }\n"
	"KM_I float km_of_f8e5m2(unsigned char b) { return (b & 0x7f) < 0x7c ? km_of_f8(b, 2, 15) : b & 3 ? __builtin_nanf(\"\") : b >> 7 ? -__builtin_inff() : __builtin_inff(); }\n"
	"KM_I double km_f64_d(double x) { return x; }\nKM_I double km_f32_d(double x) { return (float)x; }\nKM_I double km_f16_d(double x) { return (float)km_half(km_odd(x)); }\n"
	"KM_I double km_bf16_d(double x) { return km_widen(km_narrow(km_odd(x))); }\nKM_I double km_f8e4m3_d(double x) { return km_of_f8e4m3(km_to_f8e4m3(x)); }\n"
	"KM_I double km_f8e5m2_d(double x) { return km_of_f8e5m2(km_to_f8e5m2(x)); }\n";

/* Scalars in double: what is an instruction. */
static const char instructions[] =
	"KM_I double km_maximum_d(double a, double b) { return a > b || a != a ? a : b; }\n"
	"KM_I double km_minimum_d(double a, double b) { return a < b || a != a ? a : b; }\n"
	"KM_I double km_abs_d(double x) { return __builtin_fabs(x); }\nKM_I double km_sqrt_d(double x) { return __builtin_sqrt(x); }\n"
	"KM_I double km_floor_d(double x) { return __builtin_elementwise_floor(x); }\nKM_I double km_ceil_d(double x) { return __builtin_elementwise_ceil(x); }\n"
	"KM_I double km_trunc_d(double x) { return __builtin_elementwise_trunc(x); }\nKM_I double km_round_d(double x) { return __builtin_elementwise_roundeven(x); }\n";

/* Philox4x32-10 (Salmon et al., SC 2011): word w & 3 of the block of a counter, as ops/core/rng.c has it. */
static const char randomness[] =
	"KM_I long km_philox(long seed, long at, long w) {\n"
	" unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32), c0 = (unsigned)at, c1 = (unsigned)(at >> 32), c2 = 0, c3 = 0;\n"
	" for (int i = 0; i < 10; i++) { unsigned long p0 = 0xD2511F53ul * c0, p1 = 0xCD9E8D57ul * c2;\n"
	"  c0 = (unsigned)(p1 >> 32) ^ c1 ^ k0; c1 = (unsigned)p1; c2 = (unsigned)(p0 >> 32) ^ c3 ^ k1; c3 = (unsigned)p0; k0 += 0x9E3779B9u; k1 += 0xBB67AE85u; }\n"
	" return (w & 3) == 0 ? c0 : (w & 3) == 1 ? c1 : (w & 3) == 2 ? c2 : c3; }\n";

/* Within a few ULP, but pow: |y log x| times that, and exact for small whole y; sin and cos below 2^40. */
static const char functions[] =
	"KM_I double km_rsqrt_d(double x) { return 1 / __builtin_sqrt(x); }\n"
	"KM_I double km_exp_d(double x) { double n = __builtin_elementwise_roundeven(x * 1.4426950408889634); if (!(__builtin_fabs(x) < 750)) return x != x ? x : x < 0 ? 0 : __builtin_inf();\n"
	" double r = __builtin_fma(n, -0x1.62e42fefa38p-1, x); r = __builtin_fma(n, -0x1.ef35793c7673p-45, r); return km_scaled(KM_H(km_c_exp, r), (long)n); }\n"
	"KM_I double km_exp2_d(double x) { if (!(__builtin_fabs(x) < 1100)) return x != x ? x : x < 0 ? 0 : __builtin_inf(); double n = __builtin_elementwise_roundeven(x);\n"
	" return km_scaled(KM_H(km_c_exp, (x - n) * 0.69314718055994531), (long)n); }\n"
	"KM_I double km_expm1_d(double x) { return __builtin_fabs(x) < 0.35 ? x * KM_H(km_c_expm1, x) : km_exp_d(x) - 1; }\n"
	"KM_I double km_log_d(double x) { if (!(x > 0) || x == __builtin_inf()) return x == 0 ? -__builtin_inf() : x > 0 || x != x ? x : __builtin_nan(\"\");\n"
	" long tiny = x < 0x1p-1022; unsigned long u = km_of_d(tiny ? x * 0x1p54 : x); long e = (long)(u >> 52) - 1023 - (tiny ? 54 : 0);\n"
	" double m = km_bits_d((u & 0xfffffffffffffUL) | 0x3ff0000000000000UL); if (m > 1.4142135623730951) { m *= 0.5; e++; }\n"
	" double f = m - 1, s = f / (2 + f), z = s * s, n = (double)e, p = KM_H(km_c_log, z) * z; return __builtin_fma(n, 0x1.62e42fefa38p-1, f - s * (f - 2 * p) + n * 0x1.ef35793c7673p-45); }\n"
	"KM_I double km_log1p_d(double x) { double u = 1 + x; return u == 1 || u == __builtin_inf() ? x : u > 0 ? km_log_d(u) + (x - (u - 1)) / u : km_log_d(u); }\n"
	"KM_I double km_circular_d(double x, long turn) { double n = __builtin_elementwise_roundeven(x * 0.63661977236758134);\n"
	" double r = __builtin_fma(n, -0x1.921fb54442d18p+0, x); r = __builtin_fma(n, -0x1.1a62633145c07p-54, r); if (!(r - r == 0)) return __builtin_nan(\"\");\n"
	" long q = (long)(n - 4 * __builtin_elementwise_floor(n * 0.25)) + turn; double z = r * r;\n"
	" double y = q & 1 ? __builtin_fma(KM_H(km_c_cos, z), z, 1) : __builtin_fma(KM_H(km_c_sin, z) * z, r, r); return q & 2 ? -y : y; }\n"
	"KM_I double km_sin_d(double x) { return km_circular_d(x, 0); }\nKM_I double km_cos_d(double x) { return km_circular_d(x, 1); }\n"
	"KM_I double km_tanh_d(double x) { double a = __builtin_fabs(x), t = km_expm1_d(a > 20 ? 40 : 2 * a), y = x != x ? x : t / (t + 2); return x < 0 ? -y : y; }\n"
	"KM_I double km_erf_d(double x) { double a = __builtin_fabs(x), z = x * x; if (!(a >= 0.5)) return x * KM_H(km_c_erf, z);\n"
	" double y = a > 6 ? 1 : 1 - km_exp_d(-z) * KM_H(km_c_erfc, (2 / (2 + a) - 0.525) / 0.275); return x < 0 ? -y : y; }\n"
	"KM_I double km_pow_d(double x, double y) { if (y == 0 || x == 1) return 1; double a = __builtin_fabs(x), n = __builtin_fabs(y); if (x != x || y != y) return x + y;\n"
	" long whole = n >= 0x1p53 || __builtin_elementwise_trunc(n) == n, odd = whole && n < 0x1p53 && (long)n & 1; double p = 1;\n"
	" if (whole && n <= 32) { double b = a; for (long k = (long)n; k; k >>= 1, b *= b) p = k & 1 ? p * b : p; p = y < 0 ? 1 / p : p; }\n"
	" else p = a == 1 ? 1 : km_exp_d(y * km_log_d(a)); if (x < 0 && !whole && a < __builtin_inf() && n < __builtin_inf()) return __builtin_nan(\"\");\n"
	" return odd && km_of_d(x) >> 63 ? -p : p; }\n"
	"KM_I double km_atan2_d(double y, double x) { double a = __builtin_fabs(x), b = __builtin_fabs(y), h = a > b ? a : b, l = a > b ? b : a; if (x != x || y != y) return x + y;\n"
	" double q = h == 0 ? 0 : l == h ? 1 : l / h, t = q > 0.41421356237309503 ? (q - 1) / (q + 1) : q, z = t * t, r = __builtin_fma(KM_H(km_c_atan, z) * z, t, t);\n"
	" r = q > 0.41421356237309503 ? r + 0.78539816339744831 : r; r = b > a ? 1.5707963267948966 - r : r; r = km_of_d(x) >> 63 ? 3.1415926535897931 - r : r;\n"
	" return km_of_d(y) >> 63 ? -r : r; }\n";

bool double_c_has(const char *name)
{
	static const char *const names[] = { "abs", "sqrt", "maximum", "minimum", "floor", "ceil", "trunc", "round", "rsqrt", "exp", "exp2",
					     "expm1", "log", "log1p", "sin", "cos", "tanh", "erf", "pow", "atan2", "f64", "f32", "f16",
					     "bf16", "f8e4m3", "f8e5m2" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

void double_c_prologue(struct strbuf *out)
{
	strbuf_addstr(out, coefficients);
	strbuf_addstr(out, instructions);
	strbuf_addstr(out, randomness);
	strbuf_addstr(out, conversions);
	strbuf_addstr(out, functions);
}
