/*
 * split: the kernels in front of a product of f32 numbers by instructions of fewer bits: one
 * measures the magnitudes of both operands, one writes each number as a sum of parts
 * (skeleton f32_parts).  Operands are read as they lie, row behind row.
 *
 * A kernel of it has knob SPLIT and a grid of rows, which its resident blocks share out:
 *   SPLIT=measure   _range[p0, 0] = max(k) abs(A[..]), and [p0, 1] the same of B
 *   SPLIT=parts     stores of parts, each in its buffer; the first statement's operand is A
 *   SPLIT=sample    as measure, of one block and some numbers: the scales of a fused product
 *                   (wgmma_tma), which are a guess.  With FOUND=1 a kernel of SPLIT=measure
 *                   measures only where that product found numbers that do not fit its guess
 * What its text says holds for exact numbers.  In print, a row of _range has what a block
 * found, and parts of f16 are of numbers times a power of two that brings the operand's
 * greatest to 2^14..2^15, the second part times 2^12 more: without that it were below the
 * normal numbers of f16.  _scale[0], [1] are the powers of two, [2] undoes both.
 *
 * _class says which of the other kernels run (knob WHEN, simt.h).  It is at least what the
 * text stores there, and by what was measured:
 *   0  f16 holds it: no number is further than 2^29 below the greatest, but for a share of
 *      2^-22 where no zeros are.  (Of a smaller one 2^-37 of those 2^14 is kept: 2^-51 of the
 *      greatest.)
 *   1  the exponents of f32 are wanted, and bf16 or tf32 has them
 *   2  f32 itself is wanted: NaN, infinities, what would round to one, products that may
 *      overflow, where their parts cancel, or vanish
 * The share is counted by warps, each of which keeps the least number it met: a row or column
 * of small numbers counts many times, one number among millions once.
 */
#include "generate/micro.h"
#include "generate/simt_print.h"

#include <string.h>

enum { THREADS = 512, RESIDENT = 3, SAMPLE_THREADS = 1024, MAX_SETS = 4 };
_Static_assert(MICRO_RANGE_WORDS == 2 * (2 + THREADS / 32), "a row of _range: greatest, has a zero, the least of each warp; twice");

/* The parts of one operand in one type: stores that follow each other. */
struct set {
	const struct tile_buffer *from;
	int operand; /* 0, 1 */
	const struct tile_stmt *first;
	size_t count;
};

static bool drives(const struct simt *s)
{
	return tile_knob(s->kernel, "SPLIT", NULL) != NULL;
}

/* The input that a statement reads. */
static const struct tile_buffer *source_of(const struct simt *s, const struct expr *e)
{
	const struct tile_buffer *found = e->kind == EXPR_ACCESS ? simt_buffer(s, e->name) : NULL;

	if (found && found->role != PLAN_IN)
		found = NULL;
	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = source_of(s, e->arg[i]);
	return found;
}

static enum dtype part_dtype(const struct simt *s, const struct tile_stmt *stmt)
{
	return s->program->buffer[stmt->target].dtype;
}

/* The kernel's sets, in order; how many. */
static int find_sets(struct simt *s, struct set *set)
{
	const struct tile_kernel *k = s->kernel;
	int count = 0;

	for (size_t i = 0; i < k->stmt_count && !s->failed; i++) {
		const struct tile_stmt *stmt = &k->stmt[i];
		const struct tile_buffer *from = stmt->kind == TILE_STORE ? source_of(s, stmt->value) : NULL;
		struct set *last = count ? &set[count - 1] : NULL;
		if (stmt->kind == TILE_STORE && !from)
			continue;
		if (!from || from->dtype != DTYPE_f32 || *from->layout_text)
			simt_fail(s, "statement %zu reads no input of f32", i);
		else if (last && last->from == from && part_dtype(s, last->first) == part_dtype(s, stmt))
			last->count++;
		else if (count == MAX_SETS)
			simt_fail(s, "more than %d sets of parts", MAX_SETS);
		else {
			set[count] = (struct set){ from, count > 0 && from != set[0].from, stmt, 1 };
			count++;
		}
	}
	if (!s->failed && (count < 2 || !set[count - 1].operand))
		simt_fail(s, "two operands are measured and split");
	return count;
}

