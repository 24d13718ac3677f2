#include "generate/vector_c.h"
#include "generate/vocabulary.h"
#include "ops/core/expr.h"

#include <string.h>

/*
 * Loads and stores.  _m forms touch only lanes of the mask.  bf16 widens
 * exactly and rounds to nearest even.
 */
static const char memory[] =
	"typedef float km_vf __attribute__((ext_vector_type(KM_L)));\n"
	"typedef int km_vi __attribute__((ext_vector_type(KM_L)));\n"
	"typedef unsigned km_vu __attribute__((ext_vector_type(KM_L)));\n"
	"typedef unsigned short km_vh __attribute__((ext_vector_type(KM_L)));\n"
	"typedef _Bool km_vb __attribute__((ext_vector_type(KM_L)));\n"
	"typedef km_vf km_vfu __attribute__((aligned(4)));\n"
	"typedef km_vh km_vhu __attribute__((aligned(2)));\n"
	"KM_I km_vb km_first(long n) { return __builtin_convertvector(KM_IOTA < (int)n, km_vb); }\n"
	"KM_I km_vb km_inside(long at, long extent) { long end = km_min(extent - at, KM_L), from = km_min(km_max(-at, 0), KM_L);"
	" return __builtin_convertvector((KM_IOTA < (int)end) & (KM_IOTA >= (int)from), km_vb); }\n"
	"KM_I km_vf km_widen_v(km_vh h) { return __builtin_bit_cast(km_vf, __builtin_convertvector(h, km_vu) << 16); }\n"
	"KM_I km_vh km_narrow_v(km_vf x) { km_vu u = __builtin_bit_cast(km_vu, x); km_vu r = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;"
	" return __builtin_convertvector(x != x ? (km_vu)0x7fc0u : r, km_vh); }\n"
	"KM_I km_vf km_l_f32(const km_f32 *p) { return *(const km_vfu *)p; }\n"
	"KM_I void km_s_f32(km_f32 *p, km_vf x) { *(km_vfu *)p = x; }\n"
	"KM_I km_vf km_l_bf16(const km_bf16 *p) { return km_widen_v(*(const km_vhu *)p); }\n"
	"KM_I void km_s_bf16(km_bf16 *p, km_vf x) { *(km_vhu *)p = km_narrow_v(x); }\n"
	"KM_I km_vf km_l_f32_m(const km_f32 *p, km_vb m, float fill) { return __builtin_masked_load(m, p, (km_vf)fill); }\n"
	"KM_I void km_s_f32_m(km_f32 *p, km_vf x, km_vb m) { __builtin_masked_store(m, x, p); }\n";

/* Masked 16-bit elements: an instruction of AVX-512 BW; else lane by lane, in a loop that stays one. */
static const char masked_halves[] =
	"KM_I km_vh km_l_h(const km_bf16 *p, km_vb m, km_vh fill) { return __builtin_masked_load(m, p, fill); }\n"
	"KM_I void km_s_h(km_bf16 *p, km_vh x, km_vb m) { __builtin_masked_store(m, x, p); }\n";
static const char masked_halves_by_lane[] =
	"static __attribute__((noinline, unused)) km_vh km_l_h(const km_bf16 *p, km_vb m, km_vh x) { for (int i = 0; i < KM_L; i++) if (m[i]) x[i] = p[i]; return x; }\n"
	"static __attribute__((noinline, unused)) void km_s_h(km_bf16 *p, km_vh x, km_vb m) { for (int i = 0; i < KM_L; i++) if (m[i]) p[i] = x[i]; }\n";

