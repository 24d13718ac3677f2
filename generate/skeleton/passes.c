/*
 * passes: reductions of rows too long for a block's registers, on devices of warps: losses, norms, softmax of long
 * rows, products of a matrix and a vector.  A pass reads its operands once, whatever it computes of them:
 *   parts   the rows are cut into parts of PART terms, a block each: partial results, and a kernel that puts them together
 *   whole   PART=0: a block a row; what is computed of the row's elements follows in the same kernel, which finds
 *           them in the cache
 * A reduction of what an earlier one centres is not another pass: for any number a of the row, and any c of the part,
 *   sum exp(e - a) = sum over parts of exp(c - a) * sum exp(e - c)                 c: the part's greatest e
 *   sum (e - a)^2  = sum over parts of (sum (e - c)^2 + n * (c - a)^2)             c: the mean of its n terms
 * (Chan, Golub, LeVeque 1979; online softmax: Milakov, Gimelshein 2018), which loses nothing beside the two passes.
 * Kernels of reductions are those of points (simt_points.h), with all threads at one row; maps are tiles.
 */
#include "generate/recognise.h"
#include "generate/tile.h"

#include <string.h>

enum { MAP_RANK = 3, MOST_TERMS_OF_COMBINER = 512, FEW_ROWS = 64, MOST_TERMS_OF_FEW = 1 << 17 };

struct match {
	struct normal_stmt *stmt; /* what is only a name for an element's value is put in where it is read */
	size_t count;
};

/* Statements that are one pass over their operands: [first, end), and the range of terms that lie side by side. */
struct pass {
	size_t first, end;
	const struct normal_stmt *lead; /* the first reduction */
	const struct expr_range *along;
};

static bool is_reduction(const struct normal_stmt *s)
{
	return s->value->kind == EXPR_REDUCE;
}

static bool same_indices(const struct normal_stmt *a, const struct normal_stmt *b)
{
	if (a->index_count != b->index_count)
		return false;
	for (size_t i = 0; i < a->index_count; i++)
		if (strcmp(a->index[i].name, b->index[i].name) || !expr_equal(a->index[i].hi, b->index[i].hi))
			return false;
	return true;
}

static bool same_ranges(const struct expr *a, const struct expr *b)
{
	if (a->range_count != b->range_count)
		return false;
	for (size_t i = 0; i < a->range_count; i++)
		if (!expr_equal(a->range[i].hi, b->range[i].hi))
			return false;
	return true;
}

/* ---- what is served -------------------------------------------------- */

/* An access of the row's elements, inside e: with all row indices, and a range of the reduction for its last. */
static const struct expr *element(const struct normal_stmt *s, const struct expr *reduction, const struct expr *e)
{
	const struct expr *found = NULL, *last = e->kind == EXPR_ACCESS && e->arg_count ? e->arg[e->arg_count - 1] : NULL;
	bool is = last && last->kind == EXPR_NAME && !e->otherwise;

	for (size_t i = 0; i < s->index_count && is; i++)
		is = expr_uses(e, s->index[i].name);
	for (size_t i = 0; i < reduction->range_count && is; i++)
		if (!strcmp(reduction->range[i].name, last->name))
			return e;
	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = element(s, reduction, e->arg[i]);
	return found;
}

static const struct expr_range *range_along(const struct normal_stmt *s)
{
	const struct expr *e = element(s, s->value, s->value->arg[0]);

	for (size_t i = 0; e && i < s->value->range_count; i++)
		if (!strcmp(s->value->range[i].name, e->arg[e->arg_count - 1]->name))
			return &s->value->range[i];
	return NULL;
}

static bool is_served(const struct normal_stmt *s, struct strbuf *why_not)
{
	const struct expr *e = s->value;
	bool is_plain = s->kind == KIND_REAL && !expr_uses(e, s->name);

	if (is_plain && is_reduction(s)) {
		is_plain = e->op <= OP_MIN && !e->filter;
		for (size_t i = 0; i < e->range_count && is_plain; i++)
			is_plain = range_is_static(&e->range[i], s->index, s->index_count);
	}
	if (!is_plain)
		strbuf_addf(why_not, "passes: '%s' is no plain reduction or map of reals", s->name);
	else if (is_reduction(s) && !range_along(s))
		strbuf_addf(why_not, "passes: the terms of '%s' do not lie side by side in memory", s->name);
	else
		return true;
	return false;
}

