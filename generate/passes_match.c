/* Bodies that passes serve, and what of them is one pass. */
#include "generate/passes.h"

#include <string.h>

bool passes_is_reduction(const struct normal_stmt *s)
{
	return s->value->kind == EXPR_REDUCE;
}

bool passes_same_indices(const struct normal_stmt *a, const struct normal_stmt *b)
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

	if (is_plain && passes_is_reduction(s)) {
		is_plain = e->op <= OP_MIN && !e->filter;
		for (size_t i = 0; i < e->range_count && is_plain; i++)
			is_plain = range_is_static(&e->range[i], s->index, s->index_count);
	}
	if (!is_plain)
		strbuf_addf(why_not, "passes: '%s' is no plain reduction or map of reals", s->name);
	else if (passes_is_reduction(s) && !range_along(s))
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
	bool is = s->tensor >= 0 || passes_is_reduction(s);

	for (size_t i = 0; i < normal->stmt_count && !is; i++)
		is = passes_is_reduction(&normal->stmt[i]) && passes_same_indices(&normal->stmt[i], s);
	return is;
}

const struct match *passes_match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
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
		reduces |= passes_is_reduction(&all[i]);
		m->stmt[m->count++] = all[i];
	}
	if (!reduces) {
		strbuf_addstr(why_not, "passes: nothing is reduced");
		return NULL;
	}
	return m;
}

int64_t passes_extent(const struct problem *problem, const struct expr_range *range)
{
	return extent_value(problem, range->hi);
}

static bool uses_pass(const struct match *m, size_t first, size_t end, const struct expr *e)
{
	bool uses = false;

	for (size_t i = first; i < end && !uses; i++)
		uses = expr_uses(e, m->stmt[i].name);
	return uses;
}

/* How a reduction is had of the parts, beside statements [first, number) of its pass; what is centred in *e, by what in *centre. */
enum passes_rule_kind passes_rule(const struct match *m, size_t first, size_t number, const struct expr **e, const struct expr **centre)
{
	const struct normal_stmt *s = &m->stmt[number];
	const struct expr *term = s->value->arg[0], *difference = term->arg_count ? term->arg[0] : NULL;

	if (!uses_pass(m, first, number, term))
		return PASS_PLAIN;
	if (s->value->op != OP_SUM || term->kind != EXPR_CALL || difference->kind != EXPR_BINARY || difference->op != OP_SUB)
		return PASS_ANOTHER;
	*e = difference->arg[0];
	*centre = difference->arg[1];
	bool is_row = !uses_pass(m, first, number, *e);
	for (size_t i = 0; i < s->value->range_count; i++)
		is_row &= !expr_uses(*centre, s->value->range[i].name);
	return !is_row ? PASS_ANOTHER : !strcmp(term->name, "exp") ? PASS_EXPONENTIAL : !strcmp(term->name, "sq") ? PASS_SQUARE : PASS_ANOTHER;
}

/* The pass that begins with statement `first`: rows whole, or in parts. */
struct pass passes_at(const struct match *m, size_t first, bool in_parts)
{
	struct pass p = { first, first + 1, &m->stmt[first], NULL };
	const struct expr *e, *centre;

	if (!passes_is_reduction(p.lead))
		return p;
	p.along = range_along(p.lead);
	for (; p.end < m->count; p.end++) {
		const struct normal_stmt *s = &m->stmt[p.end];
		if (!passes_same_indices(s, p.lead))
			break;
		if (passes_is_reduction(s) && (!same_ranges(s->value, p.lead->value) || (in_parts && passes_rule(m, first, p.end, &e, &centre) == PASS_ANOTHER)))
			break;
	}
	return p;
}
