/* The vocabulary that all SIMT languages share. */
#include "generate/simt.h"
#include "generate/vector_c.h"
#include "generate/vocabulary.h"
#include "ops/core/expr.h"

#include <string.h>

/*
 * Types: bytes of different meaning are types of their own.  Values are bool, long, float or double
 * (km_value(), km_assign()); what is narrower is rounded once, to nearest even, from either, and NaN stays NaN.
 */
static const char types[] =
	"typedef float km_f32; typedef double km_f64; typedef _Float16 km_f16; typedef unsigned short km_bf16; typedef long km_i64; typedef int km_i32;\n"
	"typedef short km_i16; typedef signed char km_i8; typedef unsigned char km_u8;\n"
	"enum km_bool : unsigned char {}; enum km_f8e4m3 : unsigned char {}; enum km_f8e5m2 : unsigned char {};\n"
	"#define KM_INFINITY __builtin_inff()\n"
	"#define KM_UNROLL _Pragma(\"unroll\")\n"
	"#define KM_I KM_D\n#define KM_CALLED KM_D\n"
	"KM_I float km_widen(unsigned short x) { return __builtin_bit_cast(float, (unsigned)x << 16); }\n"
	"#ifdef KM_NARROW\nKM_I unsigned short km_narrow(float x) { return KM_NARROW(x); }\n#else\n"
	"KM_I unsigned short km_narrow(float x) { unsigned u = __builtin_bit_cast(unsigned, x); return x != x ? 0x7fc0 : (u + 0x7fff + (u >> 16 & 1)) >> 16; }\n"
	"#endif\n"
	"KM_I km_f16 km_half(float x) { return (km_f16)x; }\n";

