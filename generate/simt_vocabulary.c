/* The vocabulary that all SIMT languages share. */
#include "generate/simt.h"
#include "generate/vocabulary.h"
#include "ops/core/expr.h"

#include <string.h>

/* Vectors take the alignment that is given, up to 16 bytes; global ones only that of their elements. */
static const char memory[] =
	"typedef float km_f32; typedef unsigned short km_bf16; typedef long km_i64; typedef int km_i32;\n"
	"#define KM_INFINITY __builtin_inff()\n"
	"#define KM_UNROLL _Pragma(\"unroll\")\n"
	"template <class T, int N> struct km_vector { typedef T type __attribute__((ext_vector_type(N))); };\n"
	"KM_D long km_least(long a, long b) { return a < b ? a : b; }\n"
	"KM_D long km_most(long a, long b) { return a > b ? a : b; }\n"
	"KM_D long km_cdiv(long a, long b) { return (a + b - 1) / b; }\n"
	"KM_D long km_rup(long a, long b) { return (a + b - 1) / b * b; }\n"
	"KM_D long km_floor_div(long a, long b) { return a / b - (a % b && (a < 0) != (b < 0)); }\n"
	"KM_D long km_floor_mod(long a, long b) { return a - km_floor_div(a, b) * b; }\n"
	"KM_D int km_xor(int a, int b) { return a ^ b; }\n"
	"KM_D bool km_inside(long at, long extent) { return (unsigned long)at < (unsigned long)extent; }\n"
	"KM_D int km_clip(long n, int most) { return n < most ? (int)n : most; }\n"
	"KM_D float km_value(float x) { return x; }\n"
	"KM_D float km_value(km_bf16 x) { return __builtin_bit_cast(float, (unsigned)x << 16); }\n"
	"KM_D float km_value(km_i64 x) { return (float)x; }\n"
	"KM_D float km_value(km_i32 x) { return (float)x; }\n"
	/* bf16 rounds to nearest even; NaN stays NaN. */
	"KM_D void km_assign(float *p, float x) { *p = x; }\n"
	"KM_D void km_assign(km_bf16 *p, float x) { unsigned u = __builtin_bit_cast(unsigned, x);"
	" *p = (km_bf16)(x != x ? 0x7fc0 : (u + 0x7fff + (u >> 16 & 1)) >> 16); }\n"
	"KM_D void km_assign(km_bf16 *p, km_bf16 x) { *p = x; }\n"
	"KM_D void km_assign(km_i64 *p, float x) { *p = (km_i64)x; }\n"
	"KM_D void km_assign(km_i32 *p, float x) { *p = (km_i32)x; }\n"
	"template <int A, int N, class T> KM_D void km_read(T *x, const T *p) {\n"
	" typedef T whole __attribute__((ext_vector_type(N))); typedef whole some __attribute__((aligned(A < 16 ? A : 16)));\n"
	" whole q = *(const some *)p; KM_UNROLL for (int v = 0; v < N; v++) x[v] = q[v]; }\n"
	"template <int A, int N, class T, class S> KM_D void km_put(T *p, const S (&x)[N]) {\n"
	" typedef T whole __attribute__((ext_vector_type(N))); typedef whole some __attribute__((aligned(A < 16 ? A : 16)));\n"
	" whole q; KM_UNROLL for (int v = 0; v < N; v++) { T t; if constexpr (sizeof(S) < sizeof(T)) t = km_value(x[v]); else km_assign(&t, x[v]); q[v] = t; }\n"
	" *(some *)p = q; }\n"
	/* A chunk of global memory is one access where it is aligned to its width, as almost always: buffers are, and rows of whole chunks. */
	"template <int N, class T> struct km_chunk { static constexpr int bytes = N * sizeof(T) < 16 ? N * sizeof(T) : 16; static constexpr bool is_wide = !(bytes & (bytes - 1));\n"
	" static KM_D bool at(const void *p) { return is_wide && (unsigned long)p % bytes == 0; } };\n"
	"template <int N, class T> KM_D void km_read_chunk(T *x, const T *p) { if (km_chunk<N, T>::at(p)) km_read<km_chunk<N, T>::bytes, N>(x, p); else km_read<sizeof(T), N>(x, p); }\n"
	"template <int N, class T> KM_D void km_fetch(T (&x)[N], const T *p, int n) {\n"
	" if (n >= N) km_read_chunk<N>(x, p); else { KM_UNROLL for (int v = 0; v < N; v++) x[v] = v < n ? p[v] : (T)0; } }\n"
	"template <int N, class T> KM_D void km_load(float (&x)[N], const T *p, int n, float fill) {\n"
	" if (n >= N) { T t[N]; km_read_chunk<N>(t, p); KM_UNROLL for (int v = 0; v < N; v++) x[v] = km_value(t[v]); }\n"
	" else { KM_UNROLL for (int v = 0; v < N; v++) x[v] = v < n ? km_value(p[v]) : fill; } }\n"
	"template <int N, class T> KM_D void km_store(T *p, const float (&x)[N], int n) {\n"
	" if (n >= N && km_chunk<N, T>::at(p)) km_put<km_chunk<N, T>::bytes, N>(p, x);\n"
	" else { KM_UNROLL for (int v = 0; v < N; v++) if (v < n) km_assign(p + v, x[v]); } }\n"
	"template <int N, class T> KM_D void km_load_whole(float (&x)[N], const T *p) { T t[N]; km_read<km_chunk<N, T>::bytes, N>(t, p); KM_UNROLL for (int v = 0; v < N; v++) x[v] = km_value(t[v]); }\n"
	"template <int N, class T> KM_D void km_store_whole(T *p, const float (&x)[N]) { km_put<km_chunk<N, T>::bytes, N>(p, x); }\n"
	"template <int N> KM_D void km_fill(float (&x)[N], float v) { KM_UNROLL for (int i = 0; i < N; i++) x[i] = v; }\n";

