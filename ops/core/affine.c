#include "ops/core/affine.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 64, MAX_STEPS = 256 };

static void add_term(struct affine *a, const struct expr *atom, int64_t coefficient)
{
	for (size_t i = 0; i < a->count; i++)
		if (expr_equal(a->term[i].atom, atom)) {
			a->is_exact &= !__builtin_add_overflow(a->term[i].coefficient, coefficient, &a->term[i].coefficient);
			if (!a->term[i].coefficient)
				a->term[i] = a->term[--a->count];
			return;
		}
	if (!coefficient)
		return;
	if (a->count < MAX_TERMS)
		a->term[a->count++] = (struct affine_term){ atom, coefficient };
	else
		a->is_exact = false;
}

static void add_constant(struct affine *a, int64_t scale, int64_t value)
{
	int64_t product;

	a->is_exact &= !__builtin_mul_overflow(scale, value, &product) &&
		       !__builtin_add_overflow(a->constant, product, &a->constant);
}

static struct affine empty(struct arena *arena)
{
	return (struct affine){ .term = ARENA_ARRAY(arena, struct affine_term, MAX_TERMS), .is_exact = true };
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b && (a < 0) != (b < 0));
}

static bool is_call(const struct expr *e, const char *name)
{
	return e->kind == EXPR_CALL && !strcmp(e->name, name);
}

static bool has_only_numbers(const struct expr *e)
{
	if (e->kind != EXPR_INT && e->kind != EXPR_NEG && e->kind != EXPR_BINARY && e->kind != EXPR_CALL && e->kind != EXPR_SELECT)
		return false;
	for (size_t i = 0; i < e->arg_count; i++)
		if (!has_only_numbers(e->arg[i]))
			return false;
	return true;
}

/* A value that needs no name. */
static bool constant_of(const struct expr *e, int64_t *value)
{
	struct strbuf err = STRBUF_INIT;

	if (!has_only_numbers(e))
		return false;
	bool is_constant = expr_int_value(e, NULL, 0, value, &err) == 0;
	strbuf_release(&err);
	return is_constant;
}

static void gather(struct arena *arena, struct affine *a, const struct expr *e, int64_t scale);

/*
 * Adds scale * (x // m), or scale * cdiv(x, m), m >= 1: what m divides comes
 * out, floor((m y + r) / m) = y + floor(r / m), so that equal quotients look equal.
 */
static void gather_quotient(struct arena *arena, struct affine *a, const struct expr *e, int64_t scale)
{
	struct affine x = empty(arena), rest = empty(arena);
	int64_t m = e->arg[1]->int_value, k;
	bool rounds_up = e->kind == EXPR_CALL;

	gather(arena, &x, e->arg[0], 1);
	if (!x.is_exact) {
		add_term(a, e, scale);
		return;
	}
	for (size_t i = 0; i < x.count; i++) {
		if (x.term[i].coefficient % m) {
			add_term(&rest, x.term[i].atom, x.term[i].coefficient);
			continue;
		}
		a->is_exact &= !__builtin_mul_overflow(scale, x.term[i].coefficient / m, &k);
		add_term(a, x.term[i].atom, k);
	}
	int64_t whole = rounds_up ? -floor_div(-x.constant, m) : floor_div(x.constant, m);
	if (!rest.count) {
		add_constant(a, scale, whole);
		return;
	}
	add_constant(a, scale, floor_div(x.constant, m));
	rest.constant = x.constant - floor_div(x.constant, m) * m;
	struct expr *q = ARENA_ARRAY(arena, struct expr, 1);
	*q = *e;
	q->arg = ARENA_ARRAY(arena, struct expr *, 2);
	q->arg[0] = affine_expr(arena, &rest);
	q->arg[1] = e->arg[1];
	add_term(a, q, scale);
}

/* Adds scale * e. */
static void gather(struct arena *arena, struct affine *a, const struct expr *e, int64_t scale)
{
	bool by_number = e->arg_count == 2 && e->arg[1]->kind == EXPR_INT && e->arg[1]->int_value >= 1;
	int64_t k;

	if (!a->is_exact)
		return;
	if (constant_of(e, &k)) {
		add_constant(a, scale, k);
	} else if (e->kind == EXPR_NEG) {
		gather(arena, a, e->arg[0], -scale);
	} else if (e->kind == EXPR_BINARY && (e->op == OP_ADD || e->op == OP_SUB)) {
		gather(arena, a, e->arg[0], scale);
		gather(arena, a, e->arg[1], e->op == OP_ADD ? scale : -scale);
	} else if (e->kind == EXPR_BINARY && e->op == OP_MUL && constant_of(e->arg[1], &k)) {
		a->is_exact &= !__builtin_mul_overflow(scale, k, &k);
		gather(arena, a, e->arg[0], k);
	} else if (e->kind == EXPR_BINARY && e->op == OP_MUL && constant_of(e->arg[0], &k)) {
		a->is_exact &= !__builtin_mul_overflow(scale, k, &k);
		gather(arena, a, e->arg[1], k);
	} else if (by_number && (is_call(e, "cdiv") || (e->kind == EXPR_BINARY && e->op == OP_FLOORDIV))) {
		gather_quotient(arena, a, e, scale);
	} else if (by_number && is_call(e, "rup")) {
		/* rup(x, m) = cdiv(x, m) * m: one atom for both. */
		struct expr *cdiv = ARENA_ARRAY(arena, struct expr, 1);
		*cdiv = *e;
		cdiv->name = "cdiv";
		a->is_exact &= !__builtin_mul_overflow(scale, e->arg[1]->int_value, &k);
		gather_quotient(arena, a, cdiv, k);
	} else {
		add_term(a, e, scale);
	}
}