/* e with the statement's value in place of its name. */
static struct expr *put_in(struct arena *arena, const struct expr *e, const struct normal_stmt *s)
{
	const char *mapping[2 * OP_MAX_RANK + 1];
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);

	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = put_in(arena, e->arg[i], s);
	if ((e->kind != EXPR_ACCESS && e->kind != EXPR_NAME) || strcmp(e->name, s->name) || e->arg_count != s->index_count)
		return copy;
	for (size_t i = 0; i < s->index_count; i++) {
		mapping[2 * i] = s->index[i].name;
		mapping[2 * i + 1] = arena_printf(arena, "(%s)", expr_text(arena, copy->arg[i], NULL));
	}
	mapping[2 * s->index_count] = NULL;
	return (struct expr *)expr_mapped(arena, s->value, mapping);
}

/* Is it computed of a row's reductions, and no element's value by a name? */
static bool is_of_rows(const struct normal *normal, const struct normal_stmt *s)
{
	bool is = s->tensor >= 0 || is_reduction(s);

	for (size_t i = 0; i < normal->stmt_count && !is; i++)
		is = is_reduction(&normal->stmt[i]) && same_indices(&normal->stmt[i], s);
	return is;
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	struct match *m = ARENA_ARRAY(arena, struct match, 1);
	struct normal_stmt *all = ARENA_ARRAY(arena, struct normal_stmt, normal->stmt_count);
	bool reduces = false;

	(void)problem;
	m->stmt = ARENA_ARRAY(arena, struct normal_stmt, normal->stmt_count);
	for (size_t i = 0; i < normal->stmt_count; i++) {
		all[i] = normal->stmt[i];
		for (size_t k = 0; k < i; k++)
			if (!is_of_rows(normal, &all[k]))
				all[i].value = put_in(arena, all[i].value, &all[k]);
		if (!is_of_rows(normal, &all[i]))
			continue;
		if (!is_served(&all[i], why_not))
			return NULL;
		reduces |= is_reduction(&all[i]);
		m->stmt[m->count++] = all[i];
	}
	if (!reduces) {
		strbuf_addstr(why_not, "passes: nothing is reduced");
		return NULL;
	}
	return m;
}

/* ---- knobs ----------------------------------------------------------- */

static int64_t extent_of(const struct problem *problem, const struct expr_range *range)
{
	return extent_value(problem, range->hi);
}

static int64_t terms_of(const struct problem *problem, const struct normal_stmt *s)
{
	int64_t terms = 1;

	for (size_t i = 0; i < s->value->range_count; i++)
		terms *= extent_of(problem, &s->value->range[i]);
	return terms;
}

static int64_t points_of(const struct problem *problem, const struct normal_stmt *s)
{
	int64_t points = 1;

	for (size_t i = 0; i < s->index_count; i++)
		points *= extent_of(problem, &s->index[i]);
	return points;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	static const int part[] = { 8192, 4096, 16384, 32768, 2048, 64, 256 };
	int64_t terms = 0;
	int parts[ARRAY_SIZE(part) + 2], n = 0;
	bool maps = false;

	(void)target;
	for (size_t i = 0; i < m->count; i++) {
		if (!is_reduction(&m->stmt[i])) {
			bool is_of_row = false;
			for (size_t k = 0; k < i; k++)
				is_of_row |= is_reduction(&m->stmt[k]) && same_indices(&m->stmt[k], &m->stmt[i]);
			maps |= !is_of_row;
			continue;
		}
		terms = terms_of(problem, &m->stmt[i]) > terms ? terms_of(problem, &m->stmt[i]) : terms;
	}
	add_knob(arena, space, "LANES", (const int[]){ 256, 128, 512, 1024, -1 });
	/* Small parts are for rows that have no others. */
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		if (part[i] < terms && (part[i] >= 2048 || terms <= 8192))
			parts[n++] = part[i];
	parts[n++] = 0;
	parts[n] = -1;
	add_knob(arena, space, "PART", parts);
	start_knob(space, "LANES", terms <= 4096 ? "128" : "256");
	if (maps) {
		add_knob(arena, space, "BN", (const int[]){ 2048, 1024, 4096, 512, -1 });
		add_knob(arena, space, "THREADS", (const int[]){ 256, 128, 512, -1 });
	}
}

