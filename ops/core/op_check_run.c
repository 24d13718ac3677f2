#include "ops/core/inputs.h"
#include "ops/core/interp.h"
#include "ops/core/normal.h"
#include "ops/core/op_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bounds at the declared shapes ------------------------------------ */

/* Both ends inclusive; unknown when not `known`. */
struct interval {
	int64_t lo, hi;
	bool known;
};

struct name_interval {
	const char *name;
	struct interval value;
};

struct bounds {
	const struct problem *problem;
	const struct normal *form;
	struct name_interval index[32];
	size_t index_count;
	struct strbuf *err;
	bool bad;
};

static struct interval point(int64_t v) { return (struct interval){ v, v, true }; }
static const struct interval unknown;

static struct interval of_name(const struct bounds *b, const char *name)
{
	for (size_t i = b->index_count; i-- > 0;)
		if (!strcmp(b->index[i].name, name))
			return b->index[i].value;
	for (size_t i = 0; i < b->problem->binding_count; i++)
		if (!strcmp(b->problem->binding[i].name, name))
			return point(b->problem->binding[i].value);
	return unknown;
}

/*
 * Exact for what is linear in indices that occur once and whose ranges are
 * constant; everything else is unknown: the run over the check shapes judges it.
 */
static struct interval of_expr(const struct bounds *b, const struct expr *e)
{
	struct interval x, y;

	if (e->kind == EXPR_INT)
		return point(e->int_value);
	if (e->kind == EXPR_NAME)
		return of_name(b, e->name);
	if (e->kind != EXPR_BINARY)
		return unknown;
	x = of_expr(b, e->arg[0]);
	y = of_expr(b, e->arg[1]);
	if (!x.known || !y.known)
		return unknown;
	/* An index on both sides: the ends do not meet. */
	for (size_t i = 0; i < b->index_count; i++)
		if (expr_uses(e->arg[0], b->index[i].name) && expr_uses(e->arg[1], b->index[i].name))
			return unknown;
	switch (e->op) {
	case OP_ADD: return (struct interval){ x.lo + y.lo, x.hi + y.hi, true };
	case OP_SUB: return (struct interval){ x.lo - y.hi, x.hi - y.lo, true };
	case OP_MUL:
		if (x.lo < 0 || y.lo < 0)
			return unknown;
		return (struct interval){ x.lo * y.lo, x.hi * y.hi, true };
	case OP_FLOORDIV:
		if (x.lo < 0 || y.lo != y.hi || y.lo <= 0)
			return unknown;
		return (struct interval){ x.lo / y.lo, x.hi / y.lo, true };
	default: return unknown;
	}
}

static void add_index(struct bounds *b, const struct expr_range *r)
{
	struct interval lo = of_expr(b, r->lo), hi = of_expr(b, r->hi);
	bool constant = lo.known && hi.known && lo.lo == lo.hi && hi.lo == hi.hi && lo.lo < hi.lo;

	if (b->index_count < ARRAY_SIZE(b->index))
		b->index[b->index_count++] = (struct name_interval){
			r->name, constant ? (struct interval){ lo.lo, hi.hi - 1, true } : unknown };
}

static void check_access(struct bounds *b, const struct expr *e)
{
	int t = op_tensor_index(b->problem->op, e->name);
	const struct normal_stmt *s = normal_find(b->form, e->name);
	struct strbuf where = STRBUF_INIT;
	int64_t extent[8] = { 0 };
	int rank = 0;

	if (t >= 0)
		rank = problem_shape(b->problem, t, extent);
	for (size_t i = 0; s && t < 0 && i < s->index_count && i < 8; i++, rank++) {
		struct interval hi = of_expr(b, s->index[i].hi);
		extent[i] = hi.known && hi.lo == hi.hi ? hi.lo : INT64_MAX;
	}
	problem_print(b->problem, &where);
	for (int i = 0; i < rank && (size_t)i < e->arg_count && !b->bad; i++) {
		struct interval at = of_expr(b, e->arg[i]);
		if (!at.known || (at.lo >= 0 && at.hi < extent[i]))
			continue;
		b->bad = true;
		op_fault(b->problem->op, "", b->err,
			 "body: read of '%s' outside: dimension %d is read at %" PRId64 "..%" PRId64 " of 0..%" PRId64
			 " at %s: change the position, or give a value outside with 'else'",
			 e->name, i, at.lo, at.hi, extent[i] - 1, where.buf);
	}
	strbuf_release(&where);
}

