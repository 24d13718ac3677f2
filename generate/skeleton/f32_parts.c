/*
 * f32_parts: products of f32 numbers by matrix instructions of fewer bits, at the accuracy of
 * f32: each number is a sum of parts, and the products of parts that matter are added up
 * (micro-kernels split and wgmma_tma).  RECIPE
 *   fp16x3   two parts of f16, scaled, 3 products; where the operands' range does not allow
 *            it, as measured on the device, the plan goes on as bf16x6
 *   bf16x6   three parts of bf16, 6 products: the exponents of f32
 *   tf32x3   two parts of tf32, 3 products, of operands that lie along the depth
 * and for numbers that no parts hold, infinities among them, a product in f32.  FUSED: f16
 * parts are made where they are multiplied, scaled by a guess from a sample, for operands that
 * few blocks read: few outputs, a deep sum.  Where the numbers met did not fit, the plan
 * starts again, as bf16x6.  Which kernels of the plan work they read from the device's
 * memory: the host does not wait.
 *
 *   Ootomo, Yokota: "Recovering single precision accuracy from Tensor Cores while surpassing
 *   the FP32 theoretical peak performance" (2022): parts, and sums outside the tensor core.
 *
 * A short sum shows what the recipes lose: two parts are 22 bits, the tensor core cuts off; a
 * long one in f32 loses more, later where few outputs let a library sum in many pieces.
 * So fp16x3 wants LEAST_F16_DEPTH, and LARGE outputs or a DEEP sum, else it goes on as bf16x6,
 * tf32x3 in f32; and all recipes in f32 below LEAST_DEPTH.  A library sums few outputs in pieces, and so does
 * this: none is deeper than MOST_PIECE.  Measured on an H200 (tests/gpu/f32.py): with these no
 * largest error was above that of cuBLAS and a unit in the largest value's last place.
 */
#include "generate/contraction.h"
#include "generate/micro.h"
#include "generate/simt.h"

#include <string.h>

enum { LEAST_DEPTH = 1024, LEAST_F16_DEPTH = 2048, MOST_PIECE = 4096, DEEP = 16384, LARGE = 1 << 20, ROW_MULTIPLE = 8, MAX_PRODUCTS = 5 };

struct recipe {
	const char *name, *dtype, *instr;
	int parts, depth;                  /* of a block: a swizzled row */
	int small[MAX_PRODUCTS][2];        /* products beside that of the first parts: of A's part, of B's */
	int small_count;
	const char *small_factor;          /* of theirs; NULL: 1 */
};
static const struct recipe fp16x3 = { "fp16x3", "f16", "wgmma_f32_64x%lldx16_f16", 2, 64, { { 0, 1 }, { 1, 0 } }, 2, "0.000244140625" };
static const struct recipe bf16x6 = { "bf16x6", "bf16", "wgmma_f32_64x%lldx16_bf16", 3, 64, { { 0, 2 }, { 2, 0 }, { 1, 1 }, { 0, 1 }, { 1, 0 } }, 5, NULL };
static const struct recipe tf32x3 = { "tf32x3", "f32", "wgmma_f32_64x%lldx8_tf32", 2, 32, { { 0, 1 }, { 1, 0 } }, 2, NULL };
static const struct recipe *const recipes[] = { &fp16x3, &bf16x6, &tf32x3 };

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	if (problem->dtype != DTYPE_f32) {
		strbuf_addf(why_not, "f32_parts: parts of f32, not of %s", dtype_name(problem->dtype));
		return NULL;
	}
	const struct match *m = contraction_match(arena, problem, normal, why_not);
	if (m && extent_value(problem, m->depth.hi) < LEAST_DEPTH) {
		strbuf_addf(why_not, "f32_parts: a depth of less than %d", LEAST_DEPTH);
		return NULL;
	}
	return m;
}

static bool is_depth_last(const struct match *m, const struct expr *access)
{
	return !strcmp(access->arg[access->arg_count - 1]->name, m->depth.name);
}