/* ---- lowering -------------------------------------------------------- */

enum rule { PLAIN, EXPONENTIAL, SQUARE, ANOTHER };

struct writer {
	struct arena *arena;
	const struct match *match;
	const struct problem *problem;
	struct strbuf *text;
	int64_t lanes, part, columns, threads;
	int kernels;
	struct pass pass;
	size_t here;              /* statements of the pass before this one are in the kernel's registers */
	const char *mapping[4 * OP_MAX_RANK + 3];
	size_t mapped;
};

static const struct normal_stmt *find_stmt(const struct match *m, const char *name, size_t *number)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->stmt[i].name, name)) {
			*number = i;
			return &m->stmt[i];
		}
	return NULL;
}

/* The statements' names as what holds them: registers of this kernel, or memory that an earlier one wrote. */
static struct expr *held(const struct writer *w, const struct expr *e)
{
	struct expr *copy = ARENA_ARRAY(w->arena, struct expr, 1);
	size_t number;

	*copy = *e;
	if ((e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) && find_stmt(w->match, e->name, &number)) {
		if (number >= w->pass.first && number < w->here)
			return expr_name(w->arena, arena_printf(w->arena, "%s_here", e->name));
		copy->name = arena_printf(w->arena, "%s_kept", e->name);
	}
	copy->arg = ARENA_ARRAY(w->arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = held(w, e->arg[i]);
	copy->otherwise = e->otherwise ? held(w, e->otherwise) : NULL;
	return copy;
}

static const char *held_text(const struct writer *w, const struct expr *e)
{
	return expr_text(w->arena, held(w, e), w->mapping);
}

static void map_name(struct writer *w, const char *name, const char *text)
{
	w->mapping[w->mapped++] = name;
	w->mapping[w->mapped++] = text;
	w->mapping[w->mapped] = NULL;
}

/* A reduction's term, its ranges by the names of the pass's first. */
static const struct expr *term_of(const struct writer *w, const struct normal_stmt *s)
{
	const struct expr *lead = w->pass.lead->value, *e = s->value->arg[0];

	for (size_t i = 0; i < lead->range_count; i++)
		e = expr_replace_name(w->arena, e, s->value->range[i].name, expr_name(w->arena, lead->range[i].name));
	return e;
}

static bool uses_pass(const struct match *m, size_t first, size_t end, const struct expr *e)
{
	bool uses = false;

	for (size_t i = first; i < end && !uses; i++)
		uses = expr_uses(e, m->stmt[i].name);
	return uses;
}

/* How a reduction is had of the parts, beside statements [first, number) of its pass; what is centred in *e, by what in *centre. */
static enum rule rule_of(const struct match *m, size_t first, size_t number, const struct expr **e, const struct expr **centre)
{
	const struct normal_stmt *s = &m->stmt[number];
	const struct expr *term = s->value->arg[0], *difference = term->arg_count ? term->arg[0] : NULL;

	if (!uses_pass(m, first, number, term))
		return PLAIN;
	if (s->value->op != OP_SUM || term->kind != EXPR_CALL || difference->kind != EXPR_BINARY || difference->op != OP_SUB)
		return ANOTHER;
	*e = difference->arg[0];
	*centre = difference->arg[1];
	bool is_row = !uses_pass(m, first, number, *e);
	for (size_t i = 0; i < s->value->range_count; i++)
		is_row &= !expr_uses(*centre, s->value->range[i].name);
	return !is_row ? ANOTHER : !strcmp(term->name, "exp") ? EXPONENTIAL : !strcmp(term->name, "sq") ? SQUARE : ANOTHER;
}

/* The pass that begins with statement `first`: rows whole, or in parts. */
static struct pass pass_at(const struct match *m, size_t first, bool in_parts)
{
	struct pass p = { first, first + 1, &m->stmt[first], NULL };
	const struct expr *e, *centre;

