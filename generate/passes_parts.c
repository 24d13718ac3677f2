/* Kernels of passes over rows in parts. */
#include "generate/passes.h"

#include <string.h>

enum { MOST_TERMS_OF_COMBINER = 512 };

/* The statement of the pass whose partial result is the centre: the greatest, or the sum, of the same e. */
static const struct normal_stmt *centred_by(const struct passes_writer *w, size_t number, enum passes_rule_kind rule, const struct expr *e)
{
	for (size_t i = w->pass.first; i < number; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		if (passes_is_reduction(s) && s->value->op == (rule == PASS_SQUARE ? OP_SUM : OP_MAX) && expr_equal(s->value->arg[0], e))
			return s;
	}
	return NULL;
}

/* The centre of a part, of what holds its greatest or its sum.  Of nothing but -infinity it is a number too. */
static const char *centre_text(struct passes_writer *w, enum passes_rule_kind rule, const char *of, const char *terms)
{
	if (rule == PASS_SQUARE)
		return arena_printf(w->arena, "(%s / %s)", of, terms);
	return arena_printf(w->arena, "maximum(%s, %s)", of, w->problem->dtype == DTYPE_f64 ? "-1e308" : "-3e38");
}

/* The places and ranges of partial results: the pass's other ranges, then the part. */
struct parts {
	const char *grid, *at, *ranges, *across, *count; /* count: the terms of the part q */
	int64_t most, others;
};

static struct parts parts_of(struct passes_writer *w)
{
	const struct expr *lead = w->pass.lead->value;
	const char *extent = expr_text(w->arena, w->pass.along->hi, NULL);
	struct strbuf grid = STRBUF_INIT, at = STRBUF_INIT, ranges = STRBUF_INIT;
	int64_t parts = (passes_extent(w->problem, w->pass.along) + w->part - 1) / w->part;
	struct parts p = { .across = "part_", .most = parts, .others = 1 };

