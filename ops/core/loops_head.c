#include "ops/core/loops_head.h"

static const char integers[] =
	"#include <math.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\n"
	"#define inline_ static inline __attribute__((always_inline, unused))\n"
	"inline_ int64_t i_div(int64_t a, int64_t b) { return a / b - (a % b && (a < 0) != (b < 0)); }\n"
	"inline_ int64_t i_mod(int64_t a, int64_t b) { return a - i_div(a, b) * b; }\n"
	"inline_ int64_t i_maximum(int64_t a, int64_t b) { return a > b ? a : b; }\n"
	"inline_ int64_t i_minimum(int64_t a, int64_t b) { return a < b ? a : b; }\n"
	"inline_ int64_t i_abs(int64_t a) { return a < 0 ? -a : a; }\n"
	"inline_ int64_t i_floor(int64_t a) { return a; }\n"
	"inline_ int64_t i_ceil(int64_t a) { return a; }\n"
	"inline_ int64_t i_round(int64_t a) { return a; }\n"
	"inline_ int64_t i_trunc(int64_t a) { return a; }\n"
	"inline_ int64_t i_bit_and(int64_t a, int64_t b) { return a & b; }\n"
	"inline_ int64_t i_bit_or(int64_t a, int64_t b) { return a | b; }\n"
	"inline_ int64_t i_bit_xor(int64_t a, int64_t b) { return a ^ b; }\n"
	"inline_ int64_t i_bit_not(int64_t a) { return ~a; }\n"
	"inline_ int64_t i_shl(int64_t a, int64_t b) { return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b); }\n"
	"inline_ int64_t i_shr(int64_t a, int64_t b) { return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a >> b); }\n"
	"inline_ int64_t i_cdiv(int64_t a, int64_t b) { return -i_div(-a, b); }\n"
	"inline_ int64_t i_rup(int64_t a, int64_t b) { return -i_div(-a, b) * b; }\n"
	"inline_ int64_t i_i64(int64_t a) { return a; }\n"
	"inline_ int64_t i_i32(int64_t a) { return (int32_t)a; }\n"
	"inline_ int64_t i_i16(int64_t a) { return (int16_t)a; }\n"
	"inline_ int64_t i_i8(int64_t a) { return (int8_t)a; }\n"
	"inline_ int64_t i_u8(int64_t a) { return (uint8_t)a; }\n"
	"inline_ int64_t i_bool(int64_t a) { return a != 0; }\n"
	"inline_ int64_t i_clamp(int64_t x, int64_t lo, int64_t hi) { return i_minimum(i_maximum(x, lo), hi); }\n"
	"inline_ int64_t i_leaky(int64_t x, int64_t a) { return x > 0 ? x : a * x; }\n"
	"inline_ int64_t i_sq(int64_t x) { return x * x; }\n"
	"inline_ int64_t i_relu(int64_t x) { return x > 0 ? x : 0; }\n"
	/* Philox4x32-10, as in ops/core/rng.c. */
	"inline_ int64_t i_philox(int64_t seed, int64_t counter, int64_t lane)\n{\n"
	"\tuint32_t k0 = (uint32_t)seed, k1 = (uint32_t)((uint64_t)seed >> 32);\n"
	"\tuint32_t c[4] = { (uint32_t)counter, (uint32_t)((uint64_t)counter >> 32), 0, 0 };\n"
	"\tfor (int i = 0; i < 10; i++, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {\n"
	"\t\tuint64_t p0 = UINT64_C(0xD2511F53) * c[0], p1 = UINT64_C(0xCD9E8D57) * c[2];\n"
	"\t\tc[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;\n\t\tc[1] = (uint32_t)p1;\n"
	"\t\tc[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;\n\t\tc[3] = (uint32_t)p0;\n\t}\n\treturn c[lane & 3];\n}\n";