static const char halves[] =
	"KM_I km_vh km_l_u16(const km_bf16 *p) { return *(const km_vhu *)p; }\n"
	"KM_I void km_s_u16(km_bf16 *p, km_vh x) { *(km_vhu *)p = x; }\n"
	"KM_I km_vf km_l_bf16_m(const km_bf16 *p, km_vb m, float fill) { return km_widen_v(km_l_h(p, m, (km_vh)km_narrow(fill))); }\n"
	"KM_I void km_s_bf16_m(km_bf16 *p, km_vf x, km_vb m) { km_s_h(p, km_narrow_v(x), m); }\n"
	"KM_I km_vh km_l_u16_m(const km_bf16 *p, km_vb m) { return km_l_h(p, m, (km_vh)0); }\n"
	"KM_I void km_s_u16_m(km_bf16 *p, km_vh x, km_vb m) { km_s_h(p, x, m); }\n"
	"KM_I void km_s_pairs(km_bf16 *p, km_vh a, km_vh b) { km_vu x = __builtin_convertvector(a, km_vu) | __builtin_convertvector(b, km_vu) << 16;"
	" __builtin_memcpy(p, &x, sizeof(x)); }\n"
	/* Past the caches where the address allows it: only aligned vectors have such a store. */
	"KM_I void km_snt_f32(km_f32 *p, km_vf x) { if ((unsigned long)p % (4 * KM_L)) km_s_f32(p, x); else __builtin_nontemporal_store(x, (km_vf *)p); }\n";

static const char arithmetic[] =
	"#define KM_ANY(c) __builtin_expect(__builtin_reduce_or(c) != 0, 0)\n"
	"KM_I km_vf km_sel(km_vb m, km_vf a, km_vf b) { return __builtin_convertvector(m, km_vi) != 0 ? a : b; }\n"
	/* NaN of either propagates.  a > b ? a : b is one instruction, which gives b when they do not compare. */
	"KM_I km_vf km_maximum(km_vf a, km_vf b) { return a != a ? a : a > b ? a : b; }\n"
	"KM_I km_vf km_minimum(km_vf a, km_vf b) { return a != a ? a : a < b ? a : b; }\n"
	"KM_I km_vf km_maximum_number(km_vf a, float b) { return b > a ? (km_vf)b : a; }\n"
	"KM_I km_vf km_minimum_number(km_vf a, float b) { return b < a ? (km_vf)b : a; }\n"
	"KM_I km_vf km_abs(km_vf x) { return __builtin_elementwise_abs(x); }\n"
	"KM_I km_vf km_sqrt(km_vf x) { return __builtin_elementwise_sqrt(x); }\n"
	"KM_I km_vf km_rsqrt(km_vf x) { return 1.0f / __builtin_elementwise_sqrt(x); }\n"
	"KM_I km_vf km_floor(km_vf x) { return __builtin_elementwise_floor(x); }\n"
	"KM_I km_vf km_ceil(km_vf x) { return __builtin_elementwise_ceil(x); }\n"
	"KM_I km_vf km_trunc(km_vf x) { return __builtin_elementwise_trunc(x); }\n"
	"KM_I km_vf km_round(km_vf x) { return __builtin_elementwise_roundeven(x); }\n"
	"KM_I km_vf km_fma(km_vf a, km_vf b, km_vf c) { return __builtin_elementwise_fma(a, b, c); }\n";

/*
 * Largest errors against libm in double, as the test finds them [ULP]: exp 1, log 1,
 * log1p 1.5, tanh 1.3, erf 5.5, sigmoid 2, silu 2.3; gelu 1e-6 absolute.
 * exp: 2^n e^r, |r| <= ln2/2, Cephes' degree 6 (public domain); n is rounded by
 * an addition that leaves it in the low bits, which then move into the exponent.
 * Below -87.33, where the result is a denormal, in a branch of its own, since what it
 * is multiplied by may bring it back.  erf: the
 * rational approximation x P(x^2)/Q(x^2) on [-4,4].  log: Cephes' logf.  tanh:
 * odd polynomial below 0.625, else by exp.
 */
