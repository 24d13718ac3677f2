/*
 * What part of every statement a few elements of an output need: intervals of the indices,
 * carried from reader to read, last statement first.  Conditions are not looked at: a part may
 * be larger than needed, never smaller.
 */
#include "ops/core/loops_print.h"
#include "ops/core/memory.h"

#include <stdlib.h>
#include <string.h>

/* First and end of an integer's values. */
struct part {
	int64_t lo, end;
};
static const struct part anything = { -(INT64_C(1) << 56), INT64_C(1) << 56 };

struct boxes {
	struct printer *printer;
	struct part (*part)[LOOPS_RANK]; /* by statement and index; lo >= end: not needed */
	struct { const char *name; struct part value; } scope[32];
	size_t scope_count;
};

static struct part part_of(const struct boxes *b, const struct expr *e);

static struct part corners(enum expr_op op, struct part x, struct part y)
{
	int64_t a[2] = { x.lo, x.end - 1 }, c[2] = { y.lo, y.end - 1 };
	__int128 least = 0, most = 0;

	for (int i = 0; i < 4; i++) {
		__int128 p = a[i & 1], q = c[i >> 1], v = op == OP_ADD ? p + q : op == OP_SUB ? p - q : p * q;
		least = !i || v < least ? v : least;
		most = !i || v > most ? v : most;
	}
	if (least < anything.lo || most >= anything.end)
		return anything;
	return (struct part){ (int64_t)least, (int64_t)most + 1 };
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b && (a < 0) != (b < 0));
}

static struct part of_binary(enum expr_op op, struct part x, struct part y)
{
	bool is_positive = y.lo == y.end - 1 && y.lo > 0;

	if (op == OP_ADD || op == OP_SUB || op == OP_MUL)
		return corners(op, x, y);
	if (op == OP_FLOORDIV && is_positive)
		return (struct part){ floor_div(x.lo, y.lo), floor_div(x.end - 1, y.lo) + 1 };
	if (op == OP_MOD && is_positive)
		return floor_div(x.lo, y.lo) == floor_div(x.end - 1, y.lo) ?
			       (struct part){ x.lo - floor_div(x.lo, y.lo) * y.lo, x.end - floor_div(x.lo, y.lo) * y.lo } :
			       (struct part){ 0, y.lo };
	return anything;
}

static struct part of_name(const struct boxes *b, const char *name)
{
	const struct problem *p = b->printer->problem;

	for (size_t i = b->scope_count; i-- > 0;)
		if (!strcmp(b->scope[i].name, name))
			return b->scope[i].value;
	for (size_t i = 0; i < p->binding_count; i++)
		if (!strcmp(p->binding[i].name, name))
			return (struct part){ p->binding[i].value, p->binding[i].value + 1 };
	return anything;
}

static struct part of_call(const struct boxes *b, const struct expr *e)
{
	struct part x = part_of(b, e->arg[0]), y = e->arg_count > 1 ? part_of(b, e->arg[1]) : x;
	bool is_max = !strcmp(e->name, "maximum");

	if (is_max || !strcmp(e->name, "minimum"))
		return is_max ? (struct part){ x.lo > y.lo ? x.lo : y.lo, x.end > y.end ? x.end : y.end } :
				(struct part){ x.lo < y.lo ? x.lo : y.lo, x.end < y.end ? x.end : y.end };
	if (!strcmp(e->name, "abs")) {
		int64_t least = x.lo > 0 ? x.lo : x.end <= 0 ? 1 - x.end : 0, below = 1 - x.lo;
		return (struct part){ least, x.end > below ? x.end : below };
	}
	if (!strcmp(e->name, "cdiv") && y.lo == y.end - 1 && y.lo > 0)
		return (struct part){ -floor_div(-x.lo, y.lo), -floor_div(-(x.end - 1), y.lo) + 1 };
	return anything;
}

static struct part part_of(const struct boxes *b, const struct expr *e)
{
	struct part x, y;

