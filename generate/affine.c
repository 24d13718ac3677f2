#include "generate/affine.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 64 };

static void add_term(struct affine *a, const struct expr *atom, int64_t coefficient)
{
	for (size_t i = 0; i < a->count; i++)
		if (expr_equal(a->term[i].atom, atom)) {
			a->term[i].coefficient += coefficient;
			if (!a->term[i].coefficient)
				a->term[i] = a->term[--a->count];
			return;
		}
	if (coefficient && a->count < MAX_TERMS)
		a->term[a->count++] = (struct affine_term){ atom, coefficient };
}

static bool constant_of(struct arena *arena, const struct expr *e, int64_t *value);

/* Adds scale * e. */
static void gather(struct arena *arena, struct affine *a, const struct expr *e, int64_t scale)
{
	int64_t k;

	if (e->kind == EXPR_INT) {
		a->constant += scale * e->int_value;
	} else if (e->kind == EXPR_NEG) {
		gather(arena, a, e->arg[0], -scale);
	} else if (e->kind == EXPR_BINARY && e->op == OP_ADD) {
		gather(arena, a, e->arg[0], scale);
		gather(arena, a, e->arg[1], scale);
	} else if (e->kind == EXPR_BINARY && e->op == OP_SUB) {
		gather(arena, a, e->arg[0], scale);
		gather(arena, a, e->arg[1], -scale);
	} else if (e->kind == EXPR_BINARY && e->op == OP_MUL && constant_of(arena, e->arg[1], &k)) {
		gather(arena, a, e->arg[0], scale * k);
	} else if (e->kind == EXPR_BINARY && e->op == OP_MUL && constant_of(arena, e->arg[0], &k)) {
		gather(arena, a, e->arg[1], scale * k);
	} else if (constant_of(arena, e, &k)) {
		a->constant += scale * k;
	} else if (e->kind == EXPR_CALL && !strcmp(e->name, "rup") && e->arg[1]->kind == EXPR_INT) {
		/* rup(x, m) = cdiv(x, m) * m: one atom for both. */
		struct expr *cdiv = ARENA_ARRAY(arena, struct expr, 1);
		*cdiv = *e;
		cdiv->name = "cdiv";
		add_term(a, cdiv, scale * e->arg[1]->int_value);
	} else {
		add_term(a, e, scale);
	}
}

/* A value that needs no name. */
static bool constant_of(struct arena *arena, const struct expr *e, int64_t *value)
{
	struct strbuf err = STRBUF_INIT;
	bool is_constant = expr_int_value(e, NULL, 0, value, &err) == 0;

	(void)arena;
	strbuf_release(&err);
	return is_constant;
}

struct affine affine_of(struct arena *arena, const struct expr *e)
{
	struct affine a = { .term = ARENA_ARRAY(arena, struct affine_term, MAX_TERMS) };

	gather(arena, &a, e, 1);
	return a;
}

struct expr *affine_expr(struct arena *arena, const struct affine *affine)
{
	struct expr *e = NULL;

	for (size_t i = 0; i < affine->count; i++) {
		int64_t c = affine->term[i].coefficient, size = c < 0 && e ? -c : c;
		struct expr *t = (struct expr *)affine->term[i].atom;
		if (size != 1)
			t = expr_binary(arena, OP_MUL, t, expr_int(arena, size));
		e = e ? expr_binary(arena, c < 0 ? OP_SUB : OP_ADD, e, t) : t;
	}
	if (!e)
		return expr_int(arena, affine->constant);
	if (affine->constant)
		e = expr_binary(arena, affine->constant < 0 ? OP_SUB : OP_ADD, e, expr_int(arena, llabs(affine->constant)));
	return e;
}

bool affine_stride(struct arena *arena, const struct expr *e, const char *name, int64_t *stride)
{
	struct affine a = affine_of(arena, e);

	*stride = 0;
	for (size_t i = 0; i < a.count; i++) {
		if (a.term[i].atom->kind == EXPR_NAME && !strcmp(a.term[i].atom->name, name))
			*stride = a.term[i].coefficient;
		else if (expr_uses(a.term[i].atom, name))
			return false;
	}
	return true;
}