/* Vectors take the alignment that is given, up to 16 bytes; global ones only that of their elements. */
static const char memory[] =
	"template <class T> struct km_cell { typedef T type; };\n"
	"template <> struct km_cell<km_bool> { typedef unsigned char type; }; template <> struct km_cell<km_f8e4m3> { typedef unsigned char type; };\n"
	"template <> struct km_cell<km_f8e5m2> { typedef unsigned char type; };\n"
	"template <class T, int N> struct km_vector { typedef T type __attribute__((ext_vector_type(N))); };\n"
	"KM_D long km_least(long a, long b) { return a < b ? a : b; }\n"
	"KM_D long km_most(long a, long b) { return a > b ? a : b; }\n"
	"KM_D long km_cdiv(long a, long b) { return (a + b - 1) / b; }\n"
	"KM_D long km_rup(long a, long b) { return (a + b - 1) / b * b; }\n"
	/* Points that do not count may divide by 0. */
	"KM_D long km_floor_div(long a, long b) { return b ? a / b - (a % b && (a < 0) != (b < 0)) : 0; }\n"
	"KM_D long km_floor_mod(long a, long b) { return a - km_floor_div(a, b) * b; }\n"
	"KM_D int km_xor(int a, int b) { return a ^ b; }\n"
	"KM_D long km_bit_and(long a, long b) { return a & b; }\nKM_D long km_bit_or(long a, long b) { return a | b; }\nKM_D long km_bit_xor(long a, long b) { return a ^ b; }\n"
	"KM_D long km_bit_not(long a) { return ~a; }\n"
	"KM_D long km_shl(long a, long b) { return b < 0 || b > 63 ? 0 : (long)((unsigned long)a << b); }\n"
	"KM_D long km_shr(long a, long b) { return b < 0 || b > 63 ? 0 : (long)((unsigned long)a >> b); }\n"
	"KM_D bool km_inside(long at, long extent) { return (unsigned long)at < (unsigned long)extent; }\n"
	"KM_D int km_clip(long n, int most) { return n < most ? (int)n : most; }\n"
	"KM_D bool km_value(bool x) { return x; }\nKM_D bool km_value(km_bool x) { return x != 0; }\n"
	"KM_D float km_value(float x) { return x; }\nKM_D double km_value(double x) { return x; }\n"
	"KM_D float km_value(km_f16 x) { return (float)x; }\nKM_D float km_value(km_bf16 x) { return km_widen(x); }\n"
	"KM_D float km_value(km_f8e4m3 x) { return km_of_f8e4m3(x); }\nKM_D float km_value(km_f8e5m2 x) { return km_of_f8e5m2(x); }\n"
	"KM_D long km_value(km_i64 x) { return x; }\nKM_D long km_value(km_i32 x) { return x; }\nKM_D long km_value(km_i16 x) { return x; }\n"
	"KM_D long km_value(km_i8 x) { return x; }\nKM_D long km_value(km_u8 x) { return x; }\n"
	"template <class R> KM_D void km_assign(float *p, R x) { *p = (float)x; }\n"
	"template <class R> KM_D void km_assign(double *p, R x) { *p = (double)x; }\n"
	"KM_D void km_assign(km_f16 *p, float x) { *p = km_half(x); }\nKM_D void km_assign(km_f16 *p, double x) { *p = km_half(km_odd(x)); }\n"
	"KM_D void km_assign(km_bf16 *p, float x) { *p = km_narrow(x); }\nKM_D void km_assign(km_bf16 *p, double x) { *p = km_narrow(km_odd(x)); }\n"
	"template <class R> KM_D void km_assign(km_f8e4m3 *p, R x) { *p = (km_f8e4m3)km_to_f8e4m3(x); }\n"
	"template <class R> KM_D void km_assign(km_f8e5m2 *p, R x) { *p = (km_f8e5m2)km_to_f8e5m2(x); }\n"
	"KM_D void km_assign(km_i64 *p, long x) { *p = x; }\nKM_D void km_assign(km_i32 *p, long x) { *p = (km_i32)x; }\n"
	"KM_D void km_assign(km_i16 *p, long x) { *p = (km_i16)x; }\nKM_D void km_assign(km_i8 *p, long x) { *p = (km_i8)x; }\n"
	"KM_D void km_assign(km_u8 *p, long x) { *p = (km_u8)x; }\nKM_D void km_assign(km_bool *p, bool x) { *p = (km_bool)x; }\n"
	/* Elements as they are, or by their values. */
	"template <class T> KM_D void km_move(T *p, T x) { *p = x; }\n"
	"template <class T, class S> KM_D void km_move(T *p, S x) { km_assign(p, km_value(x)); }\n"
	"template <int A, int N, class T> KM_D void km_read(T *x, const T *p) {\n"
	" typedef typename km_cell<T>::type cell; typedef cell whole __attribute__((ext_vector_type(N))); typedef whole some __attribute__((aligned(A < 16 ? A : 16)));\n"
	" whole q = *(const some *)p; KM_UNROLL for (int v = 0; v < N; v++) x[v] = (T)q[v]; }\n"
	"template <int A, int N, class T, class S> KM_D void km_put(T *p, const S (&x)[N]) {\n"
	" typedef typename km_cell<T>::type cell; typedef cell whole __attribute__((ext_vector_type(N))); typedef whole some __attribute__((aligned(A < 16 ? A : 16)));\n"
	" whole q; KM_UNROLL for (int v = 0; v < N; v++) { T t; km_move(&t, x[v]); q[v] = (cell)t; }\n"
	" *(some *)p = q; }\n"
	/* A chunk of global memory is one access where it is aligned to its width, as almost always: buffers are, and rows of whole chunks. */
	"template <int N, class T> struct km_chunk { static constexpr int bytes = N * sizeof(T) < 16 ? N * sizeof(T) : 16; static constexpr bool is_wide = !(bytes & (bytes - 1));\n"
	" static KM_D bool at(const void *p) { return is_wide && (unsigned long)p % bytes == 0; } };\n"
	"template <int N, class T> KM_D void km_read_chunk(T *x, const T *p) { if (km_chunk<N, T>::at(p)) km_read<km_chunk<N, T>::bytes, N>(x, p); else km_read<sizeof(T), N>(x, p); }\n"
	"template <int N, class T> KM_D void km_fetch(T (&x)[N], const T *p, int n) {\n"
	" if (n >= N) km_read_chunk<N>(x, p); else { KM_UNROLL for (int v = 0; v < N; v++) x[v] = v < n ? p[v] : (T)0; } }\n"
	"template <int N, class R, class T, class F> KM_D void km_load(R (&x)[N], const T *p, int n, F fill) {\n"
	" if (n >= N) { T t[N]; km_read_chunk<N>(t, p); KM_UNROLL for (int v = 0; v < N; v++) x[v] = (R)km_value(t[v]); }\n"
	" else { KM_UNROLL for (int v = 0; v < N; v++) x[v] = v < n ? (R)km_value(p[v]) : (R)fill; } }\n"
	"template <int N, class R, class T> KM_D void km_store(T *p, const R (&x)[N], int n) {\n"
	" constexpr int bytes = km_chunk<N, T>::bytes, half = bytes / 2;\n"
	" if (n >= N && km_chunk<N, T>::at(p)) { km_put<bytes, N>(p, x); return; }\n"
	/* Rows may be whole multiples of half a chunk alone. */
	" if constexpr (half > (int)sizeof(T)) if (n >= N && (unsigned long)p % half == 0) { km_put<half, N>(p, x); return; }\n"
	" KM_UNROLL for (int v = 0; v < N; v++) if (v < n) km_assign(p + v, x[v]); }\n"
	/* What is not inside is read at the first element, which is there, and dropped: no branch holds the next read up. */
	"template <class R, class T> KM_D R km_ahead(const T *p, long at, bool inside, R fill) { R v = (R)km_value(p[inside ? at : 0]); return inside ? v : fill; }\n"
	"template <int N, class R, class T> KM_D void km_load_whole(R (&x)[N], const T *p) { T t[N]; km_read<km_chunk<N, T>::bytes, N>(t, p); KM_UNROLL for (int v = 0; v < N; v++) x[v] = (R)km_value(t[v]); }\n"
	"template <int N, class R, class T> KM_D void km_store_whole(T *p, const R (&x)[N]) { km_put<km_chunk<N, T>::bytes, N>(p, x); }\n"
	"template <int N, class R, class F> KM_D void km_fill(R (&x)[N], F v) { KM_UNROLL for (int i = 0; i < N; i++) x[i] = (R)v; }\n";