	switch (e->kind) {
	case EXPR_INT: return (struct part){ e->int_value, e->int_value + 1 };
	case EXPR_NAME: return of_name(b, e->name);
	case EXPR_NEG: return corners(OP_SUB, (struct part){ 0, 1 }, part_of(b, e->arg[0]));
	case EXPR_BINARY: return of_binary(e->op, part_of(b, e->arg[0]), part_of(b, e->arg[1]));
	case EXPR_CALL: return of_call(b, e);
	case EXPR_SELECT:
		x = part_of(b, e->arg[1]);
		y = part_of(b, e->arg[2]);
		return (struct part){ x.lo < y.lo ? x.lo : y.lo, x.end > y.end ? x.end : y.end };
	default: return anything;
	}
}

static int64_t extent_of(const struct boxes *b, const struct normal_stmt *s, size_t i)
{
	const struct problem *p = b->printer->problem;
	struct strbuf ignored = STRBUF_INIT;
	int64_t extent;

	/* Exact where it is of dimensions alone, as it is but for lists of data's own length. */
	if (expr_int_value(s->index[i].hi, p->binding, p->binding_count, &extent, &ignored))
		extent = part_of(b, s->index[i].hi).end - 1;
	strbuf_release(&ignored);
	return extent;
}

/* Widens what is needed of statement k, index i, to hold `p`, as far as there is. */
static void need(struct boxes *b, size_t k, size_t i, struct part p)
{
	struct part *now = &b->part[k][i];
	int64_t extent = extent_of(b, &b->printer->normal.stmt[k], i);

	p.lo = p.lo < 0 ? 0 : p.lo;
	p.end = p.end > extent ? extent : p.end;
	if (p.lo >= p.end)
		return;
	if (now->lo >= now->end) {
		*now = p;
		return;
	}
	now->lo = p.lo < now->lo ? p.lo : now->lo;
	now->end = p.end > now->end ? p.end : now->end;
}

static void need_whole(struct boxes *b, size_t k)
{
	for (size_t i = 0; i < b->printer->normal.stmt[k].index_count; i++)
		need(b, k, i, anything);
}

static void enter(struct boxes *b, const char *name, struct part value)
{
	if (b->scope_count < ARRAY_SIZE(b->scope)) {
		b->scope[b->scope_count].name = name;
		b->scope[b->scope_count++].value = value;
	}
}

/* What e, with its indices in scope, reads of other statements. */
static void need_reads(struct boxes *b, const struct expr *e)
{
	size_t saved = b->scope_count;

	if (!e)
		return;
	for (size_t i = 0; i < e->range_count; i++) {
		struct part lo = part_of(b, e->range[i].lo), hi = part_of(b, e->range[i].hi);
		enter(b, e->range[i].name, (struct part){ lo.lo, hi.end - 1 });
	}
	if (e->kind == EXPR_ACCESS)
		for (size_t k = 0; k < b->printer->normal.stmt_count; k++)
			if (!strcmp(b->printer->normal.stmt[k].name, e->name))
				for (size_t i = 0; i < e->arg_count; i++)
					need(b, k, i, part_of(b, e->arg[i]));
	for (size_t i = 0; i < e->arg_count; i++)
		need_reads(b, e->arg[i]);
	need_reads(b, e->otherwise);
	need_reads(b, e->filter);
	b->scope_count = saved;
}

/* The statements of a group share their outer loops: there they need the same. */
static void join_group(struct boxes *b)
{
	const struct printer *p = b->printer;

	for (size_t k = p->group_first; k < p->group_end; k++)
		for (size_t j = p->group_first; j < p->group_end; j++)
			for (size_t i = 0; i < p->prefix; i++)
				need(b, j, i, b->part[k][i]);
}