	if (!is_reduction(p.lead))
		return p;
	p.along = range_along(p.lead);
	for (; p.end < m->count; p.end++) {
		const struct normal_stmt *s = &m->stmt[p.end];
		if (!same_indices(s, p.lead))
			break;
		if (is_reduction(s) && (!same_ranges(s->value, p.lead->value) || (in_parts && rule_of(m, first, p.end, &e, &centre) == ANOTHER)))
			break;
	}
	return p;
}

/* Does a statement behind it read the statement? */
static bool uses_after(const struct match *m, size_t number)
{
	bool uses = false;

	for (size_t i = number + 1; i < m->count && !uses; i++)
		uses = expr_uses(m->stmt[i].value, m->stmt[number].name);
	return uses;
}

static bool is_kept(const struct writer *w, size_t number)
{
	for (size_t i = w->pass.end; i < w->match->count; i++)
		if (expr_uses(w->match->stmt[i].value, w->match->stmt[number].name))
			return true;
	return false;
}

static void write_extents(struct writer *w, const struct expr_range *range, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", expr_text(w->arena, range[i].hi, NULL));
}

/* "name[p0, p1]" of the pass's rows, and what is added behind them. */
static const char *row_place(struct writer *w, const char *name, const char *more)
{
	struct strbuf at = STRBUF_INIT;

	for (size_t i = 0; i < w->pass.lead->index_count; i++)
		strbuf_addf(&at, "%sp%zu", i ? ", " : "", i);
	strbuf_addf(&at, "%s%s", at.len && *more ? ", " : "", more);
	const char *place = at.len ? arena_printf(w->arena, "%s[%s]", name, at.buf) : arena_strdup(w->arena, name);
	strbuf_release(&at);
	return place;
}

static void write_buffer(struct writer *w, const struct normal_stmt *s, const char *what, const char *more)
{
	struct strbuf extents = STRBUF_INIT;

	write_extents(w, s->index, s->index_count, &extents);
	strbuf_addf(w->text, "buffer %s_%s %s [%s%s%s] tmp\n", s->name, what, tile_real(w->problem), extents.buf, extents.len && *more ? ", " : "", more);
	strbuf_release(&extents);
}

static void open_rows(struct writer *w, const char *name, const char *more, int64_t lanes, const char *across)
{
	struct strbuf grid = STRBUF_INIT;

	write_extents(w, w->pass.lead->index, w->pass.lead->index_count, &grid);
	strbuf_addf(&grid, "%s%s", grid.len && *more ? ", " : "", more);
	strbuf_addf(w->text, "kernel %s%zu grid [%s] threads %lld\n  knob LANES=%lld ACROSS=%s TU=8\n", name, w->pass.first, grid.len ? grid.buf : "1", (long long)lanes,
		    (long long)lanes, across);
	strbuf_release(&grid);
	w->mapped = 0;
	w->mapping[0] = NULL;
	for (size_t i = 0; i < w->pass.lead->index_count; i++)
		map_name(w, w->pass.lead->index[i].name, arena_printf(w->arena, "p%zu", i));
	w->here = w->pass.first;
	w->kernels++;
}

static void write_register(struct writer *w, const char *name, const char *what)
{
	strbuf_addf(w->text, "  tile %s_%s %s [] @reg\n", name, what, tile_real(w->problem));
}

/* Of each statement of the pass: registers. */
static void write_registers(struct writer *w)
{
	for (size_t i = w->pass.first; i < w->pass.end; i++)
		write_register(w, w->match->stmt[i].name, "here");
}

/* Stores of statement `number`, which the kernel holds. */
static void write_results(struct writer *w, size_t number)
{
	const struct normal_stmt *s = &w->match->stmt[number];

	if (is_kept(w, number))
		strbuf_addf(w->text, "  %s = %s_here\n", row_place(w, arena_printf(w->arena, "%s_kept", s->name), ""), s->name);
	if (s->tensor >= 0)
		strbuf_addf(w->text, "  %s = %s_here\n", row_place(w, s->name, ""), s->name);
	w->here = number + 1;
}

/* "(r<R, c<C)" of the pass's terms. */
static const char *terms_text(struct writer *w)
{
	const struct expr *lead = w->pass.lead->value;
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < lead->range_count; i++)
		strbuf_addf(&text, "%s%s<%s", i ? ", " : "", lead->range[i].name, expr_text(w->arena, lead->range[i].hi, NULL));
	const char *kept = arena_strdup(w->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* Is it a map of the elements of the pass's rows, with their column for its last index? */
static bool follows_rows(const struct writer *w, const struct normal_stmt *s)
{
	size_t rows = w->pass.lead->index_count;
	bool follows = !is_reduction(s) && w->pass.lead->value->range_count == 1 && s->index_count == rows + 1 && expr_equal(s->index[rows].hi, w->pass.along->hi);

	for (size_t i = 0; i < rows && follows; i++)
		follows = !strcmp(s->index[i].name, w->pass.lead->index[i].name);
	return follows;
}

/* A block a row.  What is computed of its elements goes backwards: the last are the likeliest to be in the cache still. */
static void write_whole(struct writer *w)
{
	const char *along = w->pass.along->name, *extent = expr_text(w->arena, w->pass.along->hi, NULL);

	open_rows(w, "rows", "", w->lanes, along);
	write_registers(w);
	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		if (is_reduction(s))
			strbuf_addf(w->text, "  %s_here = %s(%s) (%s)\n", s->name, expr_op_text(s->value->op), terms_text(w), held_text(w, term_of(w, s)));
		else
			strbuf_addf(w->text, "  %s_here = %s\n", s->name, held_text(w, s->value));
		write_results(w, i);
	}
	size_t mapped = w->mapped;
	for (; w->pass.end < w->match->count && follows_rows(w, &w->match->stmt[w->pass.end]); w->pass.end++) {
		const struct normal_stmt *s = &w->match->stmt[w->pass.end];
		if (uses_after(w->match, w->pass.end))
			break;
		const char *column = arena_printf(w->arena, "%s-1-%s", extent, along);
		map_name(w, s->index[s->index_count - 1].name, column);
		strbuf_addf(w->text, "  for %s in 0..%s step 1\n    %s = %s\n  end\n", along, extent, row_place(w, s->name, column), held_text(w, s->value));
		w->mapped = mapped;
	}
}

/* The statement of the pass whose partial result is the centre: the greatest, or the sum, of the same e. */
static const struct normal_stmt *centred_by(const struct writer *w, size_t number, enum rule rule, const struct expr *e)
{
	for (size_t i = w->pass.first; i < number; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		if (is_reduction(s) && s->value->op == (rule == SQUARE ? OP_SUM : OP_MAX) && expr_equal(s->value->arg[0], e))
			return s;
	}
	return NULL;
}

/* The centre of a part, of what holds its greatest or its sum.  Of nothing but -infinity it is a number too. */
static const char *centre_text(struct writer *w, enum rule rule, const char *of, const char *terms)
{
	if (rule == SQUARE)
		return arena_printf(w->arena, "(%s / %s)", of, terms);
	return arena_printf(w->arena, "maximum(%s, %s)", of, w->problem->dtype == DTYPE_f64 ? "-1e308" : "-3e38");
}

/* The places and ranges of partial results: the pass's other ranges, then the part. */
struct parts {
	const char *grid, *at, *ranges, *across, *count; /* count: the terms of the part q */
	int64_t most, others;
};

static struct parts parts_of(struct writer *w)
{
	const struct expr *lead = w->pass.lead->value;
	const char *extent = expr_text(w->arena, w->pass.along->hi, NULL);
	struct strbuf grid = STRBUF_INIT, at = STRBUF_INIT, ranges = STRBUF_INIT;
	int64_t parts = (extent_of(w->problem, w->pass.along) + w->part - 1) / w->part;
	struct parts p = { .across = "part_", .most = parts, .others = 1 };

