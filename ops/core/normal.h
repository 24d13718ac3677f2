/*
 * normal.h: the normal form of a body: every reduction a statement of its own,
 * equal ones hoisted once, invariant divisors taken out of sums that cannot be
 * empty, attributes and derived dimensions put in, branches that attributes rule out
 * dropped, kinds inferred.  A reduction
 * taken from behind a condition keeps it as a filter, unless all its accesses are
 * in bounds anyway.
 * Generators, the compiled evaluator and the loop-nest baseline start here.
 */
#ifndef OPS_CORE_NORMAL_H
#define OPS_CORE_NORMAL_H

#include "ops/core/op.h"

enum kind { KIND_BOOL, KIND_INT, KIND_REAL };

struct normal_stmt {
	const char *name;
	struct expr_range *index; /* outer indices with their extents (hi), lo = 0 */
	size_t index_count;
	struct expr *value;       /* at top EXPR_REDUCE, or no reduction anywhere */
	enum kind kind;
	int tensor;               /* position in op->tensor when it is an output, else -1 */
};
struct normal {
	const struct op *op;
	enum dtype dtype; /* of the problem: kinds follow from it */
	struct normal_stmt *stmt;
	size_t stmt_count;
};

/*
 * attr[] are the values to substitute (op->attr order; NULL: the defaults).  Static dims stay
 * names; bind them when printing.  0, or -1 with "file:body:line:col: what".
 */
int normal_form(struct arena *arena, const struct op *op, enum dtype dtype, const double *attr,
		struct normal *normal, struct strbuf *err);
void normal_print(const struct normal *normal, struct strbuf *out);
/* The statement of that name, or NULL. */
const struct normal_stmt *normal_find(const struct normal *normal, const char *name);

/* Kind of an expression over the form's names. */
enum kind normal_kind(const struct normal *normal, const struct expr *e);

#endif