/* Whole blocks of a fused product: zeros around an operand would count as numbers that do not fit. */
static bool is_whole(const struct match *m, const struct problem *problem)
{
	return extent_value(problem, m->row.hi) % 128 == 0 && extent_value(problem, m->column.hi) % 128 == 0 && extent_value(problem, m->depth.hi) % fp16x3.depth == 0;
}

/* Is the depth in so many pieces what a library's sum is as exact as?  Of matrices side by side it makes no pieces. */
static bool is_shallow(const struct match *m, const struct problem *problem, int64_t pieces)
{
	return m->has_batch || extent_value(problem, m->row.hi) * extent_value(problem, m->column.hi) >= LARGE ||
	       extent_value(problem, m->depth.hi) <= pieces * MOST_PIECE;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	static const int pieces[] = { 1, 2, 4, 8, 16, 33, 66 };
	const char *name[ARRAY_SIZE(recipes) + 1] = { NULL };
	int split[ARRAY_SIZE(pieces) + 1];
	size_t names = 0, splits = 0;

	(void)target;
	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++)
		if (recipes[i] != &tf32x3 || (is_depth_last(m, m->a) && is_depth_last(m, m->b)))
			name[names++] = recipes[i]->name;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		if (is_shallow(m, problem, pieces[i]) && (pieces[i] == 1 || (!m->has_batch && extent_value(problem, m->depth.hi) / pieces[i] >= LEAST_DEPTH)))
			split[splits++] = pieces[i];
	if (!splits)
		split[splits++] = pieces[ARRAY_SIZE(pieces) - 1];
	split[splits] = -1;
	add_choice(arena, space, "RECIPE", name);
	add_knob(arena, space, "BN", (const int[]){ 64, 128, -1 });
	add_knob(arena, space, "GROUPS", (const int[]){ 1, 2, -1 });
	add_knob(arena, space, "PIPE", (const int[]){ 2, 3, 4, 6, -1 });
	add_knob(arena, space, "WALK", (const int[]){ 1, 4, 8, 16, 32, -1 });
	/* The depth in so many pieces, each summed by other blocks. */
	add_knob(arena, space, "SPLITK", split);
	add_knob(arena, space, "FUSED", is_whole(m, problem) ? (const int[]){ 0, 1, -1 } : (const int[]){ 0, -1 });
}

struct writer {
	struct arena *arena;
	const struct match *match;
	struct contraction_shape shape;
	struct strbuf *text;
	long long bn, groups, walk, split;
	bool is_fused;
	int otherwise; /* class of sums that two parts are too few for */
};

static const struct expr *operand(const struct match *m, int o)
{
	return o ? m->b : m->a;
}

/* The part of an operand in a recipe: its buffer. */
static const char *part_name(struct writer *w, const struct recipe *r, int o, int part)
{
	return arena_printf(w->arena, "_%c%d_%s", "ab"[o], part, r->dtype);
}

/* Extent of the operand's index d, by the range it runs over. */
static const char *extent(struct writer *w, int o, size_t d)
{
	const struct match *m = w->match;
	const char *name = operand(m, o)->arg[d]->name;
	const struct expr_range *range[] = { &m->row, &m->column, &m->depth, &m->batch };

	for (size_t i = 0; i < ARRAY_SIZE(range); i++)
		if (range[i]->name && !strcmp(range[i]->name, name))
			return expr_text(w->arena, range[i]->hi, NULL);
	return "0";
}

/* Rows of the operand as it lies: all extents but the last. */
static const char *rows(struct writer *w, int o)
{
	const char *text = "1";

	for (size_t d = 0; d + 1 < operand(w->match, o)->arg_count; d++)
		text = d ? arena_printf(w->arena, "(%s)*(%s)", text, extent(w, o, d)) : extent(w, o, d);
	return text;
}