/* ---- proofs ---------------------------------------------------------- */

/* Position of the latest fact about an atom's name, or -1. */
static int fact_of(const struct facts *facts, const struct expr *atom)
{
	for (size_t i = facts->count; atom->kind == EXPR_NAME && i-- > 0;)
		if (!strcmp(facts->fact[i].name, atom->name))
			return (int)i;
	return -1;
}

static bool least_at_least_zero(struct arena *arena, const struct facts *facts, const struct affine *a, int fuel);

/* Replaces term t by coefficient * bound and goes on. */
static bool with_bound(struct arena *arena, const struct facts *facts, const struct affine *a, size_t t,
		       const struct expr *bound, int fuel)
{
	struct affine next = { .term = ARENA_ARRAY(arena, struct affine_term, MAX_TERMS), .constant = a->constant };

	for (size_t i = 0; i < a->count; i++)
		if (i != t)
			add_term(&next, a->term[i].atom, a->term[i].coefficient);
	gather(arena, &next, bound, a->term[t].coefficient);
	return least_at_least_zero(arena, facts, &next, fuel - 1);
}

static bool is_call(const struct expr *e, const char *name)
{
	return e->kind == EXPR_CALL && !strcmp(e->name, name);
}

/* c * (x // m) with c = k m lies in k (x - m + 1) .. k x; other c only by x >= 0. */
static bool through_division(struct arena *arena, const struct facts *facts, const struct affine *a, size_t t,
			     bool rounds_up, int fuel)
{
	const struct expr *e = a->term[t].atom, *x = e->arg[0];
	int64_t c = a->term[t].coefficient, m = e->arg[1]->int_value;

	if (m < 1 || c % m)
		return false;
	/* The extreme of m * (x // m), or of m * cdiv(x, m), that makes the whole least. */
	int64_t shift = rounds_up ? (c > 0 ? 0 : m - 1) : (c > 0 ? 1 - m : 0);
	struct affine next = { .term = ARENA_ARRAY(arena, struct affine_term, MAX_TERMS), .constant = a->constant };
	for (size_t i = 0; i < a->count; i++)
		if (i != t)
			add_term(&next, a->term[i].atom, a->term[i].coefficient);
	gather(arena, &next, x, c / m);
	next.constant += c / m * shift;
	return least_at_least_zero(arena, facts, &next, fuel - 1);
}

static bool term_bounded(struct arena *arena, const struct facts *facts, const struct affine *a, size_t t, int fuel)
{
	const struct expr *e = a->term[t].atom;
	bool wants_low = a->term[t].coefficient > 0;
	int f = fact_of(facts, e);

	if (f >= 0) {
		const struct expr *bound = wants_low ? facts->fact[f].lo : facts->fact[f].hi;
		return bound && with_bound(arena, facts, a, t, bound, fuel);
	}
	if (is_call(e, "minimum") || is_call(e, "maximum")) {
		bool is_min = e->name[1] == 'i';
		/* Above a minimum either argument is a bound; below it both must do. */
		if (wants_low != is_min)
			return with_bound(arena, facts, a, t, e->arg[0], fuel) || with_bound(arena, facts, a, t, e->arg[1], fuel);
		return with_bound(arena, facts, a, t, e->arg[0], fuel) && with_bound(arena, facts, a, t, e->arg[1], fuel);
	}
	if (e->kind == EXPR_BINARY && e->op == OP_MOD && e->arg[1]->kind == EXPR_INT)
		return with_bound(arena, facts, a, t, expr_int(arena, wants_low ? 0 : e->arg[1]->int_value - 1), fuel);
	if (e->kind == EXPR_BINARY && e->op == OP_FLOORDIV && e->arg[1]->kind == EXPR_INT) {
		if (through_division(arena, facts, a, t, false, fuel))
			return true;
		/* 0 <= x // m <= x for x >= 0. */
		return affine_le(arena, facts, expr_int(arena, 0), e->arg[0]) &&
		       with_bound(arena, facts, a, t, wants_low ? expr_int(arena, 0) : e->arg[0], fuel);
	}
	if (is_call(e, "cdiv") && e->arg[1]->kind == EXPR_INT) {
		if (through_division(arena, facts, a, t, true, fuel))
			return true;
		return wants_low && affine_le(arena, facts, expr_int(arena, 1), e->arg[0]) &&
		       with_bound(arena, facts, a, t, expr_int(arena, 1), fuel);
	}
	return false;
}