	for (size_t i = 0; i < lead->range_count; i++) {
		const struct expr_range *r = &lead->range[i];
		int64_t n = extent_of(w->problem, r);
		if (r == w->pass.along)
			continue;
		strbuf_addf(&grid, "%s, ", expr_text(w->arena, r->hi, NULL));
		strbuf_addf(&at, "%s, ", r->name);
		strbuf_addf(&ranges, "%s<%s, ", r->name, expr_text(w->arena, r->hi, NULL));
		p.others *= n;
		if (n > p.most) {
			p.most = n;
			p.across = r->name;
		}
	}
	strbuf_addf(&grid, "cdiv(%s, %lld)", extent, (long long)w->part);
	strbuf_addstr(&at, "part_");
	strbuf_addf(&ranges, "part_<cdiv(%s, %lld)", extent, (long long)w->part);
	p.grid = arena_strdup(w->arena, grid.buf);
	p.at = arena_strdup(w->arena, at.buf);
	p.ranges = arena_strdup(w->arena, ranges.buf);
	p.count = arena_printf(w->arena, "minimum(%lld, %s-part_*%lld)", (long long)w->part, extent, (long long)w->part);
	strbuf_release(&grid);
	strbuf_release(&at);
	strbuf_release(&ranges);
	return p;
}

/* Partial results of the statement over the part at hand, whose terms are `range`; `at`: its place behind the rows. */
static void write_partial(struct writer *w, size_t number, const char *range, const char *at, const char *count)
{
	const struct normal_stmt *s = &w->match->stmt[number];
	const struct expr *e = NULL, *centre = NULL;
	enum rule rule = rule_of(w->match, w->pass.first, number, &e, &centre);
	const char *value = NULL;

	w->here = w->pass.first;
	if (rule == PLAIN) {
		value = held_text(w, term_of(w, s));
	} else {
		const struct normal_stmt *by = centred_by(w, number, rule, e), *named = by ? by : s;
		struct normal_stmt centred = *s;
		struct expr reduction = *s->value;
		reduction.arg = (struct expr *[]){ (struct expr *)e };
		centred.value = &reduction;
		const char *text = held_text(w, term_of(w, &centred));
		if (!by) {
			strbuf_addf(w->text, "  %s_centre = %s(%s) (%s)\n", s->name, rule == SQUARE ? "sum" : "max", range, text);
			strbuf_addf(w->text, "  %s = %s_centre\n", row_place(w, arena_printf(w->arena, "%s_by", s->name), at), s->name);
		}
		const char *of = centre_text(w, rule, arena_printf(w->arena, by ? "%s_here" : "%s_centre", named->name), count);
		value = arena_printf(w->arena, "%s((%s) - %s)", rule == SQUARE ? "sq" : "exp", text, of);
	}
	strbuf_addf(w->text, "  %s_here = %s(%s) (%s)\n", s->name, expr_op_text(s->value->op), range, value);
	strbuf_addf(w->text, "  %s = %s_here\n", row_place(w, arena_printf(w->arena, "%s_part", s->name), at), s->name);
}

/* The statement of its partial results. */
static void write_together(struct writer *w, size_t number, const struct parts *p)
{
	const struct normal_stmt *s = &w->match->stmt[number];
	const struct expr *e = NULL, *centre = NULL;
	enum rule rule = rule_of(w->match, w->pass.first, number, &e, &centre);
	const char *value = row_place(w, arena_printf(w->arena, "%s_part", s->name), p->at);

	if (rule != PLAIN) {
		const struct normal_stmt *by = centred_by(w, number, rule, e);
		const char *of = row_place(w, arena_printf(w->arena, by ? "%s_part" : "%s_by", by ? by->name : s->name), p->at);
		const char *from = centre_text(w, rule, of, p->count), *a = held_text(w, centre);
		value = rule == SQUARE ? arena_printf(w->arena, "%s + %s * sq(%s - (%s))", value, p->count, from, a)
				       : arena_printf(w->arena, "%s * exp(%s - (%s))", value, from, a);
	}
	strbuf_addf(w->text, "  %s_here = %s(%s) (%s)\n", s->name, expr_op_text(s->value->op), p->ranges, value);
}

/* Buffers of partial results; `more`: extents behind the rows'. */
static void write_part_memory(struct writer *w, const char *more)
{
	const struct expr *e, *centre;

	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		if (!is_reduction(&w->match->stmt[i]))
			continue;
		enum rule rule = rule_of(w->match, w->pass.first, i, &e, &centre);
		write_buffer(w, &w->match->stmt[i], "part", more);
		if (rule != PLAIN && !centred_by(w, i, rule, e))
			write_buffer(w, &w->match->stmt[i], "by", more);
	}
}