static const char transcendental[] =
	"KM_I km_vf km_exp(km_vf x) {\n"
	" km_vf n = km_fma(x, (km_vf)1.44269504f, (km_vf)12582912.0f); km_vi k = __builtin_bit_cast(km_vi, n) << 23; n -= 12582912.0f;\n"
	" km_vf r = km_fma(n, (km_vf)-0.693359375f, x); r = km_fma(n, (km_vf)2.12194440e-4f, r);\n"
	" km_vf p = km_fma((km_vf)1.9875691500e-4f, r, (km_vf)1.3981999507e-3f); p = km_fma(p, r, (km_vf)8.3334519073e-3f);\n"
	" p = km_fma(p, r, (km_vf)4.1665795894e-2f); p = km_fma(p, r, (km_vf)1.6666665459e-1f); p = km_fma(p, r, (km_vf)5.0000001201e-1f);\n"
	" p = km_fma(p, r * r, r) + 1.0f; km_vf y = __builtin_bit_cast(km_vf, __builtin_bit_cast(km_vi, p) + k);\n"
	" if (KM_ANY(x < -87.33f)) { km_vf d = __builtin_bit_cast(km_vf, __builtin_bit_cast(km_vi, p) + k + (64 << 23)) * 0x1p-64f;"
	" y = x < -87.33f ? x < -104.0f ? (km_vf)0.0f : d : y; }\n"
	" return x <= 88.7228f ? y : x + __builtin_inff(); }\n"
	/* exp(-|x|) does not overflow: what is tiny keeps its digits. */
	"KM_I km_vf km_sigmoid(km_vf x) { km_vf e = km_exp(-km_abs(x)); return (x < 0.0f ? e : (km_vf)1.0f) / (1.0f + e); }\n"
	/* 2^n 2^r, |r| <= 1/2, degree 5: 5 ULP, two thirds of exp's work.  Below 2^-126 it stays there. */
	"KM_I km_vf km_exp2(km_vf x) {\n"
	" x = x < -126.0f ? (km_vf)-126.0f : x; x = x > 128.0f ? (km_vf)128.0f : x;\n"
	" km_vf n = x + 12582912.0f; km_vi k = __builtin_bit_cast(km_vi, n) << 23; km_vf r = x - (n - 12582912.0f);\n"
	" km_vf p = km_fma((km_vf)1.3390866807e-3f, r, (km_vf)9.6663739532e-3f); p = km_fma(p, r, (km_vf)5.5503569543e-2f);\n"
	" p = km_fma(p, r, (km_vf)2.4022348225e-1f); p = km_fma(p, r, (km_vf)6.9314718246e-1f); p = km_fma(p, r, (km_vf)1.0f);\n"
	" return __builtin_bit_cast(km_vf, __builtin_bit_cast(km_vi, p) + k); }\n"
	"KM_I km_vf km_erf(km_vf x) {\n"
	" km_vf c = x > 4.0f ? (km_vf)4.0f : x; c = c < -4.0f ? (km_vf)-4.0f : c; km_vf q = c * c;\n"
	" km_vf p = km_fma((km_vf)-2.72614225801306e-10f, q, (km_vf)2.77068142495902e-08f); p = km_fma(p, q, (km_vf)-2.10102402082508e-06f);\n"
	" p = km_fma(p, q, (km_vf)-5.69250639462346e-05f); p = km_fma(p, q, (km_vf)-7.34990630326855e-04f);\n"
	" p = km_fma(p, q, (km_vf)-2.95459980854025e-03f); p = km_fma(p, q, (km_vf)-1.60960333262415e-02f);\n"
	" km_vf d = km_fma((km_vf)-1.45660718464996e-05f, q, (km_vf)-2.13374055278905e-04f); d = km_fma(d, q, (km_vf)-1.68282697438203e-03f);\n"
	" d = km_fma(d, q, (km_vf)-7.37332916720468e-03f); d = km_fma(d, q, (km_vf)-1.42647390514189e-02f);\n"
	/* Beyond 1 a negative number times gelu's 1 + erf would be positive. */
	" km_vf y = c * p / d; y = y > 1.0f ? (km_vf)1.0f : y; return y < -1.0f ? (km_vf)-1.0f : y; }\n"
	"KM_I km_vf km_log(km_vf x) {\n"
	" km_vi tiny = x < 1.17549435e-38f; km_vf y = tiny ? x * 8388608.0f : x; km_vi b = __builtin_bit_cast(km_vi, y);\n"
	" km_vf e = __builtin_convertvector((b >> 23) - 126, km_vf) - (tiny ? (km_vf)23.0f : (km_vf)0.0f);\n"
	" km_vf m = __builtin_bit_cast(km_vf, (b & 0x7fffff) | 0x3f000000); km_vi low = m < 0.707106781f;\n"
	" e = low ? e - 1.0f : e; m = (low ? m + m : m) - 1.0f; km_vf z = m * m;\n"
	" km_vf p = km_fma((km_vf)7.0376836292e-2f, m, (km_vf)-1.1514610310e-1f); p = km_fma(p, m, (km_vf)1.1676998740e-1f);\n"
	" p = km_fma(p, m, (km_vf)-1.2420140846e-1f); p = km_fma(p, m, (km_vf)1.4249322787e-1f); p = km_fma(p, m, (km_vf)-1.6668057665e-1f);\n"
	" p = km_fma(p, m, (km_vf)2.0000714765e-1f); p = km_fma(p, m, (km_vf)-2.4999993993e-1f); p = km_fma(p, m, (km_vf)3.3333331174e-1f);\n"
	" km_vf r = p * m * z; r = km_fma(e, (km_vf)-2.12194440e-4f, r); r = km_fma(z, (km_vf)-0.5f, r); r = m + r; r = km_fma(e, (km_vf)0.693359375f, r);\n"
	" r = x == __builtin_inff() ? x : r; r = x == 0.0f ? (km_vf)-__builtin_inff() : r; return ((x < 0.0f) | (x != x)) ? (km_vf)__builtin_nanf(\"\") : r; }\n"
	"KM_I km_vf km_log1p(km_vf x) { km_vf u = 1.0f + x, d = u - 1.0f; return ((u == 1.0f) | (x == __builtin_inff())) ? x : km_log(u) + (u > 0.0f ? (x - d) / u : (km_vf)0.0f); }\n"
	"KM_I km_vf km_tanh(km_vf x) {\n"
	" km_vf a = km_abs(x), z = x * x; km_vf p = km_fma((km_vf)-5.70498872745e-3f, z, (km_vf)2.06390887954e-2f);\n"
	" p = km_fma(p, z, (km_vf)-5.37397155531e-2f); p = km_fma(p, z, (km_vf)1.33314422036e-1f); p = km_fma(p, z, (km_vf)-3.33332819422e-1f);\n"
	" p = km_fma(p * z, x, x); km_vf q = 1.0f - 2.0f / (km_exp(a + a) + 1.0f); q = x < 0.0f ? -q : q; return a < 0.625f ? p : q; }\n";

