/*
 * running: y[.., c, ..] = sum or prod (j <= c) x, of j < c too, and of j >= c: running sums and products along an
 * index, on devices of warps.  A block goes along a row, BC values at a time, what came before in registers.
 *
 * A dimension that is 1 (the last of a row's, often) is written as such, and demanded: then values that
 * follow each other lie side by side.
 */
#include "generate/recognise.h"

#include <string.h>

enum form { INCLUSIVE, EXCLUSIVE, REVERSE };

struct match {
	const struct normal_stmt *stmt;
	size_t along; /* position of the index the sum runs along */
	enum form form;
};

static bool is_name(const struct expr *e, const char *name)
{
	return e->kind == EXPR_NAME && !strcmp(e->name, name);
}

static bool is_int(const struct expr *e, int64_t value)
{
	return e->kind == EXPR_INT && e->int_value == value;
}

/* Which of the range's bounds is index c, and how. */
static bool has_form(const struct expr_range *range, const struct expr_range *c, enum form *form)
{
	const struct expr *hi = range->hi;

	if (is_int(range->lo, 0) && is_name(hi, c->name))
		*form = EXCLUSIVE;
	else if (is_int(range->lo, 0) && hi->kind == EXPR_BINARY && hi->op == OP_ADD && is_name(hi->arg[0], c->name) && is_int(hi->arg[1], 1))
		*form = INCLUSIVE;
	else if (is_name(range->lo, c->name) && expr_equal(hi, c->hi))
		*form = REVERSE;
	else
		return false;
	return true;
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];
	const struct expr *e = s->value;
	struct match *m = ARENA_ARRAY(arena, struct match, 1);

	(void)problem;
	m->stmt = s;
	if (normal->stmt_count != 1 || e->kind != EXPR_REDUCE || (e->op != OP_SUM && e->op != OP_PROD) || e->range_count != 1 || e->filter || s->index_count < 1 ||
	    s->index_count > 3) {
		strbuf_addstr(why_not, "running: no single sum or product over one range");
		return NULL;
	}
	for (size_t i = 0; i < s->index_count; i++)
		if (has_form(&e->range[0], &s->index[i], &m->form) && !expr_uses(e->arg[0], s->index[i].name)) {
			m->along = i;
			return m;
		}
	strbuf_addstr(why_not, "running: the range does not begin or end at an output index");
	return NULL;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	(void)m;
	(void)problem;
	(void)target;
	add_knob(arena, space, "BC", (const int[]){ 64, 128, 256, 512, 1024, 2048, 4096, 8192, -1 });
	add_knob(arena, space, "THREADS", (const int[]){ 64, 128, 256, 512, -1 });
	add_align_knob(arena, space);
	start_knob(space, "BC", "4096");
	start_knob(space, "THREADS", "256");
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const struct normal_stmt *s = m->stmt;
	const struct expr *e = s->value, *none = expr_int(arena, e->op == OP_PROD);
	const char *c = s->index[m->along].name, *j = e->range[0].name, *extent = expr_text(arena, s->index[m->along].hi, NULL), *mapping[2 * OP_MAX_RANK + 3];
	const char *op = expr_op_text(e->op), *times = e->op == OP_PROD ? "*" : "+", *real = tile_real(problem);
	long long bc = point_int(space, point, "BC"), threads = point_int(space, point, "THREADS");
	struct strbuf grid = STRBUF_INIT, at = STRBUF_INIT;
	size_t n = 0, rows = 0;
	int ret = 0;

	(void)target;
	if (m->form == REVERSE && e->op == OP_PROD) {
		strbuf_addstr(why_not, "products from the end have no scan");
		return 0;
	}
	if (bc < threads) {
		strbuf_addstr(why_not, "more threads than values");
		return 0;
	}
	write_head_of_ones(arena, problem, text);
	if (!align_write(arena, problem, space, point, text, why_not))
		return 0;
	/* From the end: the last block first. */
	const char *scan = m->form == REVERSE ? "scanback" : e->op == OP_PROD ? "scanprod" : "scan";
	const char *blocks = arena_printf(arena, "cdiv(%s, %lld)", extent, bc), *first = m->form == REVERSE ? arena_printf(arena, "(%s-1-c0)*%lld", blocks, bc) : "c0";
	const char *here = arena_printf(arena, "%s+%s", first, c);
	for (size_t i = 0; i < s->index_count; i++) {
		mapping[n++] = s->index[i].name;
		if (i == m->along) {
			mapping[n++] = here;
		} else if (is_int(s->index[i].hi, 1) || dim_is_one(problem, s->index[i].hi)) {
			mapping[n++] = "0";
		} else {
			strbuf_addf(&grid, "%s%s", rows ? ", " : "", expr_text(arena, s->index[i].hi, NULL));
			mapping[n++] = arena_printf(arena, "p%zu", rows++);
		}
		strbuf_addf(&at, "%s%s", i ? ", " : "", mapping[n - 1]);
	}
	/* The term at this place; of sums that leave it out the one before, and none before the first. */
	mapping[n++] = j;
	mapping[n++] = m->form == EXCLUSIVE ? arena_printf(arena, "%s-1", here) : here;
	mapping[n] = NULL;
	const char *term = expr_text(arena, e->arg[0], mapping), *skip = expr_text(arena, none, NULL);
	if (m->form == EXCLUSIVE)
		term = arena_printf(arena, "c0+%s > 0 ? %s : %s", c, term, skip);
	if (e->op == OP_PROD)
		term = arena_printf(arena, "c0+%s < %s ? (%s) : %s", c, extent, term, skip);
	strbuf_addf(text, "kernel running grid [%s] threads %lld\n  index %s<%lld of %s-%s\n", grid.len ? grid.buf : "1", threads, c, bc, extent, first);
	strbuf_addf(text, "  tile x_ %s [%s] @reg\n  tile y_ %s [%s] @reg\n  tile k_ %s [] @reg\n  k_ = %s\n", real, c, real, c, real, skip);
	strbuf_addf(text, "  for c0 in 0..%s step %lld\n    x_[%s] = %s\n    y_[%s] = %s(%s) x_[%s]\n", m->form == REVERSE ? blocks : extent, m->form == REVERSE ? 1 : bc, c, term, c,
		    scan, c, c);
	strbuf_addf(text, "    %s[%s] = k_ %s y_[%s]\n    k_ = k_ %s %s(%s) x_[%s]\n  end\n", s->name, at.buf, times, c, times, op, c, c);
	ret = 1;
	strbuf_release(&grid);
	strbuf_release(&at);
	return ret;
}

const struct skeleton skeleton_running = {
	.name = "running",
	.summary = "running sums and products along an index, on devices",
	.needs_warps = true,
	.serves_simt = true,
	.serves_tiles = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