static void write_parts(struct writer *w)
{
	struct parts p = parts_of(w);
	const struct expr *lead = w->pass.lead->value, *e, *centre;
	size_t dimension = w->pass.lead->index_count;
	const char *extent = expr_text(w->arena, w->pass.along->hi, NULL);
	struct strbuf at = STRBUF_INIT;

	open_rows(w, "parts", p.grid, w->lanes, w->pass.along->name);
	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		enum rule rule = is_reduction(s) ? rule_of(w->match, w->pass.first, i, &e, &centre) : PLAIN;
		if (is_reduction(s))
			write_register(w, s->name, "here");
		if (rule != PLAIN && !centred_by(w, i, rule, e))
			write_register(w, s->name, "centre");
	}
	for (size_t i = 0; i < lead->range_count; i++) {
		if (&lead->range[i] == w->pass.along)
			continue;
		map_name(w, lead->range[i].name, arena_printf(w->arena, "p%zu", dimension));
		strbuf_addf(&at, "p%zu, ", dimension++);
	}
	const char *q = arena_printf(w->arena, "p%zu", dimension), *part = arena_printf(w->arena, "%lld", (long long)w->part);
	strbuf_addstr(&at, q);
	const char *range = arena_printf(w->arena, "%s in %s*%s..minimum(%s*%s+%s, %s)", w->pass.along->name, q, part, q, part, part, extent);
	const char *count = arena_printf(w->arena, "minimum(%s, %s-%s*%s)", part, extent, q, part);
	for (size_t i = w->pass.first; i < w->pass.end; i++)
		if (is_reduction(&w->match->stmt[i]))
			write_partial(w, i, range, at.buf, count);
	strbuf_release(&at);

	int64_t lanes = 32;
	while (lanes < p.most && lanes < MOST_TERMS_OF_COMBINER)
		lanes *= 2;
	open_rows(w, "whole", "", lanes, p.across);
	write_registers(w);
	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		if (is_reduction(s))
			write_together(w, i, &p);
		else
			strbuf_addf(w->text, "  %s_here = %s\n", s->name, held_text(w, s->value));
		write_results(w, i);
	}
}

