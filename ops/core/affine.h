/*
 * affine.h: exact facts about index expressions: linear forms with integer
 * coefficients over opaque atoms, intervals, strides, and proofs of bounds.
 */
#ifndef OPS_CORE_AFFINE_H
#define OPS_CORE_AFFINE_H

#include "ops/core/arena.h"
#include "ops/core/expr.h"

/* sum of coefficient[i] * atom[i] + constant; atoms are names or //, % and product subtrees. */
struct affine {
	struct affine_term {
		const struct expr *atom;
		int64_t coefficient;
	} *term;
	size_t count;
	int64_t constant;
	bool is_exact; /* false: a number overflowed; never so in what affine_of() returns */
};

/* The linear form of e (always succeeds: what is not linear is an atom). */
struct affine affine_of(struct arena *arena, const struct expr *e);
struct expr *affine_expr(struct arena *arena, const struct affine *affine);
/*
 * Is e linear in `name`, i.e. does `name` occur only as a plain atom?  Then
 * *stride is its coefficient (0 when absent); false otherwise.
 */
bool affine_stride(struct arena *arena, const struct expr *e, const char *name, int64_t *stride);

/* What is known of a name: lo <= name <= hi, both inclusive, as trees over other names; NULL: unknown. */
struct fact {
	const char *name;
	const struct expr *lo, *hi;
};
struct facts {
	const struct fact *fact; /* later facts may mention earlier names, never the other way */
	size_t count;
};

/* Proves a <= b for all values the facts allow.  false: could not (it may still hold). */
bool affine_le(struct arena *arena, const struct facts *facts, const struct expr *a,
	       const struct expr *b);
/* Constant bounds of e, where there are any. */
bool affine_interval(struct arena *arena, const struct facts *facts, const struct expr *e,
		     int64_t *lo, int64_t *hi);
/* Constants folded, + 0 and * 1 dropped, cdiv and rup of constants evaluated. */
struct expr *expr_simplify(struct arena *arena, const struct expr *e);

#endif