/* Philox, as in double_c.c, in vectors of counters at, at + stride, ..., shifted right by at least 8. */
static const char randomness[] =
	"typedef unsigned long km_vw __attribute__((ext_vector_type(KM_L)));\n"
	"KM_I km_vf km_philox_v(long seed, long at, long stride, long w, int bits) {\n"
	" unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32);\n"
	" km_vw n = (km_vw)(unsigned long)at + __builtin_convertvector(KM_IOTA * (int)stride, km_vw);\n"
	" km_vu c0 = __builtin_convertvector(n, km_vu), c1 = __builtin_convertvector(n >> 32, km_vu), c2 = 0, c3 = 0;\n"
	" for (int i = 0; i < 10; i++) { km_vw p0 = __builtin_convertvector(c0, km_vw) * 0xD2511F53ul, p1 = __builtin_convertvector(c2, km_vw) * 0xCD9E8D57ul;\n"
	"  c0 = __builtin_convertvector(p1 >> 32, km_vu) ^ c1 ^ k0; c1 = __builtin_convertvector(p1, km_vu);\n"
	"  c2 = __builtin_convertvector(p0 >> 32, km_vu) ^ c3 ^ k1; c3 = __builtin_convertvector(p0, km_vu); k0 += 0x9E3779B9u; k1 += 0xBB67AE85u; }\n"
	" return __builtin_convertvector(__builtin_bit_cast(km_vi, ((w & 3) == 0 ? c0 : (w & 3) == 1 ? c1 : (w & 3) == 2 ? c2 : c3) >> bits), km_vf); }\n";