/* Position of the latest fact about any name inside e, or -1. */
static int latest_fact(const struct facts *facts, const struct expr *e)
{
	for (size_t i = facts->count; i-- > 0;)
		if (expr_uses(e, facts->fact[i].name))
			return (int)i;
	return -1;
}

/*
 * Is the least value of a >= 0?  Terms go by their latest fact first, so that
 * bounds only mention earlier names; what is not a plain name goes just before
 * the names inside it, since these may cancel other terms.
 */
static bool least_at_least_zero(struct arena *arena, const struct facts *facts, const struct affine *a, int fuel)
{
	size_t latest = 0;
	int rank = -4;

	if (!a->count)
		return a->constant >= 0;
	if (fuel <= 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct expr *e = a->term[i].atom;
		int r = 2 * latest_fact(facts, e) + (e->kind != EXPR_NAME);
		if (r > rank) {
			rank = r;
			latest = i;
		}
	}
	return term_bounded(arena, facts, a, latest, fuel);
}

bool affine_le(struct arena *arena, const struct facts *facts, const struct expr *a,
	       const struct expr *b)
{
	struct affine d = { .term = ARENA_ARRAY(arena, struct affine_term, MAX_TERMS) };

	gather(arena, &d, b, 1);
	gather(arena, &d, a, -1);
	return least_at_least_zero(arena, facts, &d, 24);
}

bool affine_interval(struct arena *arena, const struct facts *facts, const struct expr *e,
		     int64_t *lo, int64_t *hi)
{
	/* The tightest constants a proof finds, by doubling and halving. */
	int64_t bound[2] = { 0, 0 };

	for (int side = 0; side < 2; side++) {
		int64_t good = INT64_MAX;
		for (int64_t k = 1; k < (INT64_C(1) << 40) && good == INT64_MAX; k *= 4) {
			struct expr *limit = expr_int(arena, side ? k : -k);
			if (side ? affine_le(arena, facts, e, limit) : affine_le(arena, facts, limit, e))
				good = k;
		}
		if (good == INT64_MAX)
			return false;
		int64_t bad = -good - 1;
		while (good - bad > 1) {
			int64_t middle = bad + (good - bad) / 2;
			struct expr *limit = expr_int(arena, side ? middle : -middle);
			if (side ? affine_le(arena, facts, e, limit) : affine_le(arena, facts, limit, e))
				good = middle;
			else
				bad = middle;
		}
		bound[side] = side ? good : -good;
	}
	*lo = bound[0];
	*hi = bound[1];
	return true;
}

struct expr *expr_simplify(struct arena *arena, const struct expr *e)
{
	int64_t value;

	if (e->kind == EXPR_INT || e->kind == EXPR_REAL || e->kind == EXPR_NAME)
		return (struct expr *)e;
	if (constant_of(arena, e, &value))
		return expr_int(arena, value);
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	if (e->arg_count)
		copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = expr_simplify(arena, e->arg[i]);
	if (copy->kind == EXPR_BINARY && copy->op <= OP_MOD && copy->op != OP_DIV) {
		const struct expr *a = copy->arg[0], *b = copy->arg[1];
		bool a0 = a->kind == EXPR_INT && !a->int_value, b0 = b->kind == EXPR_INT && !b->int_value;
		bool a1 = a->kind == EXPR_INT && a->int_value == 1, b1 = b->kind == EXPR_INT && b->int_value == 1;
		if ((b0 && (copy->op == OP_ADD || copy->op == OP_SUB)) || (b1 && (copy->op == OP_MUL || copy->op == OP_FLOORDIV)))
			return copy->arg[0];
		if ((a0 && copy->op == OP_ADD) || (a1 && copy->op == OP_MUL))
			return copy->arg[1];
		if ((copy->op == OP_MUL && (a0 || b0)) || (copy->op == OP_MOD && b1))
			return expr_int(arena, 0);
	}
	return copy;
}