struct affine affine_of(struct arena *arena, const struct expr *e)
{
	struct affine a = empty(arena);

	gather(arena, &a, e, 1);
	if (a.is_exact)
		return a;
	/* Numbers too large for a sum: e itself is an atom. */
	a = empty(arena);
	add_term(&a, e, 1);
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

/* A proof at work: what is known, and how many more steps it may take. */
struct proof {
	struct arena *arena;
	const struct facts *facts;
	int steps;
};

static bool is_never_negative(struct proof *proof, struct affine *a);

/* e with the names that have one value replaced by it. */
static const struct expr *with_values(struct proof *proof, const struct expr *e)
{
	const struct expr *before = e;

	for (size_t i = 0; i < proof->facts->count; i++) {
		const struct fact *f = &proof->facts->fact[i];
		if (f->lo && f->hi && f->lo->kind == EXPR_INT && f->hi->kind == EXPR_INT &&
		    f->lo->int_value == f->hi->int_value && expr_uses(e, f->name))
			e = expr_replace_name(proof->arena, e, f->name, (struct expr *)f->lo);
	}
	return e == before ? e : expr_simplify(proof->arena, e);
}

/* scale * a without term t. */
static struct affine without(struct proof *proof, const struct affine *a, size_t t, int64_t scale)
{
	struct affine rest = empty(proof->arena);
	int64_t k;