/* The operand's row p0, or that of one of its parts, at index `last` along the row. */
static const char *in_row(struct writer *w, const char *name, int o, const char *last)
{
	struct strbuf at = STRBUF_INIT;
	size_t rank = operand(w->match, o)->arg_count;

	if (rank == 2)
		strbuf_addf(&at, "%s[p0, %s]", name, last);
	else
		strbuf_addf(&at, "%s[p0//(%s), p0%%(%s), %s]", name, extent(w, o, 1), extent(w, o, 1), last);
	const char *kept = arena_strdup(w->arena, at.buf);
	strbuf_release(&at);
	return kept;
}

static void write_buffers(struct writer *w, const struct recipe *r)
{
	for (int o = 0; o < 2; o++)
		for (int part = 0; part < r->parts; part++) {
			size_t rank = operand(w->match, o)->arg_count;
			strbuf_addf(w->text, "buffer %s %s [", part_name(w, r, o, part), r->dtype);
			for (size_t d = 0; d + 1 < rank; d++)
				strbuf_addf(w->text, "%s, ", extent(w, o, d));
			strbuf_addf(w->text, "rup(%s, %d)] tmp\n", extent(w, o, rank - 1), ROW_MULTIPLE);
		}
}

static void write_head_of_rows(struct writer *w, const char *name, const char *grid)
{
	strbuf_addf(w->text, "kernel %s grid [%s] threads 32\n  index", name, grid);
	/* The whole row; nothing behind the operand's last. */
	for (int o = 0; o < 2; o++) {
		const char *length = arena_printf(w->arena, "rup(%s, %d)", extent(w, o, operand(w->match, o)->arg_count - 1), ROW_MULTIPLE);
		strbuf_addf(w->text, " %c<1073741824 of minimum(%s, maximum(0, %s-p0)*%s)", "ij"[o], length, rows(w, o), length);
	}
	strbuf_addch(w->text, '\n');
}

static const char *all_rows(struct writer *w)
{
	return arena_printf(w->arena, "maximum(%s, %s)", rows(w, 0), rows(w, 1));
}

/* What is known before anything is measured. */
static void write_class(struct writer *w)
{
	const struct contraction_shape *s = &w->shape;

	strbuf_addf(w->text, "  _class[0] = %s < %d ? 2 : %s < %d ? %d : %s < %d ? (%s * %s < %d ? %d : 0) : 0\n", s->depth, LEAST_DEPTH, s->depth, LEAST_F16_DEPTH, w->otherwise,
		    s->depth, DEEP, s->rows, s->columns, LARGE, w->otherwise);
}

static void write_scales(struct writer *w)
{
	for (int i = 0; i < 3; i++)
		strbuf_addf(w->text, "  _scale[%d] = 1\n", i);
}

static void write_measure(struct writer *w, const char *knobs)
{
	strbuf_addf(w->text, "  knob %s\n", knobs);
	for (int o = 0; o < 2; o++) {
		const char *index = o ? "j" : "i";
		strbuf_addf(w->text, "  _range[p0, %d] = max(%s) abs(%s)\n", o, index, in_row(w, operand(w->match, o)->name, o, index));
	}
}

/* Each part is what the ones before left. */
static void write_parts(struct writer *w, const struct recipe *r)
{
	for (int o = 0; o < 2; o++) {
		const char *index = o ? "j" : "i", *rest = in_row(w, operand(w->match, o)->name, o, index);
		if (!strcmp(r->dtype, "f16"))
			rest = arena_printf(w->arena, "%s * _scale[%d]", rest, o);
		for (int part = 0; part < r->parts; part++) {
			const char *to = in_row(w, part_name(w, r, o, part), o, index);
			bool is_scaled = part && r->small_factor;
			strbuf_addf(w->text, "  %s = %s%s%s%s\n", to, is_scaled ? "(" : "", rest, is_scaled ? ") / " : "", is_scaled ? r->small_factor : "");
			rest = arena_printf(w->arena, "%s - %s", rest, to);
		}
	}
}