/* maximum and minimum: NaN of the first argument, which is the new value, wins; an old NaN stays.  pow and others are rounded from double. */
static const char arithmetic[] =
	"template <class T> KM_D T km_select(bool c, T a, T b) { return c ? a : b; }\n"
	"#define KM_DOUBLE(f) KM_D double km_##f(double x) { return km_##f##_d(x); }\n"
	"KM_DOUBLE(abs) KM_DOUBLE(sqrt) KM_DOUBLE(rsqrt) KM_DOUBLE(floor) KM_DOUBLE(ceil) KM_DOUBLE(trunc) KM_DOUBLE(round) KM_DOUBLE(exp) KM_DOUBLE(exp2) KM_DOUBLE(expm1)\n"
	"KM_DOUBLE(log) KM_DOUBLE(log1p) KM_DOUBLE(sin) KM_DOUBLE(cos) KM_DOUBLE(tanh) KM_DOUBLE(erf)\n"
	"#define KM_DOUBLES(f) KM_D double km_##f(double x, double y) { return km_##f##_d(x, y); }\n"
	"KM_DOUBLES(maximum) KM_DOUBLES(minimum) KM_DOUBLES(pow) KM_DOUBLES(atan2)\n"
	"KM_D double km_sigmoid(double x) { double e = km_exp_d(-__builtin_fabs(x)); return (x < 0 ? e : 1) / (1 + e); }\n"
	"KM_D double km_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }\n"
	"KM_D float km_expm1(float x) { return (float)km_expm1_d(x); }\n"
	"KM_D float km_pow(float x, float y) { return (float)km_pow_d(x, y); }\nKM_D float km_atan2(float y, float x) { return (float)km_atan2_d(y, x); }\n"
	"KM_D float km_quotient_floor(float x, float y) { return (float)km_fdiv_d(x, y); }\nKM_D double km_quotient_floor(double x, double y) { return km_fdiv_d(x, y); }\n"
	"KM_D float km_rest(float x, float y) { return (float)km_mod_d(x, y); }\nKM_D double km_rest(double x, double y) { return km_mod_d(x, y); }\n"
	"KM_D long km_maximum(long a, long b) { return a > b ? a : b; }\nKM_D long km_minimum(long a, long b) { return a < b ? a : b; }\n"
	"KM_D int km_abs(int a) { return a < 0 ? -a : a; }\n"
	"KM_D long km_abs(long a) { return a < 0 ? (long)(0 - (unsigned long)a) : a; }\n"
	"#ifndef KM_EXP\n#define KM_EXP __builtin_expf\n#define KM_EXP2 __builtin_exp2f\n#define KM_LOG __builtin_logf\n#endif\n"
	/* Where the quotient is rounded again, or small beside what it is added to. */
	"#ifndef KM_QUOTIENT\n#define KM_QUOTIENT(a, b) ((a) / (b))\n#endif\n"
	"#ifndef KM_MAXIMUM\n#define KM_MAXIMUM(a, b) (a > b || a != a ? a : b)\n#define KM_MINIMUM(a, b) (a < b || a != a ? a : b)\n#endif\n"
	"KM_D float km_maximum(float a, float b) { return KM_MAXIMUM(a, b); }\n"
	"KM_D float km_minimum(float a, float b) { return KM_MINIMUM(a, b); }\n"
	"KM_D float km_abs(float x) { return __builtin_fabsf(x); }\n"
	"KM_D float km_sqrt(float x) { return __builtin_sqrtf(x); }\n"
	/* As in vector_c.c. */
	"KM_D float km_circular(float x, int turn) {\n"
	" double d = x, n = __builtin_rint(d * 0.63661977236758134); d = __builtin_fma(n, -1.5707963267948966, d); d = __builtin_fma(n, -6.123233995736766e-17, d);\n"
	" int q = (int)(n - 4.0 * __builtin_floor(n * 0.25)) + turn; float r = (float)d, z = r * r;\n"
	" float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;\n"
	" float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;\n"
	" float y = q & 1 ? c : s; return q & 2 ? -y : y; }\n"
	"KM_D float km_sin(float x) { return km_circular(x, 0); }\nKM_D float km_cos(float x) { return km_circular(x, 1); }\n"
	"KM_D float km_rsqrt(float x) { return 1.0f / __builtin_sqrtf(x); }\n"
	"KM_D float km_floor(float x) { return __builtin_floorf(x); }\n"
	"KM_D float km_ceil(float x) { return __builtin_ceilf(x); }\n"
	"KM_D float km_trunc(float x) { return __builtin_truncf(x); }\n"
	"KM_D float km_round(float x) { return __builtin_rintf(x); }\n"
	"KM_D float km_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }\n"
	"KM_D float km_exp(float x) { return KM_EXP(x); }\n"
	"KM_D float km_exp2(float x) { return KM_EXP2(x); }\n"
	/* exp(-|x|) does not overflow: what is tiny keeps its digits. */
	"KM_D float km_sigmoid(float x) { float e = km_exp(-km_abs(x)); return KM_QUOTIENT(x < 0.0f ? e : 1.0f, 1.0f + e); }\n"
	"KM_D float km_log(float x) { return KM_LOG(x); }\n"
	"KM_D float km_log1p(float x) { float u = 1.0f + x, d = u - 1.0f, q = KM_QUOTIENT(x - d, u), y = km_log(u) + (u > 0.0f ? q : 0.0f); return (u == 1.0f) | (x == KM_INFINITY) ? x : y; }\n"
	/* log1p(t)/t of t = exp(-|x|), in 0..1: interpolated at Chebyshev's nodes, degree 9; 1.2 ULP. */
	"KM_D float km_softplus(float x) {\n"
	" float t = km_exp(-km_abs(x)), p = km_fma(-3.176057013e-3f, t, 1.954252645e-2f); p = km_fma(p, t, -5.637361109e-2f);\n"
	" p = km_fma(p, t, 1.054362357e-1f); p = km_fma(p, t, -1.526966691e-1f); p = km_fma(p, t, 1.966327429e-1f); p = km_fma(p, t, -2.495161593e-1f);\n"
	" p = km_fma(p, t, 3.332971036e-1f); p = km_fma(p, t, -4.999989271e-1f); return km_fma(t, km_fma(p, t, 1.0f), km_maximum(x, 0.0f)); }\n"
	/* The rational approximation x P(x^2)/Q(x^2) on [-4,4] of the vector C vocabulary, 6 ULP. */
	"KM_D float km_erf(float x) {\n"
	" float c = x > 4.0f ? 4.0f : x; c = c < -4.0f ? -4.0f : c; float q = c * c;\n"
	" float p = km_fma(-2.72614225801306e-10f, q, 2.77068142495902e-08f); p = km_fma(p, q, -2.10102402082508e-06f);\n"
	" p = km_fma(p, q, -5.69250639462346e-05f); p = km_fma(p, q, -7.34990630326855e-04f);\n"
	" p = km_fma(p, q, -2.95459980854025e-03f); p = km_fma(p, q, -1.60960333262415e-02f);\n"
	" float d = km_fma(-1.45660718464996e-05f, q, -2.13374055278905e-04f); d = km_fma(d, q, -1.68282697438203e-03f);\n"
	" d = km_fma(d, q, -7.37332916720468e-03f); d = km_fma(d, q, -1.42647390514189e-02f);\n"
	/* Beyond 1 a negative number times gelu's 1 + erf would be positive. */
	" float y = KM_QUOTIENT(c * p, d); y = y > 1.0f ? 1.0f : y; return y < -1.0f ? -1.0f : y; }\n"
	/* Odd polynomial below 0.625, else by exp; 2 ULP. */
	"KM_D float km_tanh(float x) {\n"
	" float a = km_abs(x), z = x * x, p = km_fma(-5.70498872745e-3f, z, 2.06390887954e-2f);\n"
	" p = km_fma(p, z, -5.37397155531e-2f); p = km_fma(p, z, 1.33314422036e-1f); p = km_fma(p, z, -3.33332819422e-1f);\n"
	" p = km_fma(p * z, x, x); float q = 1.0f - KM_QUOTIENT(2.0f, km_exp(a + a) + 1.0f); return a < 0.625f ? p : x < 0.0f ? -q : q; }\n";