/* (value, magnitude): ops/core/interp.c has the same rules. */
static const char pair_arithmetic[] =
	"typedef struct { double v, m; } num;\n#define VALUE_(x) (x).v\n"
	"inline_ num p_make(double v, double m) { double a = fabs(v); return (num){ v, m >= a ? m : a }; }\n"
	"inline_ num p_of(double v) { return (num){ v, fabs(v) }; }\n"
	"inline_ num p_add(num a, num b) { return p_make(a.v + b.v, a.m + b.m); }\n"
	"inline_ num p_gather(num a, num b) { return (num){ a.v + b.v, a.m + b.m }; }\n"
	"inline_ num p_sub(num a, num b) { return p_make(a.v - b.v, a.m + b.m); }\n"
	"inline_ num p_maximum(num a, num b) { return a.v == a.v && (b.v != b.v || b.v > a.v || (b.v == a.v && isinf(a.v))) ? b : a; }\n"
	"inline_ num p_minimum(num a, num b) { return a.v == a.v && (b.v != b.v || b.v < a.v || (b.v == a.v && isinf(a.v))) ? b : a; }\n"
	"inline_ num p_neg(num a) { return (num){ -a.v, a.m }; }\n"
	"inline_ num p_mul(num a, num b) { return p_make(a.v * b.v, a.m * fabs(b.v) + fabs(a.v) * b.m); }\n"
	"inline_ num p_div(num a, num b) { return p_make(a.v / b.v, a.m / fabs(b.v) + fabs(a.v) * b.m / (b.v * b.v)); }\n"
	"#define SLOPE_(f, x, ...) ({ double h_ = 1e-6 * (fabs(x.v) + 1e-3), moved_ = x.v + h_, s_ = fabs(f(__VA_ARGS__) - y_) / h_; "
	"isfinite(s_) ? s_ * x.m : 0; })\n"
	"#define F1_(name, f) inline_ num f_##name(num a) { double y_ = f(a.v); return p_make(y_, SLOPE_(f, a, moved_)); }\n"
	"#define F2_(name, f) inline_ num f_##name(num a, num b) { double y_ = f(a.v, b.v); "
	"double m_ = SLOPE_(f, a, moved_, b.v); return p_make(y_, m_ + SLOPE_(f, b, a.v, moved_)); }\n"
	"#define STEP_(name, f) inline_ num f_##name(num a, num b) { return p_of(f(a.v, b.v)); }\n"
	"#define MOD_(name, f) inline_ num f_##name(num a, num b) { return p_make(f(a.v, b.v), a.m + fabs(floor(a.v / b.v)) * b.m); }\n"
	"#define LOAD_(name) inline_ num load_##name(const double *p, int64_t i) { return p_of(p[i]); } "
	"inline_ void store_##name(double *p, int64_t i, num x) { PUT_(p, i, x.v, x.m); }\n"
	"#define LOADI_(name) inline_ int64_t load_##name(const double *p, int64_t i) { return (int64_t)p[i]; } "
	"inline_ void store_##name(double *p, int64_t i, int64_t x) { PUT_(p, i, (double)x, fabs((double)x)); }\n";

static const char plain_arithmetic[] =
	"typedef real num;\n#define VALUE_(x) (x)\n"
	"#define F1_(name, f) inline_ real f_##name(real a) { return f(a); }\n"
	"#define F2_(name, f) inline_ real f_##name(real a, real b) { return f(a, b); }\n"
	"#define STEP_ F2_\n#define MOD_ F2_\n"
	"#define LOAD_(name) inline_ real load_##name(const double *p, int64_t i) { return p[i]; } "
	"inline_ void store_##name(double *p, int64_t i, real x) { p[i] = x; }\n"
	"#define LOADI_(name) inline_ int64_t load_##name(const double *p, int64_t i) { return (int64_t)p[i]; } "
	"inline_ void store_##name(double *p, int64_t i, int64_t x) { p[i] = (double)x; }\n";

static const char storage_double[] =
	"LOAD_(f64) LOAD_(f32) LOAD_(f16) LOAD_(bf16) LOAD_(f8e4m3) LOAD_(f8e5m2)\n"
	"LOADI_(i64) LOADI_(i32) LOADI_(i16) LOADI_(i8) LOADI_(u8) LOADI_(bool)\n";

/* Storage to arithmetic and back. */
static const char storage_native[] =
	"inline_ real load_f32(const float *p, int64_t i) { return p[i]; }\n"
	"inline_ void store_f32(float *p, int64_t i, real x) { p[i] = (float)x; }\n"
	"inline_ real load_f64(const double *p, int64_t i) { return (real)p[i]; }\n"
	"inline_ void store_f64(double *p, int64_t i, real x) { p[i] = x; }\n"
	"inline_ real load_f16(const uint16_t *p, int64_t i) { _Float16 h; memcpy(&h, p + i, 2); return (real)h; }\n"
	"inline_ void store_f16(uint16_t *p, int64_t i, real x) { _Float16 h = (_Float16)x; memcpy(p + i, &h, 2); }\n"
	"inline_ real load_bf16(const uint16_t *p, int64_t i) { uint32_t u = (uint32_t)p[i] << 16; float f; memcpy(&f, &u, 4); return f; }\n"
	"inline_ void store_bf16(uint16_t *p, int64_t i, real x) { float f = (float)x; uint32_t u; memcpy(&u, &f, 4);"
	" p[i] = x != x ? 0x7fc0 : (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16); }\n"
	"#define INT_(name, type) inline_ int64_t load_##name(const type *p, int64_t i) { return p[i]; } "
	"inline_ void store_##name(type *p, int64_t i, int64_t x) { p[i] = (type)x; }\n"
	"INT_(i64, int64_t) INT_(i32, int32_t) INT_(i16, int16_t) INT_(i8, int8_t) INT_(u8, uint8_t)\n"
	"inline_ int64_t load_bool(const uint8_t *p, int64_t i) { return p[i] != 0; }\n"
	"inline_ void store_bool(uint8_t *p, int64_t i, int64_t x) { p[i] = x != 0; }\n";