	for (size_t i = 0; i < a->count; i++)
		if (i != t) {
			rest.is_exact &= !__builtin_mul_overflow(a->term[i].coefficient, scale, &k);
			add_term(&rest, a->term[i].atom, k);
		}
	add_constant(&rest, scale, a->constant);
	return rest;
}

/* Replaces term t by coefficient * bound and goes on. */
static bool with_bound(struct proof *proof, const struct affine *a, size_t t, const struct expr *bound)
{
	struct affine next = without(proof, a, t, 1);

	gather(proof->arena, &next, with_values(proof, bound), a->term[t].coefficient);
	return is_never_negative(proof, &next);
}

static int64_t gcd(int64_t a, int64_t b)
{
	a = llabs(a);
	b = llabs(b);
	while (b) {
		int64_t t = a % b;
		a = b;
		b = t;
	}
	return a;
}

/*
 * m (x // m) lies in x - m + 1 .. x, m cdiv(x, m) in x .. x + m - 1.  All is
 * multiplied so that m divides the coefficient; a >= 0 is s a >= 1 - s for integers.
 */
static bool through_quotient(struct proof *proof, const struct affine *a, size_t t)
{
	const struct expr *e = a->term[t].atom;
	bool rounds_up = e->kind == EXPR_CALL;
	int64_t c = a->term[t].coefficient, m = e->arg[1]->int_value, s = m / gcd(c, m), k;
	struct affine next = without(proof, a, t, s);

	if (__builtin_mul_overflow(c, s, &k))
		return false;
	k /= m;
	gather(proof->arena, &next, e->arg[0], k);
	add_constant(&next, 1, s - 1);
	add_constant(&next, k, k > 0 ? (rounds_up ? 0 : 1 - m) : (rounds_up ? m - 1 : 0));
	return is_never_negative(proof, &next);
}

static bool le(struct proof *proof, const struct expr *a, const struct expr *b);

/* x % m with m >= 1: within 0 .. m-1, and equal to x - m (x // m). */
static bool through_remainder(struct proof *proof, const struct affine *a, size_t t)
{
	const struct expr *e = a->term[t].atom;
	struct arena *arena = proof->arena;
	struct expr *m = e->arg[1], *one = expr_int(arena, 1);

	if (!le(proof, one, m))
		return false;
	if (with_bound(proof, a, t, a->term[t].coefficient > 0 ? expr_int(arena, 0) : expr_binary(arena, OP_SUB, m, one)))
		return true;
	return m->kind == EXPR_INT &&
	       with_bound(proof, a, t, expr_binary(arena, OP_SUB, e->arg[0], expr_binary(arena, OP_MUL, m, expr_binary(arena, OP_FLOORDIV, e->arg[0], m))));
}

/* A product of things >= 1 is >= 1, a quotient of something >= 0 by something >= 1 is >= 0. */
static bool through_sign(struct proof *proof, const struct affine *a, size_t t)
{
	const struct expr *e = a->term[t].atom;
	struct expr *one = expr_int(proof->arena, 1), *least = e->op == OP_MUL ? one : expr_int(proof->arena, 0);

	return a->term[t].coefficient > 0 && le(proof, least, e->arg[0]) && le(proof, one, e->arg[1]) && with_bound(proof, a, t, least);
}

/* Position of the latest fact about an atom's name, or -1. */
static int fact_of(const struct facts *facts, const struct expr *atom)
{
	for (size_t i = facts->count; atom->kind == EXPR_NAME && i-- > 0;)
		if (!strcmp(facts->fact[i].name, atom->name))
			return (int)i;
	return -1;
}

static bool term_bounded(struct proof *proof, const struct affine *a, size_t t)
{
	const struct expr *e = a->term[t].atom;
	bool wants_low = a->term[t].coefficient > 0, by_number = e->arg_count == 2 && e->arg[1]->kind == EXPR_INT && e->arg[1]->int_value >= 1;
	int f = fact_of(proof->facts, e);

	if (f >= 0) {
		const struct expr *bound = wants_low ? proof->facts->fact[f].lo : proof->facts->fact[f].hi;
		return bound && with_bound(proof, a, t, bound);
	}
	if (is_call(e, "minimum") || is_call(e, "maximum")) {
		bool is_min = e->name[1] == 'i';
		/* Above a minimum either argument is a bound; below it both must do. */
		if (wants_low != is_min)
			return with_bound(proof, a, t, e->arg[0]) || with_bound(proof, a, t, e->arg[1]);
		return with_bound(proof, a, t, e->arg[0]) && with_bound(proof, a, t, e->arg[1]);
	}
	if (e->kind == EXPR_SELECT)
		return with_bound(proof, a, t, e->arg[1]) && with_bound(proof, a, t, e->arg[2]);
	if (by_number && (is_call(e, "cdiv") || (e->kind == EXPR_BINARY && e->op == OP_FLOORDIV)))
		return through_quotient(proof, a, t);
	if (e->kind == EXPR_BINARY && e->op == OP_MOD)
		return through_remainder(proof, a, t);
	if (e->kind == EXPR_BINARY && (e->op == OP_MUL || e->op == OP_FLOORDIV))
		return through_sign(proof, a, t);
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
 * Which term goes first: the one with the latest name, so that bounds only
 * mention earlier names.  Of equals, those that fall apart before those that
 * lose something: choices, remainders, quotients, and plain names last, since
 * the names inside the others may cancel them.
 */
static int rank_of(const struct facts *facts, const struct expr *e)
{
	int kind = e->kind == EXPR_SELECT || is_call(e, "minimum") || is_call(e, "maximum") ? 3 :
		   e->kind == EXPR_BINARY && e->op == OP_MOD                                ? 2 :
		   e->kind != EXPR_NAME                                                     ? 1 : 0;

	return 4 * (latest_fact(facts, e) + 1) + kind;
}

/* Is the least value of a >= 0?  false also when the steps are used up.  Changes *a. */
static bool is_never_negative(struct proof *proof, struct affine *a)
{
	size_t first = 0;
	int rank = -1;
	int64_t divisor = 0;

	if (!a->is_exact)
		return false;
	if (!a->count)
		return a->constant >= 0;
	if (proof->steps-- <= 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		int r = rank_of(proof->facts, a->term[i].atom);
		divisor = gcd(divisor, a->term[i].coefficient);
		if (r > rank) {
			rank = r;
			first = i;
		}
	}
	/* g x + c >= 0 is x + c // g >= 0. */
	for (size_t i = 0; divisor > 1 && i < a->count; i++)
		a->term[i].coefficient /= divisor;
	if (divisor > 1)
		a->constant = floor_div(a->constant, divisor);
	return term_bounded(proof, a, first);
}

static bool le(struct proof *proof, const struct expr *a, const struct expr *b)
{
	struct affine d = empty(proof->arena);

	gather(proof->arena, &d, with_values(proof, b), 1);
	gather(proof->arena, &d, with_values(proof, a), -1);
	return is_never_negative(proof, &d);
}

bool affine_le(struct arena *arena, const struct facts *facts, const struct expr *a,
	       const struct expr *b)
{
	struct proof proof = { arena, facts, MAX_STEPS };

	return le(&proof, a, b);
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
	if (constant_of(e, &value))
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
