/* What the statements of a body are: prefix sums, recurrences, searches, ranks. */
#include "generate/stages.h"

#include <string.h>

static bool is_name(const struct expr *e, const char *name)
{
	return e->kind == EXPR_NAME && !strcmp(e->name, name);
}

bool stages_is_int(const struct expr *e, int64_t value)
{
	return e->kind == EXPR_INT && e->int_value == value;
}

static bool is_truth(const struct expr *e)
{
	return e->kind == EXPR_BINARY && e->op >= OP_EQ && e->op <= OP_OR;
}

/* sum(j<n) or sum(j<n+1) of what does not depend on n, the last index. */
static bool is_prefix(const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	if (e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter || !s->index_count)
		return false;
	const char *n = s->index[s->index_count - 1].name;
	const struct expr *hi = e->range[0].hi;
	bool is_inclusive = hi->kind == EXPR_BINARY && hi->op == OP_ADD && is_name(hi->arg[0], n) && stages_is_int(hi->arg[1], 1);
	return stages_is_int(e->range[0].lo, 0) && (is_inclusive || is_name(hi, n)) && !expr_uses(e->arg[0], n);
}

/* Does e read the statement, if at all, along its last index only, at a number of places before? */
static bool reads_earlier(const struct normal_stmt *s, const struct expr *e)
{
	bool reads = true;

	if (e->kind == EXPR_REDUCE && expr_uses(e, s->name))
		return false;
	if ((e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) && !strcmp(e->name, s->name)) {
		size_t last = s->index_count - 1;
		if (e->kind == EXPR_NAME || e->arg_count != s->index_count)
			return false;
		const struct expr *n = e->arg[last];
		reads = n->kind == EXPR_BINARY && n->op == OP_SUB && is_name(n->arg[0], s->index[last].name) && n->arg[1]->kind == EXPR_INT && n->arg[1]->int_value > 0;
		for (size_t i = 0; i < last; i++)
			reads &= is_name(e->arg[i], s->index[i].name);
	}
	for (size_t i = 0; i < e->arg_count && reads; i++)
		reads = reads_earlier(s, e->arg[i]);
	return reads && (!e->otherwise || reads_earlier(s, e->otherwise));
}

/* h[.., n] of h[.., n-1], a loop; the rows are the grid's. */
static bool is_recurrence(const struct normal_stmt *s)
{
	return s->index_count >= 1 && s->index_count <= 4 && expr_uses(s->value, s->name) && reads_earlier(s, s->value);
}

/* Is no term of the prefix negative? */
static bool only_grows(const struct problem *problem, const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *term = s->value->arg[0];
	int t = term->kind == EXPR_ACCESS ? op_tensor_index(problem->op, term->name) : -1;

	if (normal_kind(normal, term) == KIND_BOOL)
		return true;
	return t >= 0 && problem->op->tensor[t].role == OP_IN && problem->op->tensor[t].lo >= 0 && problem->op->tensor[t].hi > 0;
}

/* Does the access never fall along n, its last index? */
static bool is_sorted_along(const struct problem *problem, const struct normal *normal, const struct expr *a, const char *n)
{
	if (a->kind != EXPR_ACCESS || a->otherwise || !a->arg_count)
		return false;
	const struct expr *last = a->arg[a->arg_count - 1];
	bool steps = is_name(last, n) || (last->kind == EXPR_BINARY && last->op == OP_ADD && is_name(last->arg[0], n) && last->arg[1]->kind == EXPR_INT);
	for (size_t i = 0; i + 1 < a->arg_count; i++)
		steps &= !expr_uses(a->arg[i], n);
	const struct normal_stmt *s = normal_find(normal, a->name);
	int t = op_tensor_index(problem->op, a->name);
	if (s)
		return steps && is_prefix(s) && only_grows(problem, normal, s);
	return steps && t >= 0 && (problem->op->tensor[t].domain == OP_SORTED || problem->op->tensor[t].domain == OP_OFFSETS);
}

/* sum(n<E) of a truth that holds for the first n only: a[n] <= t, a[n] < t, or (a[n] >= t) == 0. */
static bool is_search(const struct problem *problem, const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	if (e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter)
		return false;
	const char *n = e->range[0].name;
	const struct expr *p = e->arg[0];
	bool is_negated = p->kind == EXPR_BINARY && p->op == OP_EQ && stages_is_int(p->arg[1], 0) && is_truth(p->arg[0]);
	if (is_negated)
		p = p->arg[0];
	bool compares = p->kind == EXPR_BINARY && (is_negated ? p->op == OP_GE || p->op == OP_GT : p->op == OP_LE || p->op == OP_LT);
	return compares && is_sorted_along(problem, normal, p->arg[0], n) && !expr_uses(p->arg[1], n);
}