/* The functions of the notation on scalars; REAL_(f) is f or its float form. */
static const char reals[] =
	"inline_ real s_div(real a, real b)\n{\n"
	"\treal m = REAL_(fmod)(a, b), q;\n\tif (b == 0)\n\t\treturn a / b;\n"
	"\tq = (a - m) / b;\n\tif (m != 0 && (b < 0) != (m < 0))\n\t\tq -= 1;\n\treturn REAL_(nearbyint)(q);\n}\n"
	"inline_ real s_mod(real a, real b) { real m = REAL_(fmod)(a, b); return m != 0 && (b < 0) != (m < 0) ? m + b : m; }\n"
	"inline_ real s_rsqrt(real x) { return 1 / REAL_(sqrt)(x); }\n"
	"inline_ real s_maximum(real a, real b) { return a != a || a > b ? a : b; }\n"
	"inline_ real s_minimum(real a, real b) { return a != a || a < b ? a : b; }\n"
	"inline_ real s_f64(real x) { return x; }\ninline_ real s_f32(real x) { return (real)(float)x; }\n"
	"inline_ real s_small(double x, int bits, int least, double most, double over)\n{\n"
	"\tint e;\n\tif (x == 0 || x != x)\n\t\treturn (real)x;\n\tif (isinf(x))\n\t\treturn (real)copysign(over, x);\n"
	"\tfrexp(x, &e);\n\te = e - 1 < least ? least : e - 1;\n"
	"\tdouble y = ldexp(nearbyint(ldexp(x, bits - e)), e - bits);\n"
	"\treturn (real)(fabs(y) > most ? copysign(over, x) : y);\n}\n"
	"inline_ real s_f16(real x) { return s_small(x, 10, -14, 65504, INFINITY); }\n"
	"inline_ real s_bf16(real x) { return s_small(x, 7, -126, 0x1.fep127, INFINITY); }\n"
	"inline_ real s_f8e4m3(real x) { return s_small(x, 3, -6, 448, NAN); }\n"
	"inline_ real s_f8e5m2(real x) { return s_small(x, 2, -14, 57344, INFINITY); }\n"
	/* To integer: truncated, then wrapped; NaN and infinities give 0. */
	"inline_ int64_t s_whole(double x)\n{\n"
	"\tif (!isfinite(x))\n\t\treturn 0;\n\tx = trunc(x);\n\tif (fabs(x) < 0x1p63)\n\t\treturn (int64_t)x;\n"
	"\tx = fmod(x, 0x1p64);\n\treturn (int64_t)(uint64_t)(x < 0 ? x + 0x1p64 : x);\n}\n"
	"#define T_(name) inline_ int64_t t_##name(num x) { return i_##name(s_whole((double)VALUE_(x))); }\n"
	"T_(i64) T_(i32) T_(i16) T_(i8) T_(u8)\n"
	"inline_ int64_t t_bool(num x) { return VALUE_(x) != 0; }\n"
	"F1_(abs, REAL_(fabs)) F1_(sqrt, REAL_(sqrt)) F1_(rsqrt, s_rsqrt) F1_(exp, REAL_(exp)) F1_(exp2, REAL_(exp2)) F1_(expm1, REAL_(expm1)) F1_(log, REAL_(log))\n"
	"F1_(log1p, REAL_(log1p)) F1_(sin, REAL_(sin)) F1_(cos, REAL_(cos)) F1_(tanh, REAL_(tanh)) F1_(erf, REAL_(erf)) F2_(pow, REAL_(pow))\n"
	"F1_(floor, REAL_(floor)) F1_(ceil, REAL_(ceil)) F1_(round, REAL_(nearbyint)) F1_(trunc, REAL_(trunc)) F2_(atan2, REAL_(atan2))\n"
	"F2_(maximum, s_maximum) F2_(minimum, s_minimum) STEP_(div, s_div) MOD_(mod, s_mod)\n"
	"F1_(f64, s_f64) F1_(f32, s_f32) F1_(f16, s_f16) F1_(bf16, s_bf16) F1_(f8e4m3, s_f8e4m3) F1_(f8e5m2, s_f8e5m2)\n";