/* maximum and minimum: NaN of the first argument, which is the new value, wins; an old NaN stays. */
static const char arithmetic[] =
	"#ifndef KM_EXP\n#define KM_EXP __builtin_expf\n#define KM_EXP2 __builtin_exp2f\n#define KM_LOG __builtin_logf\n#endif\n"
	"KM_D float km_maximum(float a, float b) { return a > b || a != a ? a : b; }\n"
	"KM_D float km_minimum(float a, float b) { return a < b || a != a ? a : b; }\n"
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
	"KM_D float km_sigmoid(float x) { float e = km_exp(-km_abs(x)); return (x < 0.0f ? e : 1.0f) / (1.0f + e); }\n"
	"KM_D float km_log(float x) { return KM_LOG(x); }\n"
	"KM_D float km_log1p(float x) { float u = 1.0f + x, d = u - 1.0f; return u == 1.0f || x == KM_INFINITY ? x : km_log(u) + (u > 0.0f ? (x - d) / u : 0.0f); }\n"
	/* The rational approximation x P(x^2)/Q(x^2) on [-4,4] of the vector C vocabulary, 6 ULP. */
	"KM_D float km_erf(float x) {\n"
	" float c = x > 4.0f ? 4.0f : x; c = c < -4.0f ? -4.0f : c; float q = c * c;\n"
	" float p = km_fma(-2.72614225801306e-10f, q, 2.77068142495902e-08f); p = km_fma(p, q, -2.10102402082508e-06f);\n"
	" p = km_fma(p, q, -5.69250639462346e-05f); p = km_fma(p, q, -7.34990630326855e-04f);\n"
	" p = km_fma(p, q, -2.95459980854025e-03f); p = km_fma(p, q, -1.60960333262415e-02f);\n"
	" float d = km_fma(-1.45660718464996e-05f, q, -2.13374055278905e-04f); d = km_fma(d, q, -1.68282697438203e-03f);\n"
	" d = km_fma(d, q, -7.37332916720468e-03f); d = km_fma(d, q, -1.42647390514189e-02f);\n"
	" return c * p / d; }\n"
	/* Odd polynomial below 0.625, else by exp; 2 ULP. */
	"KM_D float km_tanh(float x) {\n"
	" float a = km_abs(x), z = x * x, p = km_fma(-5.70498872745e-3f, z, 2.06390887954e-2f);\n"
	" p = km_fma(p, z, -5.37397155531e-2f); p = km_fma(p, z, 1.33314422036e-1f); p = km_fma(p, z, -3.33332819422e-1f);\n"
	" p = km_fma(p * z, x, x); float q = 1.0f - 2.0f / (km_exp(a + a) + 1.0f); return a < 0.625f ? p : x < 0.0f ? -q : q; }\n";

/* Reductions: of a thread's chunk, then of the `across` threads that share a row, all of which get the result. */
static const char reductions[] =
	"struct km_sum { static KM_D float of(float a, float b) { return a + b; } };\n"
	"struct km_product { static KM_D float of(float a, float b) { return a * b; } };\n"
	"struct km_greatest { static KM_D float of(float a, float b) { return km_maximum(a, b); } };\n"
	"struct km_smallest { static KM_D float of(float a, float b) { return km_minimum(a, b); } };\n"
	"template <class Op, int N> KM_D float km_fold(const float (&x)[N]) { float s = x[0]; KM_UNROLL for (int v = 1; v < N; v++) s = Op::of(x[v], s); return s; }\n"
	"template <class Op, int Across, int Threads> KM_D float km_across(float x, float *red) {\n"
	" const int tid = KM_TID, warp = tid / KM_WARP, lane = tid % KM_WARP;\n"
	" KM_UNROLL for (int o = 1; o < (Across < KM_WARP ? Across : KM_WARP); o *= 2) x = Op::of(km_lane_value(x, lane ^ o), x);\n"
	" if constexpr (Across > KM_WARP) {\n"
	"  constexpr int warps = Across / KM_WARP; km_barrier(); if (lane == 0) red[warp] = x; km_barrier();\n"
	"  x = red[warp / warps * warps]; KM_UNROLL for (int w = 1; w < warps; w++) x = Op::of(red[warp / warps * warps + w], x); }\n"
	" return x; }\n";

void simt_vocabulary(struct strbuf *out)
{
	strbuf_addstr(out, memory);
	strbuf_addstr(out, arithmetic);
	strbuf_addstr(out, reductions);
	vocabulary_print(&(struct vocabulary_style){ "KM_D", "float", false, NULL }, out);
}
