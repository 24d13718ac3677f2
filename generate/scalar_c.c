/* What printed code says of single numbers: types, whole numbers, loads and stores. */
#include "generate/vector_c.h"

/* bf16 widens exactly and rounds to nearest even. */
static const char memory[] =
	"typedef float km_f32; typedef unsigned short km_bf16; typedef _Float16 km_f16; typedef double km_f64; typedef long km_i64;\n"
	"typedef int km_i32; typedef short km_i16; typedef signed char km_i8; typedef unsigned char km_u8; typedef unsigned char km_bool;\n"
	"KM_I long km_min(long a, long b) { return a < b ? a : b; }\n"
	"KM_I long km_max(long a, long b) { return a > b ? a : b; }\n"
	"KM_I long km_cdiv(long a, long b) { return (a + b - 1) / b; }\n"
	"KM_I long km_rup(long a, long b) { return (a + b - 1) / b * b; }\n"
	/* Devices divide 32 bits several times as fast, and almost all numbers have no more. */
	"#ifdef KM_TID\n#define KM_SHORT(a, b) if (__builtin_expect((int)a == a && b > 0 && (int)b == b, 1)) { const int x = (int)a, y = (int)b; return x / y - (x % y < 0); }\n"
	"#else\n#define KM_SHORT(a, b)\n#endif\n"
	"KM_I long km_fdiv(long a, long b) { KM_SHORT(a, b) return a / b - (a % b && (a < 0) != (b < 0)); }\n"
	"KM_I long km_fmod(long a, long b) { return a - km_fdiv(a, b) * b; }\n"
	"KM_I float km_widen(unsigned short h) { return __builtin_bit_cast(float, (unsigned)h << 16); }\n"
	"KM_I unsigned short km_narrow(float x) { unsigned u = __builtin_bit_cast(unsigned, x); return x != x ? 0x7fc0 : (u + 0x7fff + (u >> 16 & 1)) >> 16; }\n"
	"KM_I float km_ls_f32(const km_f32 *p) { return *p; }\nKM_I float km_ls_bf16(const km_bf16 *p) { return km_widen(*p); }\n"
	"KM_I float km_ls_f16(const km_f16 *p) { return (float)*p; }\nKM_I double km_ls_f64(const km_f64 *p) { return *p; }\n"
	"#define KM_WHOLE(t) KM_I long km_ls_##t(const km_##t *p) { return *p; } KM_I void km_ss_##t(km_##t *p, long x) { *p = (km_##t)x; }\n"
	"KM_WHOLE(i64) KM_WHOLE(i32) KM_WHOLE(i16) KM_WHOLE(i8) KM_WHOLE(u8) KM_WHOLE(bool)\n"
	"KM_I km_f16 km_half(float x) { _Pragma(\"clang fp contract(off)\") return (km_f16)x; }\n"
	"KM_I float km_single(double x) { _Pragma(\"clang fp contract(off)\") return (float)x; }\n"
	"KM_I void km_ss_f16(km_f16 *p, float x) { *p = km_half(x); }\nKM_I void km_ss_f64(km_f64 *p, double x) { *p = x; }\n"
	"KM_I long km_and(long a, long b) { return a & b; }\nKM_I long km_or(long a, long b) { return a | b; }\nKM_I long km_xor(long a, long b) { return a ^ b; }\n"
	"KM_I long km_shl(long a, long b) { return b < 0 || b > 63 ? 0 : (long)((unsigned long)a << b); }\n"
	"KM_I long km_shr(long a, long b) { return b < 0 || b > 63 ? 0 : (long)((unsigned long)a >> b); }\n"
	"KM_I long km_labs(long a) { return a < 0 ? (long)(0 - (unsigned long)a) : a; }\n"
	"KM_I void km_ss_f32(km_f32 *p, float x) { *p = x; }\nKM_I void km_ss_bf16(km_bf16 *p, float x) { *p = km_narrow(x); }\n"
	"#ifndef KM_MAXIMUM\n#define KM_MAXIMUM(a, b) (a > b || a != a ? a : b)\n#define KM_MINIMUM(a, b) (a < b || a != a ? a : b)\n#endif\n"
	"KM_I float km_maximum_s(float a, float b) { return KM_MAXIMUM(a, b); }\n"
	"KM_I float km_minimum_s(float a, float b) { return KM_MINIMUM(a, b); }\n";

static const char eighths[] =
	"typedef unsigned char km_f8e4m3; typedef unsigned char km_f8e5m2;\n"
	"KM_I float km_ls_f8e4m3(const km_f8e4m3 *p) { return km_of_f8e4m3(*p); }\nKM_I void km_ss_f8e4m3(km_f8e4m3 *p, double x) { *p = km_to_f8e4m3(x); }\n"
	"KM_I float km_ls_f8e5m2(const km_f8e5m2 *p) { return km_of_f8e5m2(*p); }\nKM_I void km_ss_f8e5m2(km_f8e5m2 *p, double x) { *p = km_to_f8e5m2(x); }\n";

void scalar_c_prologue(bool has_doubles, struct strbuf *out)
{
	strbuf_addstr(out, memory);
	if (!has_doubles)
		double_c_prologue(out);
	strbuf_addstr(out, eighths);
}