/* Do all rows read something along them that is not the row's: weights? */
static bool reads_weights(const struct normal_stmt *s, const struct expr *e)
{
	const struct expr *last = e->kind == EXPR_ACCESS && e->arg_count ? e->arg[e->arg_count - 1] : NULL;
	bool reads = s->index_count > 1 && last && expr_uses(last, s->index[s->index_count - 1].name) && !expr_uses(e, s->index[0].name);

	for (size_t i = 0; i < e->arg_count && !reads; i++)
		reads = reads_weights(s, e->arg[i]);
	return reads;
}

/*
 * Elements of one statement, over blocks of its last index.  Rows go backwards: the last are in the cache still.
 * Where they read weights, the blocks of all rows at the same place follow each other, and find these in the cache.
 */
static void write_map(struct writer *w)
{
	const struct normal_stmt *s = w->pass.lead;
	struct strbuf grid = STRBUF_INIT, at = STRBUF_INIT;
	long long columns = (long long)w->columns;
	size_t count = s->index_count, across = reads_weights(s, s->value);
	const struct expr_range *last = &s->index[count - 1];
	const char *blocks = arena_printf(w->arena, "cdiv(%s, %lld)", expr_text(w->arena, last->hi, NULL), columns), *block = arena_printf(w->arena, "p%zu", across ? 0 : count - 1);

	w->mapped = 0;
	w->here = w->pass.first;
	if (across)
		strbuf_addf(&grid, "%s", blocks);
	for (size_t i = 0; i < count; i++) {
		const char *name = s->index[i].name, *extent = expr_text(w->arena, s->index[i].hi, NULL);
		bool is_last = i + 1 == count;
		const char *here = is_last ? arena_printf(w->arena, "%s*%lld+%s", block, columns, name) : arena_printf(w->arena, "%s-1-p%zu", extent, i + across);
		map_name(w, name, here);
		if (!is_last || !across)
			strbuf_addf(&grid, "%s%s", grid.len ? ", " : "", is_last ? blocks : extent);
		strbuf_addf(&at, "%s%s", i ? ", " : "", here);
	}
	strbuf_addf(w->text, "kernel map%zu grid [%s] threads %lld\n  index %s<%lld of %s-%s*%lld\n", w->pass.first, grid.buf, (long long)w->threads, last->name, columns,
		    expr_text(w->arena, last->hi, NULL), block, columns);
	const char *value = held_text(w, s->value);
	if (is_kept(w, w->pass.first))
		strbuf_addf(w->text, "  %s_kept[%s] = %s\n", s->name, at.buf, value);
	if (s->tensor >= 0)
		strbuf_addf(w->text, "  %s[%s] = %s\n", s->name, at.buf, value);
	w->kernels++;
	strbuf_release(&grid);
	strbuf_release(&at);
}