static void write_split(struct writer *w, const struct recipe *const *recipe, size_t count)
{
	write_head_of_rows(w, "split", all_rows(w));
	strbuf_addf(w->text, "  knob SPLIT=parts%s\n", w->is_fused ? " WHEN=14" : "");
	write_class(w);
	write_scales(w);
	for (size_t i = 0; i < count; i++)
		write_parts(w, recipe[i]);
}

/* The sum of all accumulators, the least first; to the output, or to its piece of the depth. */
static void write_result(struct writer *w, const struct recipe *r, const char *row, const char *column)
{
	bool is_scaled = !strcmp(r->dtype, "f16");

	strbuf_addf(w->text, "  _acc[i, j] = %s_acc[i, j] + (_block[i, j] + _small[i, j]%s%s)%s\n", is_scaled ? "(" : "", r->small_factor ? " * " : "",
		    r->small_factor ? r->small_factor : "", is_scaled ? ") * _scale[2]" : "");
	if (w->split > 1)
		strbuf_addf(w->text, "  _pieces[p0, %s, %s] = _acc[i, j]\n", row, column);
	else
		contraction_epilogue(w->arena, w->match, row, column, w->text);
}

/* The access's text for a part. */
static const char *part_at(struct writer *w, const struct recipe *r, int o, int part, const char *row, const char *column)
{
	struct expr access = *operand(w->match, o);

	access.name = part_name(w, r, o, part);
	return contraction_at(w->arena, w->match, &access, row, column, "k0+k");
}

/* Copies of the operands' parts, or of the operands and their parts made here. */
static void write_stages(struct writer *w, const struct recipe *r, bool is_fused, const char *row, const char *column)
{
	static const char *const tile[2] = { "i, k", "k, j" };

	for (int o = 0; o < 2; o++)
		for (int part = 0; part < (is_fused ? 1 : r->parts); part++)
			if (is_fused)
				strbuf_addf(w->text, "    _f%c[%s] <- %s\n", "ab"[o], tile[o], contraction_at(w->arena, w->match, operand(w->match, o), row, column, "k0+k"));
			else
				strbuf_addf(w->text, "    _%c%d[%s] <- %s\n", "ab"[o], part, tile[o], part_at(w, r, o, part, row, column));
	for (int o = 0; o < 2 && is_fused; o++)
		strbuf_addf(w->text, "    _%c0[%s] = _f%c[%s] * _scale[%d]\n    _%c1[%s] = (_f%c[%s] * _scale[%d] - _%c0[%s]) / %s\n", "ab"[o], tile[o], "ab"[o], tile[o], o,
			    "ab"[o], tile[o], "ab"[o], tile[o], o, "ab"[o], tile[o], r->small_factor);
}

static const char *digits(struct writer *w, int o, enum dtype dtype)
{
	const char *index = o ? "j" : "i";

	return is_depth_last(w->match, operand(w->match, o)) ? simt_swizzled(w->arena, dtype, "k", index) : simt_swizzled(w->arena, dtype, index, "k");
}

