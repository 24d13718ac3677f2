#include "generate/polynomial.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_TERMS = 8 }; /* room; doubled whenever it is full */

static struct polynomial empty(struct arena *arena)
{
	return (struct polynomial){ ARENA_ARRAY(arena, struct polynomial_term, FIRST_TERMS), 0 };
}

static bool has_factor(const struct polynomial_term *t, const struct expr *factor, bool *used)
{
	for (size_t i = 0; i < t->factor_count; i++)
		if (!used[i] && expr_equal(t->factor[i], factor)) {
			used[i] = true;
			return true;
		}
	return false;
}

static bool same_factors(const struct polynomial_term *a, const struct polynomial_term *b)
{
	bool used[16] = { false };

	if (a->factor_count != b->factor_count || a->factor_count > 16)
		return false;
	for (size_t i = 0; i < a->factor_count; i++)
		if (!has_factor(b, a->factor[i], used))
			return false;
	return true;
}

static void add(struct arena *arena, struct polynomial *p, struct polynomial_term t)
{
	for (size_t i = 0; i < p->count; i++)
		if (same_factors(&p->term[i], &t)) {
			p->term[i].coefficient += t.coefficient;
			if (!p->term[i].coefficient)
				p->term[i] = p->term[--p->count];
			return;
		}
	if (!t.coefficient)
		return;
	if (p->count >= FIRST_TERMS && !(p->count & (p->count - 1))) {
		struct polynomial_term *more = ARENA_ARRAY(arena, struct polynomial_term, 2 * p->count);
		memcpy(more, p->term, p->count * sizeof(*more));
		p->term = more;
	}
	p->term[p->count++] = t;
}

static void add_all(struct arena *arena, struct polynomial *p, const struct polynomial *q, int64_t scale)
{
	for (size_t i = 0; i < q->count; i++) {
		struct polynomial_term t = q->term[i];
		t.coefficient *= scale;
		add(arena, p, t);
	}
}

static struct polynomial product(struct arena *arena, const struct polynomial *a, const struct polynomial *b)
{
	struct polynomial p = empty(arena);

	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++) {
			const struct polynomial_term *x = &a->term[i], *y = &b->term[k];
			struct polynomial_term t = { x->coefficient * y->coefficient, NULL, x->factor_count + y->factor_count };
			t.factor = ARENA_ARRAY(arena, const struct expr *, t.factor_count + 1);
			for (size_t f = 0; f < t.factor_count; f++)
				t.factor[f] = f < x->factor_count ? x->factor[f] : y->factor[f - x->factor_count];
			add(arena, &p, t);
		}
	return p;
}

static struct polynomial constant(struct arena *arena, int64_t value)
{
	struct polynomial p = empty(arena);

	add(arena, &p, (struct polynomial_term){ value, NULL, 0 });
	return p;
}

static struct polynomial atom(struct arena *arena, const struct expr *e)
{
	struct polynomial p = empty(arena);
	const struct expr **factor = ARENA_ARRAY(arena, const struct expr *, 1);

	factor[0] = e;
	add(arena, &p, (struct polynomial_term){ 1, factor, 1 });
	return p;
}

bool polynomial_is_int(const struct polynomial *p, int64_t *value)
{
	if (p->count > 1 || (p->count && p->term[0].factor_count))
		return false;
	*value = p->count ? p->term[0].coefficient : 0;
	return true;
}

struct expr *polynomial_expr(struct arena *arena, const struct polynomial *p)
{
	struct expr *sum = NULL;

	for (size_t i = 0; i < p->count; i++) {
		const struct polynomial_term *t = &p->term[i];
		int64_t size = sum ? llabs(t->coefficient) : t->coefficient;
		struct expr *x = NULL;
		for (size_t k = 0; k < t->factor_count; k++) {
			struct expr *f = (struct expr *)t->factor[k];
			x = x ? expr_binary(arena, OP_MUL, x, f) : f;
		}
		if (!x)
			x = expr_int(arena, size);
		else if (size != 1)
			x = expr_binary(arena, OP_MUL, x, expr_int(arena, size));
		sum = sum ? expr_binary(arena, t->coefficient < 0 ? OP_SUB : OP_ADD, sum, x) : x;
	}
	return sum ? sum : expr_int(arena, 0);
}

bool polynomial_split(struct arena *arena, const struct polynomial *p, const char *name,
		      struct polynomial *coefficient, struct polynomial *rest)
{
	*coefficient = empty(arena);
	*rest = empty(arena);
	for (size_t i = 0; i < p->count; i++) {
		const struct polynomial_term *t = &p->term[i];
		struct polynomial_term c = { t->coefficient, ARENA_ARRAY(arena, const struct expr *, t->factor_count + 1), 0 };
		int power = 0;
		for (size_t k = 0; k < t->factor_count; k++) {
			const struct expr *f = t->factor[k];
			if (f->kind == EXPR_NAME && !strcmp(f->name, name))
				power++;
			else if (expr_uses(f, name))
				return false;
			else
				c.factor[c.factor_count++] = f;
		}
		if (power > 1)
			return false;
		add(arena, power ? coefficient : rest, c);
	}
	return true;
}

/* ---- quotients ------------------------------------------------------- */