/* min, max or sum (c<C if k[.., c] == o) of any value: the value at the c whose rank is o.  Returns k. */
static const struct normal_stmt *ranks_of(const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	if (e->kind != EXPR_REDUCE || (e->op != OP_SUM && e->op != OP_MAX && e->op != OP_MIN) || e->range_count != 1 || !e->filter ||
	    e->filter->kind != EXPR_BINARY || e->filter->op != OP_EQ || !s->index_count)
		return NULL;
	const struct expr *k = e->filter->arg[0];
	const struct normal_stmt *ranks = k->kind == EXPR_ACCESS ? normal_find(normal, k->name) : NULL;
	if (!ranks || ranks->index_count != s->index_count || k->arg_count != s->index_count ||
	    !is_name(e->filter->arg[1], s->index[s->index_count - 1].name) || !is_name(k->arg[k->arg_count - 1], e->range[0].name) ||
	    !stages_is_int(e->range[0].lo, 0) || !expr_equal(e->range[0].hi, ranks->index[ranks->index_count - 1].hi) ||
	    expr_uses(e->arg[0], s->index[s->index_count - 1].name))
		return NULL;
	for (size_t i = 0; i + 1 < k->arg_count; i++)
		if (!is_name(k->arg[i], s->index[i].name))
			return NULL;
	return ranks;
}

/* A count, over a whole row, of what stands before; read by ranks_of() alone. */
static bool are_ranks(const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *e = s->value;
	bool is_read = false;

	if (s->tensor >= 0 || e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter || !s->index_count || !is_truth(e->arg[0]) ||
	    !stages_is_int(e->range[0].lo, 0) || !expr_equal(e->range[0].hi, s->index[s->index_count - 1].hi))
		return false;
	for (size_t i = 0; i < normal->stmt_count; i++) {
		const struct normal_stmt *by = &normal->stmt[i];
		if (by == s || !expr_uses(by->value, s->name))
			continue;
		if (ranks_of(normal, by) != s || expr_uses(by->value->arg[0], s->name))
			return false;
		is_read = true;
	}
	return is_read;
}

const struct match *stages_match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	struct match *m = ARENA_ARRAY(arena, struct match, 1);

	if (normal->stmt_count > TILE_MAX_KERNELS) {
		strbuf_addf(why_not, "stages: more than %d statements", TILE_MAX_KERNELS);
		return NULL;
	}
	m->normal = normal;
	m->count = normal->stmt_count;
	m->stage = ARENA_ARRAY(arena, struct stage, m->count);
	for (size_t i = 0; i < m->count; i++) {
		struct stage *x = &m->stage[i];
		x->stmt = &normal->stmt[i];
		bool recurs = expr_uses(x->stmt->value, x->stmt->name);
		if (recurs && !is_recurrence(x->stmt)) {
			strbuf_addf(why_not, "stages: '%s' is a recurrence not along its last index", x->stmt->name);
			return NULL;
		}
		if (x->stmt->value->kind == EXPR_REDUCE && x->stmt->value->op > OP_ARGMIN) {
			strbuf_addf(why_not, "stages: '%s' is an %s, which has no tile form", x->stmt->name, expr_op_text(x->stmt->value->op));
			return NULL;
		}
		x->ranks = ranks_of(normal, x->stmt);
		if (x->ranks && !are_ranks(normal, x->ranks))
			x->ranks = NULL;
		x->scheme = x->ranks ? BY_RANK : are_ranks(normal, x->stmt) ? RANKS : is_search(problem, normal, x->stmt) ? SEARCH : is_prefix(x->stmt) ? PREFIX : PLAIN;
		if (recurs)
			x->scheme = RECURRENCE;
		x->is_kept = recurs;
		m->sorts |= x->scheme == RANKS;
		for (size_t k = i + 1; k < m->count; k++)
			x->is_kept |= expr_uses(normal->stmt[k].value, x->stmt->name);
	}
	if (m->count == 1 && m->stage[0].scheme == PLAIN && m->stage[0].stmt->value->kind != EXPR_REDUCE && m->stage[0].stmt->index_count <= 3) {
		strbuf_addstr(why_not, "stages: a single map of three dimensions or less");
		return NULL;
	}
	return m;
}

bool stages_have(const struct match *m, enum scheme scheme)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->stage[i].scheme == scheme)
			return true;
	return false;
}