static void write_contract(struct writer *w, const struct recipe *r, int when, long long pipe)
{
	struct arena *arena = w->arena;
	const struct contraction_shape *s = &w->shape;
	const char *const tile[2] = { "i, k", "k, j" };
	bool is_fused = w->is_fused && r->small_factor;
	enum dtype dtype = DTYPE_f32;
	long long bm = w->groups * 64;
	int p = w->split > 1 ? 1 : s->p;
	const char *row = arena_printf(arena, "p%d*%lld+i", p, bm), *column = arena_printf(arena, "p%d*%lld+j", p + 1, w->bn), *lo = "0", *hi = s->depth;

	dtype_find(r->dtype, &dtype);
	if (w->split > 1) {
		const char *piece = arena_printf(arena, "rup(cdiv(%s, %lld), %d)", s->depth, w->split, r->depth);
		lo = arena_printf(arena, "p0*%s", piece);
		hi = arena_printf(arena, "minimum(%s, p0*%s+%s)", s->depth, piece, piece);
	}
	strbuf_addf(w->text, "kernel %s grid [%scdiv(%s, %lld), cdiv(%s, %lld)] threads %lld\n", r->name, w->split > 1 ? arena_printf(arena, "%lld, ", w->split) : s->batch_grid,
		    s->rows, bm, s->columns, w->bn, w->groups * 128);
	strbuf_addf(w->text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%d of %s-k0\n", bm, s->rows, p, bm, w->bn, s->columns, p + 1, w->bn, r->depth, s->depth);
	strbuf_addf(w->text, "  knob INSTR=%s WM=64 WN=%lld WALK=%lld TURN=0%s\n  tile _acc f32 [i, j] @acc\n  tile _small f32 [i, j] @acc\n  tile _block f32 [i, j] @acc\n",
		    arena_printf(arena, r->instr, w->bn), w->bn, w->walk,
		    is_fused ? "" : arena_printf(arena, " WHEN=%d", when));
	for (int o = 0; o < 2; o++) {
		if (is_fused)
			strbuf_addf(w->text, "  tile _f%c f32 [%s] @shared : %s\n", "ab"[o], tile[o], digits(w, o, DTYPE_f32));
		for (int part = 0; part < r->parts; part++)
			strbuf_addf(w->text, "  tile _%c%d %s [%s] @shared : %s\n", "ab"[o], part, r->dtype, tile[o], digits(w, o, dtype));
	}
	strbuf_addf(w->text, "  _acc[i, j] = 0\n  _small[i, j] = 0\n  _block[i, j] = 0\n  for k0 in %s..%s step %d pipe %lld\n", lo, hi, r->depth, pipe);
	write_stages(w, r, is_fused, row, column);
	for (int i = 0; i < r->small_count; i++)
		strbuf_addf(w->text, "    _small[i, j] += mma(k) _a%d[i, k] * _b%d[k, j]\n", r->small[i][0], r->small[i][1]);
	strbuf_addstr(w->text, "    _block[i, j] += mma(k) _a0[i, k] * _b0[k, j]\n    _acc[i, j] = _acc[i, j] + _block[i, j]\n    _block[i, j] = 0\n  end\n");
	write_result(w, r, row, column);
}

/* The pieces of the depth added up, for outputs that are few. */
static void write_total(struct writer *w, int when)
{
	const struct contraction_shape *s = &w->shape;

	strbuf_addf(w->text, "kernel total grid [%s, cdiv(%s, 256)] threads 64\n  index i<1 of %s-p0 j<256 of %s-p1*256\n  knob WHEN=%d\n  tile _acc f32 [i, j] @reg\n", s->rows,
		    s->columns, s->rows, s->columns, when);
	strbuf_addf(w->text, "  _acc[i, j] = 0\n  for s0 in 0..%lld step 1\n    _acc[i, j] = _acc[i, j] + _pieces[s0, p0+i, p1*256+j]\n  end\n", w->split);
	contraction_epilogue(w->arena, w->match, "p0+i", "p1*256+j", w->text);
}

static const struct recipe *find_recipe(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++)
		if (!strcmp(recipes[i]->name, name))
			return recipes[i];
	return NULL;
}

/* How long the operand's rows are, as it lies. */
static const struct expr *last_extent(const struct match *m, const struct expr *access)
{
	const char *last = access->arg[access->arg_count - 1]->name;

	return !strcmp(last, m->depth.name) ? m->depth.hi : !strcmp(last, m->row.name) ? m->row.hi : m->column.hi;
}

static bool is_legal(const struct writer *w, const struct recipe *r, int64_t pipe, struct strbuf *why_not)
{
	if (w->is_fused && (r != &fp16x3 || w->bn != 128 || w->groups != 2 || pipe != 2))
		strbuf_addstr(why_not, "f32_parts: fused are fp16x3 products of 128 by 128, two slots");
	return !why_not->len;
}