static bool lies_below(struct arena *arena, const struct facts *facts, const struct polynomial *p, int64_t below)
{
	struct expr *e = polynomial_expr(arena, p);
	return affine_le(arena, facts, expr_int(arena, 0), e) && affine_le(arena, facts, e, expr_int(arena, below - 1));
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t t = a % b;
		a = b;
		b = t;
	}
	return llabs(a);
}

/* The terms of p that g divides, over g, into *whole; the others into *rest.  The constant is split. */
static void by_divisor(struct arena *arena, const struct polynomial *p, int64_t g, struct polynomial *whole, struct polynomial *rest)
{
	*whole = empty(arena);
	*rest = empty(arena);
	for (size_t i = 0; i < p->count; i++) {
		struct polynomial_term t = p->term[i];
		if (!t.factor_count) {
			int64_t q = t.coefficient / g - (t.coefficient % g < 0);
			add(arena, whole, (struct polynomial_term){ q, NULL, 0 });
			add(arena, rest, (struct polynomial_term){ t.coefficient - q * g, NULL, 0 });
		} else if (t.coefficient % g) {
			add(arena, rest, t);
		} else {
			t.coefficient /= g;
			add(arena, whole, t);
		}
	}
}

/* p // m and p % m for a number m >= 1: false when the facts do not tell. */
static bool divide(struct arena *arena, const struct facts *facts, const struct polynomial *p, int64_t m,
		   struct polynomial *quotient, struct polynomial *remainder)
{
	struct polynomial whole, rest, inner, least;

	by_divisor(arena, p, m, &whole, &rest);
	*quotient = whole;
	*remainder = rest;
	if (lies_below(arena, facts, &rest, m))
		return true;
	/* rest = g * inner + least, 0 <= least < g, g | m: rest // m = inner // (m/g). */
	for (size_t i = 0; i < rest.count; i++) {
		int64_t g = rest.term[i].factor_count ? gcd(m, rest.term[i].coefficient) : 1;
		if (g <= 1 || g == m)
			continue;
		by_divisor(arena, &rest, g, &inner, &least);
		if (!least.count || !lies_below(arena, facts, &least, g))
			continue;
		struct expr *x = polynomial_expr(arena, &inner);
		struct polynomial q = atom(arena, expr_binary(arena, OP_FLOORDIV, x, expr_int(arena, m / g)));
		struct polynomial r = atom(arena, expr_binary(arena, OP_MOD, x, expr_int(arena, m / g)));
		add_all(arena, quotient, &q, 1);
		*remainder = least;
		add_all(arena, remainder, &r, g);
		return true;
	}
	/* Still, what m divides comes out of the quotient and drops out of the remainder. */
	struct expr *x = polynomial_expr(arena, &rest);
	struct polynomial q = atom(arena, expr_binary(arena, OP_FLOORDIV, x, expr_int(arena, m)));
	*remainder = atom(arena, expr_binary(arena, OP_MOD, x, expr_int(arena, m)));
	add_all(arena, quotient, &q, 1);
	return true;
}

/* 0 <= a < b? */
static bool is_less(struct arena *arena, const struct facts *facts, const struct polynomial *a, const struct polynomial *b)
{
	struct expr *x = polynomial_expr(arena, a);

	return affine_le(arena, facts, expr_int(arena, 0), x) &&
	       affine_le(arena, facts, expr_binary(arena, OP_ADD, x, expr_int(arena, 1)), polynomial_expr(arena, b));
}

struct polynomial polynomial_of(struct arena *arena, const struct facts *facts, const struct expr *e)
{
	struct polynomial a, b, q, r;
	int64_t m;

	if (e->kind == EXPR_INT)
		return constant(arena, e->int_value);
	if (e->kind == EXPR_NEG || (e->kind == EXPR_BINARY && e->op <= OP_MOD)) {
		a = polynomial_of(arena, facts, e->arg[0]);
		if (e->kind == EXPR_NEG) {
			b = empty(arena);
			add_all(arena, &b, &a, -1);
			return b;
		}
		b = polynomial_of(arena, facts, e->arg[1]);
		if (e->op == OP_MUL)
			return product(arena, &a, &b);
		if (e->op == OP_ADD || e->op == OP_SUB) {
			add_all(arena, &a, &b, e->op == OP_ADD ? 1 : -1);
			return a;
		}
		if ((e->op == OP_FLOORDIV || e->op == OP_MOD) && polynomial_is_int(&b, &m) && m >= 1 && divide(arena, facts, &a, m, &q, &r))
			return e->op == OP_FLOORDIV ? q : r;
		if ((e->op == OP_FLOORDIV || e->op == OP_MOD) && is_less(arena, facts, &a, &b))
			return e->op == OP_FLOORDIV ? empty(arena) : a;
	}
	if (e->kind == EXPR_NAME)
		for (size_t i = facts->count; i-- > 0;)
			if (!strcmp(facts->fact[i].name, e->name)) {
				/* A static dim is its value. */
				const struct fact *f = &facts->fact[i];
				if (f->lo && f->hi && f->lo->kind == EXPR_INT && f->hi->kind == EXPR_INT && f->lo->int_value == f->hi->int_value)
					return constant(arena, f->lo->int_value);
				break;
			}
	return atom(arena, expr_simplify(arena, e));
}