/*
 * sin, cos: x - n pi/2 in double, pi/2 in two parts, then Cephes' polynomials on +-pi/4 (public
 * domain): 1 ULP of f32 below 2^50, where n is no longer exact.
 */
static const char circular[] =
	"typedef double km_vd __attribute__((ext_vector_type(KM_L)));\n"
	"KM_I km_vf km_circular(km_vf x, int turn) {\n"
	" km_vd d = __builtin_convertvector(x, km_vd), n = __builtin_elementwise_roundeven(d * 0.63661977236758134);\n"
	" d = __builtin_elementwise_fma(n, (km_vd)-1.5707963267948966, d); d = __builtin_elementwise_fma(n, (km_vd)-6.123233995736766e-17, d);\n"
	" km_vi q = __builtin_convertvector(n - 4.0 * __builtin_elementwise_floor(n * 0.25), km_vi) + turn; km_vf r = __builtin_convertvector(d, km_vf), z = r * r;\n"
	" km_vf s = km_fma((km_vf)-1.9515295891e-4f, z, (km_vf)8.3321608736e-3f); s = km_fma(s, z, (km_vf)-1.6666654611e-1f); s = km_fma(s * z, r, r);\n"
	" km_vf c = km_fma((km_vf)2.443315711809948e-5f, z, (km_vf)-1.388731625493765e-3f); c = km_fma(c, z, (km_vf)4.166664568298827e-2f);\n"
	" c = km_fma(c * z, z, km_fma((km_vf)-0.5f, z, (km_vf)1.0f)); km_vf y = (q & 1) != 0 ? c : s; return (q & 2) != 0 ? -y : y; }\n"
	"KM_I km_vf km_sin(km_vf x) { return km_circular(x, 0); }\nKM_I km_vf km_cos(km_vf x) { return km_circular(x, 1); }\n";

/* Horizontal: reductions of a vector, inclusive prefix sum. */
static const char horizontal[] =
	"KM_I float km_hsum(km_vf x) { KM_FOLD(x + y) return x[0]; }\n"
	"KM_I float km_hprod(km_vf x) { KM_FOLD(x * y) return x[0]; }\n"
	"KM_I float km_hmax(km_vf x) { KM_FOLD(km_maximum(x, y)) return x[0]; }\n"
	"KM_I float km_hmin(km_vf x) { KM_FOLD(km_minimum(x, y)) return x[0]; }\n"
	"KM_I km_vf km_last(km_vf x) { return (km_vf)x[KM_L - 1]; }\n"
	"KM_I km_vf km_scan(km_vf x) { km_vf z = 0; KM_SCAN return x; }\n";

bool vector_c_has_number(const char *name)
{
	return !strcmp(name, "maximum") || !strcmp(name, "minimum");
}

/* Does the tree call a long function? */
static bool calls_long(const struct expr *e)
{
	if (e->kind == EXPR_CALL && vector_c_is_long(e->name))
		return true;
	for (size_t i = 0; i < e->arg_count; i++)
		if (calls_long(e->arg[i]))
			return true;
	return false;
}

bool vector_c_is_long(const char *name)
{
	static const char *const own[] = { "exp", "exp2", "erf", "log", "log1p", "sigmoid", "tanh", "sin", "cos" };
	const struct function *f = function_find(name);
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct expr *e;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(own[i], name))
			return true;
	bool is_long = f && f->definition && vocabulary_has(name) && !expr_parse(&arena, f->definition, name, EXPR_BODY, &e, &err) && calls_long(e);
	arena_release(&arena);
	strbuf_release(&err);
	return is_long;
}

/* The called forms; what no kernel of a unit calls is never compiled. */
static void print_calls(struct strbuf *out)
{
	for (const struct function *f = function_table; f->name; f++)
		if (vector_c_is_long(f->name) && f->arity == 1)
			strbuf_addf(out, "static __attribute__((noinline, unused)) km_vf km_%s_call(km_vf x) { return km_%s(x); }\n", f->name, f->name);
}