/* fp8: sign, `bits` of fraction, the rest exponent; e4m3 has no infinity and one NaN, e5m2 is the top of an f16. */
static const char storage_small[] =
	"inline_ real load_f8e5m2(const uint8_t *p, int64_t i) { uint16_t h = (uint16_t)(p[i] << 8); return load_f16(&h, 0); }\n"
	"inline_ void store_f8e5m2(uint8_t *p, int64_t i, real x) { uint16_t h; store_f16(&h, 0, s_f8e5m2(x)); p[i] = (uint8_t)(x != x ? 0x7f : h >> 8); }\n"
	"inline_ real load_f8e4m3(const uint8_t *p, int64_t i)\n{\n"
	"\tint e = p[i] >> 3 & 15, m = p[i] & 7;\n"
	"\treal v = e == 15 && m == 7 ? (real)NAN : (real)(e ? ldexp(8 + m, e - 10) : ldexp(m, -9));\n\treturn p[i] >> 7 ? -v : v;\n}\n"
	"inline_ void store_f8e4m3(uint8_t *p, int64_t i, real x)\n{\n"
	"\tdouble y = s_f8e4m3(x), a = fabs(y);\n\tint e, sign = signbit(y) ? 128 : 0;\n"
	"\tif (a != a) { p[i] = (uint8_t)(sign | 127); return; }\n"
	"\tif (a < 0x1p-6) { p[i] = (uint8_t)(sign | (int)(a * 512)); return; }\n"
	"\tfrexp(a, &e);\n\tp[i] = (uint8_t)(sign | (e + 6) << 3 | ((int)ldexp(a, 4 - e) & 7));\n}\n";

/* Inputs as they are stored, for arithmetic in double. */
static const char storage_inputs[] =
	"#define IN_(name, type) inline_ num input_##name(const type *p, int64_t i) { return OF_((double)p[i]); }\n"
	"#define INI_(name, type) inline_ int64_t input_##name(const type *p, int64_t i) { return (int64_t)p[i]; }\n"
	"IN_(f64, double) IN_(f32, float)\n"
	"inline_ num input_f16(const uint16_t *p, int64_t i) { _Float16 h; memcpy(&h, p + i, 2); return OF_((double)h); }\n"
	"inline_ num input_bf16(const uint16_t *p, int64_t i) { uint32_t u = (uint32_t)p[i] << 16; float f; memcpy(&f, &u, 4); return OF_((double)f); }\n"
	"INI_(i64, int64_t) INI_(i32, int32_t) INI_(i16, int16_t) INI_(i8, int8_t) INI_(u8, uint8_t) INI_(bool, uint8_t)\n";

/* loops_team of loops.h; where a thread's part of box[0]..box[1] begins, and which of the leading indices to divide: the first that can be. */
static const char team[] =
	"struct loops_team { int64_t thread, threads; void *(*share)(struct loops_team *, int64_t, size_t); void (*wait)(struct loops_team *); };\n"
	"inline_ int64_t part_of(const int64_t *box, int64_t thread, int64_t threads) { return box[0] + (box[1] - box[0]) * thread / threads; }\n"
	"inline_ int64_t divided_of(const int64_t *box, int64_t count)\n{\n"
	"\tfor (int64_t i = 0; i < count; i++)\n\t\tif (box[2 * i + 1] - box[2 * i] > 1)\n\t\t\treturn i;\n\treturn -1;\n}\n";

void loops_boxed_head(struct strbuf *out)
{
	strbuf_addf(out, "#define OF_(x) p_of(x)\n%s%s", storage_inputs, team);
}

void loops_head(bool native, bool is_float, bool pairs, bool boxed, struct strbuf *out)
{
	strbuf_addstr(out, integers);
	strbuf_addf(out, "typedef %s real;\n#define REAL_(name) %s\n", is_float ? "float" : "double", is_float ? "name##f" : "name");
	if (pairs)
		strbuf_addf(out, "#define PUT_(p, i, value, magnitude) %s\n", boxed ? "((p)[2 * (i)] = (value), (p)[2 * (i) + 1] = (magnitude))" :
										      "((p)[i] = (magnitude), (void)(value))");
	strbuf_addstr(out, pairs ? pair_arithmetic : plain_arithmetic);
	strbuf_addstr(out, native ? storage_native : storage_double);
	strbuf_addstr(out, reals);
	if (native)
		strbuf_addstr(out, storage_small);
}