/* The needs of the statements of the group at hand, which are complete, made those of what they read. */
static void pass_on(struct boxes *b)
{
	const struct printer *p = b->printer;

	for (size_t k = p->group_end; k-- > p->group_first;) {
		const struct normal_stmt *s = &p->normal.stmt[k];
		join_group(b);
		/* A running value starts at the beginning. */
		if (loops_is_scan(s))
			need(b, k, s->index_count - 1, (struct part){ 0, b->part[k][s->index_count - 1].end });
		for (size_t i = 0; i < s->index_count; i++)
			enter(b, s->index[i].name, b->part[k][i]);
		need_reads(b, s->value);
		b->scope_count = 0;
	}
	join_group(b);
}

/* A recurrence needs all that it may have passed. */
static void need_recurrences(struct boxes *b)
{
	const struct normal *n = &b->printer->normal;

	for (size_t k = 0; k < n->stmt_count; k++)
		for (size_t j = k; j < n->stmt_count; j++)
			if (expr_uses(n->stmt[k].value, n->stmt[j].name)) {
				need_whole(b, k);
				need_whole(b, j);
			}
}

static double work_of(struct boxes *b, size_t k)
{
	const struct normal_stmt *s = &b->printer->normal.stmt[k];
	double work = 1;

	for (size_t i = 0; i < s->index_count; i++) {
		work *= (double)(b->part[k][i].end - b->part[k][i].lo);
		enter(b, s->index[i].name, b->part[k][i]);
	}
	for (size_t i = 0; i < s->value->range_count; i++) {
		struct part lo = part_of(b, s->value->range[i].lo), hi = part_of(b, s->value->range[i].hi);
		work *= hi.end - 1 > lo.lo ? (double)(hi.end - 1 - lo.lo) : 0;
	}
	b->scope_count = 0;
	return work;
}

/* What an output's statement k needs: the smallest part that holds the elements. */
static void need_elements(struct boxes *b, size_t k, const int64_t *element, size_t count)
{
	const struct normal_stmt *s = &b->printer->normal.stmt[k];

	for (size_t e = 0; e < count; e++) {
		int64_t rest = element[e];
		for (size_t i = s->index_count; i-- > 0;) {
			int64_t extent = extent_of(b, s, i);
			need(b, k, i, (struct part){ rest % extent, rest % extent + 1 });
			rest /= extent;
		}
	}
}

int loops_box(const struct problem *problem, int tensor, const int64_t *element, size_t elements, int64_t **box, double *work, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct printer p = { .problem = problem, .arithmetic = LOOPS_DOUBLE, .boxed = true, .pairs = true, .err = err };
	struct boxes b = { .printer = &p };
	int ret = -1;

	if (loops_prepare(&p, &arena))
		goto out;
	size_t count = p.normal.stmt_count, *start = ARENA_ARRAY(&arena, size_t, count + 1), groups = 0;
	b.part = arena_alloc(&arena, count * sizeof(*b.part));
	for (size_t k = 0; k < count; k++)
		if (p.normal.stmt[k].tensor == tensor)
			need_elements(&b, k, element, elements);
	need_recurrences(&b);
	for (size_t i = 0; i < count; i = p.group_end) {
		loops_group(&p, i);
		start[groups++] = i;
	}
	while (groups--) {
		loops_group(&p, start[groups]);
		pass_on(&b);
	}
	*box = calloc(2 * LOOPS_RANK * count + 1, sizeof(**box));
	if (!*box)
		out_of_memory((2 * LOOPS_RANK * count + 1) * sizeof(**box));
	*work = 0;
	for (size_t k = 0; k < count; k++) {
		for (size_t i = 0; i < p.normal.stmt[k].index_count; i++) {
			(*box)[2 * (LOOPS_RANK * k + i)] = b.part[k][i].lo;
			(*box)[2 * (LOOPS_RANK * k + i) + 1] = b.part[k][i].end;
		}
		*work += work_of(&b, k);
	}
	ret = 0;
out:
	arena_release(&arena);
	return ret;
}