/* Guarded accesses (behind ?:, && or a filter) may be out of bounds as written. */
static void check_bounds(struct bounds *b, const struct expr *e, bool is_guarded)
{
	size_t saved = b->index_count;

	if (!e || b->bad)
		return;
	if (e->kind == EXPR_ACCESS && !e->otherwise && !is_guarded)
		check_access(b, e);
	for (size_t i = 0; i < e->range_count; i++) {
		check_bounds(b, e->range[i].lo, is_guarded);
		check_bounds(b, e->range[i].hi, is_guarded);
		add_index(b, &e->range[i]);
	}
	check_bounds(b, e->filter, is_guarded);
	for (size_t i = 0; i < e->arg_count; i++)
		check_bounds(b, e->arg[i], is_guarded || e->filter || (i && (e->kind == EXPR_SELECT ||
			     (e->kind == EXPR_BINARY && (e->op == OP_AND || e->op == OP_OR)))));
	check_bounds(b, e->otherwise, true);
	b->index_count = saved;
}

static int bounds_at(const struct problem *p, enum op_use use, void *user)
{
	struct arena arena = ARENA_INIT;
	struct normal form;
	struct bounds b = { .problem = p, .form = &form, .err = user };

	(void)use;
	b.bad = normal_form(&arena, p->op, p->dtype, p->attr, &form, b.err) != 0;
	for (size_t i = 0; !b.bad && i < form.stmt_count; i++) {
		b.index_count = 0;
		for (size_t k = 0; k < form.stmt[i].index_count; k++)
			add_index(&b, &form.stmt[i].index[k]);
		check_bounds(&b, form.stmt[i].value, false);
	}
	arena_release(&arena);
	return b.bad;
}

/* ---- body against reference ------------------------------------------- */

struct trial {
	const struct problem *problem;
	struct arena arena;
	double *value[OP_MAX_TENSORS];
	int64_t elems[OP_MAX_TENSORS];
};

static double read_value(const void *user, int tensor, int64_t index)
{
	return ((const struct trial *)user)->value[tensor][index];
}

static int compare(struct trial *x, struct interp *in, int t, struct strbuf *err)
{
	const struct op *op = x->problem->op;
	double got, magnitude;

	for (int64_t i = 0; i < x->elems[t]; i++) {
		if (interp_value_magnitude(in, t, i, &got, &magnitude, err)) {
			strbuf_addstr(err, ": change the position, or guard it with 'else' or '?:'");
			return -1;
		}
		double want = x->value[t][i];
		bool same = got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= 1e-9 * magnitude;
		if (!same) {
			struct strbuf where = STRBUF_INIT;
			problem_print(x->problem, &where);
			op_fault(op, "", err, "body and reference disagree: %s[%" PRId64 "] is %.9g by the body, %.9g by the reference at %s: correct one",
				 op->tensor[t].name, i, got, want, where.buf);
			strbuf_release(&where);
			return -1;
		}
	}
	return 0;
}

static int run_with(const struct problem *p, enum distribution d, struct strbuf *err)
{
	struct trial x = { .problem = p };
	struct interp *interp = NULL;
	int ret = -1;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		x.elems[t] = problem_elems(p, t);
		x.value[t] = ARENA_ARRAY(&x.arena, double, x.elems[t] + 1);
		if (p->op->tensor[t].role == OP_IN)
			inputs_values(p, t, d, 1, x.value[t]);
	}
	problem_reference(p, x.value);
	interp = interp_open(p, read_value, &x, err);
	if (!interp)
		goto out;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_OUT && compare(&x, interp, t, err))
			goto out;
	ret = 0;
out:
	interp_close(interp);
	arena_release(&x.arena);
	return ret;
}

/* Usual values, those on which ties and thresholds fall, and scales at which an unstable form overflows. */
static int run_at(const struct problem *p, enum op_use use, void *user)
{
	(void)use;
	return run_with(p, INPUTS_normal, user) || run_with(p, INPUTS_grid, user) || run_with(p, INPUTS_wide, user) ? -1 : 0;
}

bool op_check_run(const struct op *op, struct strbuf *err)
{
	return !problem_each(op, ~0u, 1, bounds_at, err, err) && !problem_each(op, OP_CHECK, 1, run_at, err, err);
}