	for (size_t i = 0; i < lead->range_count; i++) {
		const struct expr_range *r = &lead->range[i];
		int64_t n = passes_extent(w->problem, r);
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
static void write_partial(struct passes_writer *w, size_t number, const char *range, const char *at, const char *count)
{
	const struct normal_stmt *s = &w->match->stmt[number];
	const struct expr *e = NULL, *centre = NULL;
	enum passes_rule_kind rule = passes_rule(w->match, w->pass.first, number, &e, &centre);
	const char *value = NULL;

	w->here = w->pass.first;
	if (rule == PASS_PLAIN) {
		value = passes_held_text(w, passes_term(w, s));
	} else {
		const struct normal_stmt *by = centred_by(w, number, rule, e), *named = by ? by : s;
		struct normal_stmt centred = *s;
		struct expr reduction = *s->value;
		reduction.arg = (struct expr *[]){ (struct expr *)e };
		centred.value = &reduction;
		const char *text = passes_held_text(w, passes_term(w, &centred));
		if (!by) {
			strbuf_addf(w->text, "  %s_centre = %s(%s) (%s)\n", s->name, rule == PASS_SQUARE ? "sum" : "max", range, text);
			strbuf_addf(w->text, "  %s = %s_centre\n", passes_row_place(w, arena_printf(w->arena, "%s_by", s->name), at), s->name);
		}
		const char *of = centre_text(w, rule, arena_printf(w->arena, by ? "%s_here" : "%s_centre", named->name), count);
		value = arena_printf(w->arena, "%s((%s) - %s)", rule == PASS_SQUARE ? "sq" : "exp", text, of);
	}
	strbuf_addf(w->text, "  %s_here = %s(%s) (%s)\n", s->name, expr_op_text(s->value->op), range, value);
	strbuf_addf(w->text, "  %s = %s_here\n", passes_row_place(w, arena_printf(w->arena, "%s_part", s->name), at), s->name);
}

/* The statement of its partial results. */
static void write_together(struct passes_writer *w, size_t number, const struct parts *p)
{
	const struct normal_stmt *s = &w->match->stmt[number];
	const struct expr *e = NULL, *centre = NULL;
	enum passes_rule_kind rule = passes_rule(w->match, w->pass.first, number, &e, &centre);
	const char *value = passes_row_place(w, arena_printf(w->arena, "%s_part", s->name), p->at);

	if (rule != PASS_PLAIN) {
		const struct normal_stmt *by = centred_by(w, number, rule, e);
		const char *of = passes_row_place(w, arena_printf(w->arena, by ? "%s_part" : "%s_by", by ? by->name : s->name), p->at);
		const char *from = centre_text(w, rule, of, p->count), *a = passes_held_text(w, centre);
		value = rule == PASS_SQUARE ? arena_printf(w->arena, "%s + %s * sq(%s - (%s))", value, p->count, from, a)
				       : arena_printf(w->arena, "%s * exp(%s - (%s))", value, from, a);
	}
	strbuf_addf(w->text, "  %s_here = %s(%s) (%s)\n", s->name, expr_op_text(s->value->op), p->ranges, value);
}

void passes_write_part_memory(struct passes_writer *w)
{
	const char *more = parts_of(w).grid;
	const struct expr *e, *centre;

	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		if (!passes_is_reduction(&w->match->stmt[i]))
			continue;
		enum passes_rule_kind rule = passes_rule(w->match, w->pass.first, i, &e, &centre);
		passes_write_buffer(w, &w->match->stmt[i], "part", more);
		if (rule != PASS_PLAIN && !centred_by(w, i, rule, e))
			passes_write_buffer(w, &w->match->stmt[i], "by", more);
	}
}

void passes_write_parts(struct passes_writer *w)
{
	struct parts p = parts_of(w);
	const struct expr *lead = w->pass.lead->value, *e, *centre;
	size_t dimension = w->pass.lead->index_count;
	const char *extent = expr_text(w->arena, w->pass.along->hi, NULL);
	struct strbuf at = STRBUF_INIT;

	passes_open_rows(w, "parts", p.grid, w->lanes, w->pass.along->name);
	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		enum passes_rule_kind rule = passes_is_reduction(s) ? passes_rule(w->match, w->pass.first, i, &e, &centre) : PASS_PLAIN;
		if (passes_is_reduction(s))
			passes_write_register(w, s->name, "here");
		if (rule != PASS_PLAIN && !centred_by(w, i, rule, e))
			passes_write_register(w, s->name, "centre");
	}
	for (size_t i = 0; i < lead->range_count; i++) {
		if (&lead->range[i] == w->pass.along)
			continue;
		passes_map_name(w, lead->range[i].name, arena_printf(w->arena, "p%zu", dimension));
		strbuf_addf(&at, "p%zu, ", dimension++);
	}
	const char *q = arena_printf(w->arena, "p%zu", dimension), *part = arena_printf(w->arena, "%lld", (long long)w->part);
	strbuf_addstr(&at, q);
	const char *range = arena_printf(w->arena, "%s in %s*%s..minimum(%s*%s+%s, %s)", w->pass.along->name, q, part, q, part, part, extent);
	const char *count = arena_printf(w->arena, "minimum(%s, %s-%s*%s)", part, extent, q, part);
	for (size_t i = w->pass.first; i < w->pass.end; i++)
		if (passes_is_reduction(&w->match->stmt[i]))
			write_partial(w, i, range, at.buf, count);
	strbuf_release(&at);

	int64_t lanes = 32;
	while (lanes < p.most && lanes < MOST_TERMS_OF_COMBINER)
		lanes *= 2;
	passes_open_rows(w, "whole", "", lanes, p.across);
	passes_write_registers(w);
	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		if (passes_is_reduction(s))
			write_together(w, i, &p);
		else
			strbuf_addf(w->text, "  %s_here = %s\n", s->name, passes_held_text(w, s->value));
		passes_write_results(w, i);
	}
}