/* Is the pass cut into parts, at this point? */
static bool is_cut(const struct writer *w, const struct pass *p)
{
	return w->part && p->along && terms_of(w->problem, p->lead) > w->part;
}

/* The pass at statement `first`, as it is written. */
static struct pass next_pass(const struct writer *w, size_t first)
{
	struct pass p = pass_at(w->match, first, false);

	return is_cut(w, &p) ? pass_at(w->match, first, true) : p;
}

static bool write_memory(struct writer *w, struct strbuf *why_not)
{
	for (size_t i = 0; i < w->match->count; i = w->pass.end) {
		w->pass = next_pass(w, i);
		for (size_t k = w->pass.first; k < w->pass.end; k++) {
			if (is_kept(w, k))
				write_buffer(w, &w->match->stmt[k], "kept", "");
		}
		if (!w->pass.along && (!w->pass.lead->index_count || w->pass.lead->index_count > MAP_RANK)) {
			strbuf_addf(why_not, "passes: '%s' is a map of no or more than %d dimensions", w->pass.lead->name, MAP_RANK);
			return false;
		}
		if (is_cut(w, &w->pass))
			write_part_memory(w, parts_of(w).grid);
	}
	return true;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct writer w = { .arena = arena, .match = m, .problem = problem, .text = text, .lanes = point_int(space, point, "LANES"), .part = point_int(space, point, "PART"),
			    .columns = point_int(space, point, "BN"), .threads = point_int(space, point, "THREADS") };
	bool is_in_parts = false, maps = false;

	(void)target;
	write_head(arena, problem, text);
	if (!write_memory(&w, why_not))
		return 0;
	for (size_t i = 0; i < m->count; i = w.pass.end) {
		w.pass = next_pass(&w, i);
		if (!w.pass.along) {
			write_map(&w);
			maps = true;
		} else if (is_cut(&w, &w.pass)) {
			write_parts(&w);
			is_in_parts = true;
		} else if (terms_of(problem, w.pass.lead) > MOST_TERMS_OF_FEW && points_of(problem, w.pass.lead) < FEW_ROWS) {
			strbuf_addf(why_not, "a few blocks would go through all of '%s'", w.pass.lead->name);
			return 0;
		} else {
			write_whole(&w);
		}
	}
	if (w.kernels > TILE_MAX_KERNELS)
		strbuf_addf(why_not, "more than %d kernels", TILE_MAX_KERNELS);
	else if (w.part && !is_in_parts)
		strbuf_addstr(why_not, "PART does nothing: no row is longer");
	else if (w.columns && !maps && (point->value[space->knob_count - 1] || point->value[space->knob_count - 2]))
		strbuf_addstr(why_not, "BN and THREADS do nothing: no map has a kernel of its own");
	else
		return 1;
	return 0;
}

const struct skeleton skeleton_passes = {
	.name = "passes",
	.summary = "reductions of long rows, in parts: losses, norms and softmax whose rows fill no block",
	.needs_warps = true,
	.serves_simt = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
