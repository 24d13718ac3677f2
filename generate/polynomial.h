/*
 * polynomial.h: integer expressions as sums of products of atoms.  An atom is a
 * name or a subtree that is no sum or product: a quotient or remainder that the
 * facts do not resolve, a call, an access.  Addresses are taken apart with it:
 * what a loop adds to them, and what stays outside the loop.
 */
#ifndef GENERATE_POLYNOMIAL_H
#define GENERATE_POLYNOMIAL_H

#include "ops/core/affine.h"

struct polynomial_term {
	int64_t coefficient;
	const struct expr **factor;
	size_t factor_count; /* 0: the constant */
};
struct polynomial {
	struct polynomial_term *term;
	size_t count; /* 0: zero */
};

/*
 * Quotients and remainders by numbers are resolved where the facts allow:
 * (32*p + 8*v + l) // 16 with 0 <= l < 8 is 2*p + v//2.
 */
struct polynomial polynomial_of(struct arena *arena, const struct facts *facts, const struct expr *e);
struct expr *polynomial_expr(struct arena *arena, const struct polynomial *p);
/* *p = *coefficient * name + *rest, both free of `name`; false when it is not linear in it. */
bool polynomial_split(struct arena *arena, const struct polynomial *p, const char *name,
		      struct polynomial *coefficient, struct polynomial *rest);
/* Is it a number? */
bool polynomial_is_int(const struct polynomial *p, int64_t *value);

#endif