/* What a fused product wants and finds, and the sample in front of it. */
static void write_fused_head(struct writer *w)
{
	const struct contraction_shape *s = &w->shape;
	const char *batches = w->match->has_batch ? s->batches : arena_printf(w->arena, "%lld", w->split);

	for (int o = 0; o < 2; o++)
		strbuf_addf(w->text, "require (%s) %% 4 == 0\n", expr_text(w->arena, last_extent(w->match, operand(w->match, o)), NULL));
	strbuf_addf(w->text, "buffer _found f32 [%d*%s*cdiv(%s, 128)*cdiv(%s, 128), %d] tmp\nbuffer _blocks i32 [1] tmp\n", MICRO_FOUND_ROWS, batches, s->rows, s->columns,
		    MICRO_FOUND_WORDS);
	write_head_of_rows(w, "sample", "1");
	write_measure(w, "SPLIT=sample");
	write_scales(w);
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const struct recipe *recipe[2] = { find_recipe(point_word(space, point, "RECIPE")), &bf16x6 };
	struct writer w = { arena, m, contraction_shape(arena, m), text, point_int(space, point, "BN"), point_int(space, point, "GROUPS"), point_int(space, point, "WALK"),
			    point_int(space, point, "SPLITK"), point_int(space, point, "FUSED"), recipe[0] == &tf32x3 ? 2 : 1 };
	size_t count = recipe[0] == &fp16x3 ? 2 : 1, stored = w.is_fused ? 1 : 0;
	int64_t pipe = point_int(space, point, "PIPE");
	const struct contraction_blocks strict = { NULL, 128, 128, 16, 8, 8, 2, 1, true, true };

	(void)target;
	if (!is_legal(&w, recipe[0], pipe, why_not))
		return 0;
	write_head(arena, problem, text);
	if (!m->has_batch)
		strbuf_addf(text, "require %s <= %lld || %s * %s >= %d\n", w.shape.depth, w.split * MOST_PIECE, w.shape.rows, w.shape.columns, LARGE);
	strbuf_addf(text, "buffer _range f32 [maximum(%s, %s), %d] tmp\nbuffer _class i32 [1] tmp\nbuffer _scale f32 [3] tmp\n", rows(&w, 0), rows(&w, 1), MICRO_RANGE_WORDS);
	for (size_t i = stored; i < count; i++)
		write_buffers(&w, recipe[i]);
	if (w.split > 1)
		strbuf_addf(text, "buffer _pieces f32 [%lld, %s, %s] tmp\n", w.split, w.shape.rows, w.shape.columns);
	if (w.is_fused) {
		write_fused_head(&w);
		write_contract(&w, &fp16x3, 1 << 0, pipe);
	}
	write_head_of_rows(&w, "measure", all_rows(&w));
	write_measure(&w, w.is_fused ? "SPLIT=measure FOUND=1" : "SPLIT=measure");
	if (w.is_fused)
		write_class(&w);
	write_split(&w, recipe + stored, count - stored);
	if (count > 1 && !w.is_fused)
		write_contract(&w, &fp16x3, 1 << 0, pipe);
	/* Behind another recipe, with a ring that fits its larger blocks. */
	write_contract(&w, recipe[count - 1], 1 << 1, count > 1 ? 2 : pipe);
	if (w.split > 1)
		write_total(&w, 1 << 0 | 1 << 1);
	contraction_write_blocks(arena, m, problem, &strict, "strict", arena_printf(arena, " WHEN=%d", 1 << 2), text);
	return 1;
}

const struct skeleton skeleton_f32_parts = {
	.name = "f32_parts",
	.summary = "f32 products at f32 accuracy by f16, bf16 or tf32 matrix instructions, in parts",
	.serves_simt = true,
	.isa = ISA_BIT(wgmma),
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