/* Reductions: of a thread's chunk, then of the `across` threads that share a row, all of which get the result. */
static const char reductions[] =
	"KM_D double km_lane_value(double x, int lane) { unsigned long u = __builtin_bit_cast(unsigned long, x);\n"
	" unsigned low = __builtin_bit_cast(unsigned, km_lane_value(__builtin_bit_cast(float, (unsigned)u), lane));\n"
	" unsigned high = __builtin_bit_cast(unsigned, km_lane_value(__builtin_bit_cast(float, (unsigned)(u >> 32)), lane));\n"
	" return __builtin_bit_cast(double, (unsigned long)high << 32 | low); }\n"
	"KM_D long km_lane_value(long x, int lane) { return __builtin_bit_cast(long, km_lane_value(__builtin_bit_cast(double, x), lane)); }\n"
	"struct km_sum { template <class T> static KM_D T of(T a, T b) { return a + b; } };\n"
	"struct km_product { template <class T> static KM_D T of(T a, T b) { return a * b; } };\n"
	"struct km_greatest { template <class T> static KM_D T of(T a, T b) { return km_maximum(a, b); } };\n"
	"struct km_smallest { template <class T> static KM_D T of(T a, T b) { return km_minimum(a, b); } };\n"
	"template <class Op, int N, class T> KM_D T km_fold(const T (&x)[N]) { T s = x[0]; KM_UNROLL for (int v = 1; v < N; v++) s = Op::of(x[v], s); return s; }\n"
	"template <class Op, int Across, int Threads, class T> KM_D T km_across(T x, char *scratch) {\n"
	" const int tid = KM_TID, warp = tid / KM_WARP, lane = tid % KM_WARP; T *red = (T *)scratch;\n"
	" KM_UNROLL for (int o = 1; o < (Across < KM_WARP ? Across : KM_WARP); o *= 2) x = Op::of(km_lane_value(x, lane ^ o), x);\n"
	" if constexpr (Across > KM_WARP) {\n"
	"  constexpr int warps = Across / KM_WARP; km_barrier(); if (lane == 0) red[warp] = x; km_barrier();\n"
	"  x = red[warp / warps * warps]; KM_UNROLL for (int w = 1; w < warps; w++) x = Op::of(red[warp / warps * warps + w], x); }\n"
	" return x; }\n"
	/* The same over all threads of a cluster: each block tells the others at `told`, which nothing else uses. */
	"#ifdef KM_CLUSTERS\ntemplate <class Op, int Blocks, int Threads, class T> KM_D T km_across_cluster(T x, char *scratch, char *told) {\n"
	" x = km_across<Op, Threads, Threads>(x, scratch); if (KM_TID == 0) *(T *)told = x; km_cluster_barrier();\n"
	" T y[Blocks]; KM_UNROLL for (int b = 0; b < Blocks; b++) y[b] = km_of_block((const T *)told, b);\n"
	" return km_fold<Op, Blocks>(y); }\n#endif\n"
	/*
	 * Of Outer values a thread, the first of all threads before the second (Back: the last of all first): what the
	 * values before each come to, in place of it.  Of the threads that share a row, Across neighbours.
	 */
	"template <class Op, bool Back, int Outer, int Across, int Threads, class T> KM_D void km_scan_across(T (&x)[Outer], T none, char *scratch) {\n"
	" constexpr int width = Across < KM_WARP ? Across : KM_WARP, warps = Across / width, all = Threads / KM_WARP, step = Back ? -1 : 1;\n"
	" const int tid = KM_TID, warp = tid / KM_WARP, lane = tid % KM_WARP, first = warp / warps * warps; T *red = (T *)scratch; T before[Outer];\n"
	" const int at = Back ? width - 1 - lane % width : lane % width, mine = Back ? warps - 1 - (warp - first) : warp - first;\n"
	" KM_UNROLL for (int o = 0; o < Outer; o++) {\n"
	"  KM_UNROLL for (int d = 1; d < width; d *= 2) { T y = km_lane_value(x[o], lane - d * step); x[o] = at < d ? x[o] : Op::of(y, x[o]); }\n"
	"  T y = km_lane_value(x[o], lane - step); before[o] = at ? y : none; }\n"
	" if constexpr (warps > 1) { km_barrier(); if (at == width - 1) { KM_UNROLL for (int o = 0; o < Outer; o++) red[o * all + first + mine] = x[o]; } km_barrier(); }\n"
	" T sum = none; KM_UNROLL for (int n = 0; n < Outer; n++) { const int o = Back ? Outer - 1 - n : n;\n"
	"  if constexpr (warps > 1) { T so_far = sum; KM_UNROLL for (int w = 0; w < warps; w++) { const T y = red[o * all + first + w]; so_far = w < mine ? Op::of(so_far, y) : so_far; sum = Op::of(sum, y); }\n"
	"   x[o] = Op::of(so_far, before[o]); }\n"
	"  else { const T y = km_lane_value(x[o], lane - lane % width + (Back ? 0 : width - 1)); x[o] = Op::of(sum, before[o]); sum = Op::of(sum, y); } } }\n";

void simt_vocabulary(struct strbuf *out)
{
	strbuf_addstr(out, types);
	double_c_prologue(out);
	strbuf_addstr(out, memory);
	strbuf_addstr(out, arithmetic);
	strbuf_addstr(out, reductions);
	static const char *const own[] = { "softplus", NULL };
	vocabulary_print(&(struct vocabulary_style){ "KM_D", "float", false, own, NULL }, out);
	vocabulary_print(&(struct vocabulary_style){ "KM_D", "double", false, NULL, NULL }, out);
}