static const char *extents_text(struct simt *s, const struct tile_buffer *b, size_t count)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "1");
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, " * (unsigned long)%s", simt_int_text(s, b->dim[i]));
	const char *kept = arena_strdup(&s->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

static const char *elems_text(struct simt *s, const struct set *x)
{
	return extents_text(s, x->from, x->from->rank);
}

/* What the text stores in _class. */
static const char *least_class(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;

	for (size_t i = 0; i < k->stmt_count; i++)
		if (k->stmt[i].kind == TILE_STORE && !strcmp(s->program->buffer[k->stmt[i].target].name, "_class"))
			return simt_int_text(s, k->stmt[i].value);
	return "0";
}

static void print_sample(struct simt *s, const struct set *set)
{
	simt_line(s, "km_sample<%d>(b_%s, %s, b_%s, %s, b__scale);", SAMPLE_THREADS, set[0].from->name, elems_text(s, &set[0]), set[1].from->name, elems_text(s, &set[1]));
}

/* Class 3: not known yet, and not 0. */
static void print_found(struct simt *s, const struct set *set)
{
	simt_line(s, "const bool km_fits = %s == 0 && km_found<%d>((const int *)b__found, *b__blocks * %d, %s, %s);", least_class(s), THREADS, MICRO_FOUND_ROWS,
		  elems_text(s, &set[0]), elems_text(s, &set[1]));
	simt_line(s, "if (KM_BID == 0 && KM_TID == 0) *b__class = km_fits ? 0 : 3;");
	simt_line(s, "if (km_fits) return;");
}

static void print_measure(struct simt *s, const struct set *set)
{
	if (tile_knob_int(s->kernel, "FOUND", 0))
		print_found(s, set);
	for (int o = 0; o < 2; o++)
		simt_line(s, "km_magnitudes km_m%d; km_m%d.add<%d>(b_%s, %s);", o, o, THREADS, set[o].from->name, elems_text(s, &set[o]));
	simt_line(s, "km_measured<%d>((int *)b__range, km_m0, km_m1);", THREADS);
}

static void print_set(struct simt *s, const struct set *x)
{
	enum dtype dtype = part_dtype(s, x->first);
	bool is_f16 = dtype == DTYPE_f16;
	const struct tile_buffer *b = x->from;

	simt_open(s, "if (km_class == %d)", !is_f16);
	simt_line(s, "typedef km_parts_%s km_parts; km_parts::part *km_to[] = {", dtype == DTYPE_f32 ? "tf32" : dtype_name(dtype));
	for (size_t i = 0; i < x->count; i++)
		simt_line(s, "\tb_%s,", s->program->buffer[x->first[i].target].name);
	simt_line(s, "};");
	simt_line(s, "km_split<km_parts, %d>(b_%s, (unsigned)(%s), (unsigned)%s, %s, km_to);", THREADS, b->name, extents_text(s, b, b->rank - 1),
		  simt_int_text(s, b->dim[b->rank - 1]), is_f16 ? arena_printf(&s->arena, "km_scale[%d]", x->operand) : "1.0f");
	simt_close(s, 1);
}

static void print_parts(struct simt *s, const struct set *set, int count)
{
	bool has_f16 = false;

	for (int i = 0; i < count; i++)
		has_f16 |= part_dtype(s, set[i].first) == DTYPE_f16;
	simt_line(s, "float km_scale[3];");
	simt_line(s, "const int km_class = km_judge<%d>((const int *)b__range, %s, %s, %s, %s, km_scale);", THREADS, elems_text(s, &set[0]), elems_text(s, &set[count - 1]),
		  has_f16 ? "true" : "false", least_class(s));
	simt_line(s, "if (KM_BID == 0 && KM_TID == 0) { *b__class = km_class; KM_UNROLL for (int i = 0; i < 3; i++) b__scale[i] = km_scale[i]; }");
	/* The operand measured last is still in the second-level cache. */
	for (int i = count; i-- > 0;)
		print_set(s, &set[i]);
}

static void print(struct simt *s, const char *symbol)
{
	struct set set[MAX_SETS];
	int count = find_sets(s, set);

	if (s->failed)
		return;
	const char *what = tile_knob(s->kernel, "SPLIT", "");
	bool is_sample = !strcmp(what, "sample");
	s->launch->threads = is_sample ? SAMPLE_THREADS : THREADS;
	s->launch->resident = is_sample ? 1 : RESIDENT;
	simt_head(s, symbol, arena_printf(&s->arena, "KM_KERNEL_FILL(%d, %d)", s->launch->threads, s->launch->resident), "");
	if (is_sample)
		print_sample(s, set);
	else if (!strcmp(what, "measure"))
		print_measure(s, set);
	else
		print_parts(s, set, count);
	strbuf_addstr(s->out, "}\n");
}

/* ---- vocabulary ------------------------------------------------------ */

/* Magnitudes are compared as the bits of their numbers: NaN is above infinity, and one less than zero's above all. */
static const char words[] =
	"/* Numbers of f32 in parts */\n"
	"#define KM_KERNEL_FILL(n, blocks) extern \"C\" __attribute__((global)) __attribute__((launch_bounds(n, blocks))) void\n"
	"typedef unsigned km_u32x4 __attribute__((ext_vector_type(4)));\n"
	"KM_D unsigned km_top(unsigned a, unsigned b) { return a > b ? a : b; }\n"
	"KM_D unsigned km_warp_top(unsigned x) { unsigned y; asm volatile(\"redux.sync.max.u32 %0, %1, -1;\" : \"=r\"(y) : \"r\"(x)); return y; }\n"
	"KM_D unsigned km_warp_sum(unsigned x) { unsigned y; asm volatile(\"redux.sync.add.u32 %0, %1, -1;\" : \"=r\"(y) : \"r\"(x)); return y; }\n"
	"struct km_magnitudes {\n"
	" unsigned most = 0, least = -1u;\n" /* least: of what is not zero, less one */
	" bool has_zero = false;\n"
	" KM_D void one(unsigned bits) { unsigned u = bits & 0x7fffffff; most = km_top(most, u); least = u - 1 < least ? u - 1 : least; has_zero |= u == 0; }\n"
	" KM_D void four(km_u32x4 v) { one(v[0]); one(v[1]); one(v[2]); one(v[3]); }\n"
	" template <int Threads> KM_D void add(const float *p, unsigned long n) {\n"
	"  const unsigned long step = (unsigned long)KM_BLOCKS * Threads; unsigned long i = (unsigned long)KM_BID * Threads + KM_TID, whole = (unsigned long)p % 16 ? 0 : n / 4;\n"
	"  const km_u32x4 *v = (const km_u32x4 *)p; const unsigned *w = (const unsigned *)p;\n"
	"  for (; i + 3 * step < whole; i += 4 * step) {\n"
	"   km_u32x4 a = v[i], b = v[i + step], c = v[i + 2 * step], d = v[i + 3 * step]; four(a); four(b); four(c); four(d); }\n"
	"  for (; i < whole; i += step) four(v[i]);\n"
	"  for (i = whole * 4 + (unsigned long)KM_BID * Threads + KM_TID; i < n; i += step) one(w[i]); } };\n"
	/* A row of findings: greatest, has a zero, the least of each warp; of A, then of B. */
	"template <int Threads> KM_D void km_measured(int *range, const km_magnitudes &a, const km_magnitudes &b) {\n"
	" constexpr int warps = Threads / KM_WARP, words = 2 * (2 + warps); const int warp = KM_TID / KM_WARP;\n"
	" static __attribute__((shared)) unsigned most[2][warps], zero[2][warps], least[2][warps];\n"
	" KM_UNROLL for (int o = 0; o < 2; o++) { const km_magnitudes &m = o ? b : a;\n"
	"  unsigned x = km_warp_top(m.most), y = km_warp_top(m.has_zero), z = ~km_warp_top(~m.least);\n"
	"  if (KM_TID % KM_WARP == 0) { most[o][warp] = x; zero[o][warp] = y; least[o][warp] = z; } }\n"
	" km_barrier();\n"
	" if (KM_TID < 2) { unsigned x = 0, y = 0; for (int w = 0; w < warps; w++) { x = km_top(x, most[KM_TID][w]); y |= zero[KM_TID][w]; }\n"
	"  range[KM_BID * words + KM_TID * (words / 2)] = (int)x; range[KM_BID * words + KM_TID * (words / 2) + 1] = (int)y; }\n"
	" if (KM_TID < 2 * warps) range[KM_BID * words + KM_TID / warps * (words / 2) + 2 + KM_TID % warps] = (int)least[KM_TID / warps][KM_TID % warps]; }\n"
	"template <int Threads, class Op> KM_D unsigned km_of_block(unsigned x, Op op) {\n"
	" static __attribute__((shared)) unsigned part[Threads / KM_WARP];\n"
	" x = op(x); km_barrier(); if (KM_TID % KM_WARP == 0) part[KM_TID / KM_WARP] = x; km_barrier();\n"
	" return op(KM_TID % KM_WARP < Threads / KM_WARP ? part[KM_TID % KM_WARP] : 0u); }\n"
	/* The power of two that brings the greatest to 2^14..2^15, as far as f32 has it. */
	"KM_D int km_exponent(unsigned most) { int e = (int)(most >> 23) - 127; return most ? e : 0; }\n"
	"KM_D float km_two_to(int e) { return __builtin_bit_cast(float, (unsigned)(e + 127) << 23); }\n"
	"template <int Threads> KM_D int km_judge(const int *range, unsigned long elems_a, unsigned long elems_b, bool has_f16, int least, float (&scale)[3]) {\n"
	" constexpr int warps = Threads / KM_WARP, words = 2 * (2 + warps); const unsigned blocks = KM_BLOCKS;\n"
	" unsigned most[2] = {0, 0}, zero[2] = {0, 0};\n"
	" KM_UNROLL for (int o = 0; o < 2; o++) {\n"
	"  for (unsigned b = KM_TID; b < blocks; b += Threads) { const int *r = range + b * words + o * (words / 2); most[o] = km_top(most[o], (unsigned)r[0]); zero[o] |= (unsigned)r[1]; }\n"
	"  most[o] = km_of_block<Threads>(most[o], km_warp_top); zero[o] = km_of_block<Threads>(zero[o], km_warp_top); }\n"
	" const int e[2] = {km_exponent(most[0]), km_exponent(most[1])};\n"
	" bool fits = has_f16;\n"
	" KM_UNROLL for (int o = 0; o < 2; o++) {\n"
	"  const unsigned tiny = e[o] > 29 - 127 ? (unsigned)(e[o] - 29 + 127) << 23 : 1; unsigned count = 0;\n"
	"  for (unsigned i = KM_TID; i < blocks * warps; i += Threads) count += (unsigned)range[i / warps * words + o * (words / 2) + 2 + i % warps] < tiny - 1;\n"
	"  count = km_of_block<Threads>(count, km_warp_sum);\n"
	"  fits &= count <= (zero[o] ? 0 : (o ? elems_b : elems_a) >> 22) && e[o] > -60 && e[o] < 60; }\n"
	" scale[0] = km_two_to(14 - (fits ? e[0] : 14)); scale[1] = km_two_to(14 - (fits ? e[1] : 14)); scale[2] = fits ? km_two_to(e[0] - 14) * km_two_to(e[1] - 14) : 1.0f;\n"
	/* 2^20 products and more may be added up. */
	" const bool is_far = most[0] >= 0x7e800000 || most[1] >= 0x7e800000 || e[0] + e[1] > 100 || (most[0] && most[1] && e[0] + e[1] < -90);\n"
	" return is_far ? 2 : least > !fits ? least : !fits; }\n"
	/* 2^16 numbers of each, spread evenly; their greatest goes to 2^13..2^14, which leaves as much above again. */
	"template <int Threads> KM_D void km_sample(const float *a, unsigned long elems_a, const float *b, unsigned long elems_b, float *scale) {\n"
	" float back = 1.0f;\n"
	" KM_UNROLL for (int o = 0; o < 2; o++) { const km_u32x4 *v = (const km_u32x4 *)(o ? b : a); const unsigned long all = (o ? elems_b : elems_a) / 4; km_magnitudes m;\n"
	"  const unsigned long step = all / 16384 ? all / 16384 : 1;\n"
	"  KM_UNROLL for (int i = 0; i < 16384 / Threads; i++) { const unsigned long at = (KM_TID + (unsigned long)i * Threads) * step; if (at < all) m.four(v[at]); }\n"
	"  const int e = (int)km_least(km_most(km_exponent(km_of_block<Threads>(m.most, km_warp_top)), -60), 60);\n"
	"  if (KM_TID == 0) scale[o] = km_two_to(13 - e); back *= km_two_to(e - 13); }\n"
	" if (KM_TID == 0) scale[2] = back; }\n"
	/* Did all that a fused product met fit, but for a share of 2^-22 that was small, or zero? */
	"template <int Threads> KM_D bool km_found(const int *found, unsigned rows, unsigned long elems_a, unsigned long elems_b) {\n"
	" unsigned over = 0, small_a = 0, small_b = 0;\n"
	" for (unsigned r = KM_TID; r < rows; r += Threads) { const int *f = found + r * 4; over |= f[0] >= 0x7c00 || f[2] >= 0x7c00; small_a += f[1] < 0x200; small_b += f[3] < 0x200; }\n"
	" over = km_of_block<Threads>(over, km_warp_top); small_a = km_of_block<Threads>(small_a, km_warp_sum); small_b = km_of_block<Threads>(small_b, km_warp_sum);\n"
	" return !over && small_a <= elems_a >> 22 && small_b <= elems_b >> 22; }\n"
	/* Parts of a number: all but the last to nearest, of what the ones before left. */
	"struct km_parts_f16 { typedef km_f16 part; static KM_D void of(float x, part *p, int) {\n"
	" p[0] = (km_f16)x; p[1] = (km_f16)((x - (float)p[0]) * 4096.0f); } };\n"
	"struct km_parts_bf16 { typedef km_bf16 part; static KM_D void of(float x, part *p, int n) {\n"
	" KM_UNROLL for (int i = 0; i < n; i++) { asm(\"cvt.rn.bf16.f32 %0, %1;\" : \"=h\"(p[i]) : \"f\"(x)); x -= km_value(p[i]); } } };\n"
	"struct km_parts_tf32 { typedef float part; static KM_D void of(float x, part *p, int n) {\n"
	" KM_UNROLL for (int i = 0; i < n; i++) { unsigned u; asm(\"cvt.rna.tf32.f32 %0, %1;\" : \"=r\"(u) : \"f\"(x)); p[i] = __builtin_bit_cast(float, u); x -= p[i]; } } };\n"
	/* Rows of the parts are whole chunks of 8, zero behind the columns; the last rows first: they are still in the cache. */
	"template <class Parts, int Threads, int N, class T> KM_D void km_split(const float *from, unsigned rows, unsigned columns, float scale, T *const (&to)[N]) {\n"
	" const unsigned chunks = (columns + 7) / 8, all = rows * chunks;\n"
	" for (unsigned q = KM_BID * Threads + KM_TID; q < all; q += KM_BLOCKS * Threads) {\n"
	"  const unsigned at = all - 1 - q, row = at / chunks, column = (at - row * chunks) * 8; float x[8]; T part[N][8];\n"
	"  km_load<8>(x, from + (unsigned long)row * columns + column, (int)km_least(columns - column, 8), 0.0f);\n"
	"  KM_UNROLL for (int v = 0; v < 8; v++) { T p[N]; Parts::of(x[v] * scale, p, N); KM_UNROLL for (int i = 0; i < N; i++) part[i][v] = p[i]; }\n"
	"  KM_UNROLL for (int i = 0; i < N; i++) { typedef T whole __attribute__((ext_vector_type(8))); typedef whole some __attribute__((aligned(16)));\n"
	"   whole w; KM_UNROLL for (int v = 0; v < 8; v++) w[v] = part[i][v]; *(some *)(to[i] + (unsigned long)at * 8) = w; } } }\n";

static void prologue(const struct target *target, struct strbuf *out)
{
	if (target->isa & ISA_BIT(wgmma))
		strbuf_addstr(out, words);
}

const struct micro_kernel micro_split = {
	.name = "split",
	.drives = drives,
	.print = print,
	.prologue = prologue,
};