/* The lane list of a shuffle, and its end. */
static void print_lanes(int lanes, int (*lane)(int i, int w, int lanes), int w, struct strbuf *out)
{
	for (int i = 0; i < lanes; i++)
		strbuf_addf(out, ",%d", lane(i, w, lanes));
	strbuf_addch(out, ')');
}

static int shifted_up(int i, int w, int lanes) { return i < w ? 0 : lanes + i - w; }
static int folded(int i, int w, int lanes) { return (i + w) % lanes; }
/* Of a 2 x 2 exchange of w lanes between rows a and b: what a, and b, becomes. */
static int upper(int i, int w, int lanes) { return i & w ? lanes + (i ^ w) : i; }
static int lower(int i, int w, int lanes) { return i & w ? lanes + i : i ^ w; }

/*
 * L rows become L columns: exchanges of 1, 2, 4, ... lanes between rows that far
 * apart.  Of `rows` < L rows the last stands for those behind it.
 */
static void print_transpose(int lanes, struct strbuf *out)
{
	strbuf_addstr(out, "KM_I void km_transpose(const float *s, long ss, long rows, float *d, long ds, int past) {\n");
	for (int i = 0; i < lanes; i++)
		strbuf_addf(out, " km_vf r0_%d = km_l_f32(s + km_min(%d, rows - 1) * ss);\n", i, i);
	int step = 0;
	for (int w = 1; w < lanes; w *= 2, step++)
		for (int i = 0; i < lanes; i++) {
			int a = i & ~w, b = i | w;
			strbuf_addf(out, " km_vf r%d_%d = __builtin_shufflevector(r%d_%d, r%d_%d", step + 1, i, step, a, step, b);
			print_lanes(lanes, i & w ? lower : upper, w, out);
			strbuf_addstr(out, ";\n");
		}
	for (int i = 0; i < lanes; i++)
		strbuf_addf(out, " if (past) km_snt_f32(d + %d * ds, r%d_%d); else km_s_f32(d + %d * ds, r%d_%d);\n", i, step, i, i, step, i);
	strbuf_addstr(out, "}\n");
}

void vector_c_prologue(const struct target *target, struct strbuf *out)
{
	int lanes = target->vector_bytes / 4;

	strbuf_addf(out, "/* vector C, %d lanes */\n#define KM_L %d\n#define KM_IOTA ((km_vi){", lanes, lanes);
	for (int i = 0; i < lanes; i++)
		strbuf_addf(out, "%s%d", i ? "," : "", i);
	strbuf_addstr(out, "})\n#define KM_SCAN");
	/* x += x shifted up by 1, 2, 4, ... lanes, zeros coming in. */
	for (int w = 1; w < lanes; w *= 2) {
		strbuf_addstr(out, " x += __builtin_shufflevector(z, x");
		print_lanes(lanes, shifted_up, w, out);
		strbuf_addch(out, ';');
	}
	strbuf_addstr(out, "\n#define KM_FOLD(f) km_vf y;");
	for (int w = lanes / 2; w; w /= 2) {
		strbuf_addstr(out, " y = __builtin_shufflevector(x, x");
		print_lanes(lanes, folded, w, out);
		strbuf_addstr(out, "; x = f;");
	}
	strbuf_addch(out, '\n');
	strbuf_addstr(out, "#define KM_I static inline __attribute__((always_inline, unused))\n#define KM_CALLED static __attribute__((noinline, unused))\n");
	scalar_c_prologue(false, out);
	strbuf_addstr(out, memory);
	strbuf_addstr(out, target->isa & ISA_BIT(avx512) ? masked_halves : masked_halves_by_lane);
	strbuf_addstr(out, halves);
	strbuf_addstr(out, arithmetic);
	strbuf_addstr(out, transcendental);
	strbuf_addstr(out, circular);
	strbuf_addstr(out, randomness);
	strbuf_addstr(out, horizontal);
	print_transpose(lanes, out);
	vocabulary_print(&(struct vocabulary_style){ "KM_I", "km_vf", true, NULL, vector_c_has_number }, out);
	print_calls(out);
}
