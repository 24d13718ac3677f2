/* interp_code.h: a body with its names resolved, and its values: the parts of interp.c. */
#ifndef OPS_CORE_INTERP_CODE_H
#define OPS_CORE_INTERP_CODE_H

#include "ops/core/interp.h"
#include "ops/core/normal.h"

/* A value of the notation: ints stay int64, reals carry their running error magnitude. */
struct value {
	enum kind kind;
	int64_t i;
	double d;
	double magnitude; /* sum of |terms|, carried to first order through functions; at least |d| */
};

enum code_kind { CODE_CONSTANT, CODE_INDEX, CODE_TENSOR, CODE_STMT, CODE_NEG, CODE_BINARY, CODE_SELECT, CODE_CALL, CODE_PRELUDE, CODE_REDUCE };

/* An expression with its names resolved to slots. */
struct code {
	enum code_kind kind;
	const struct expr *expr;
	enum kind want;            /* SELECT, REDUCE, access with else: the kind of every branch */
	struct value constant;
	int slot;                  /* index slot, tensor position or statement position */
	struct code **arg;
	size_t arg_count;
	struct code *otherwise, *filter;
	struct { int slot; struct code *lo, *hi; } *range;
	size_t range_count;
	double (*function)(const double *x);
	struct code *definition;   /* of a prelude function; its parameters are slots from `slot` on */
};

struct memo {
	int64_t *key;
	struct value *value;
	size_t count, capacity; /* power of two; key -1: free */
};
struct stmt {
	const struct normal_stmt *normal;
	int64_t extent[8];
	struct code *code;
	int slot[8];
	int slot_count; /* slots its value uses, from 0 */
	int step;       /* the index along which a recurrence steps back, or -1 */
	struct memo memo;
};

enum { MAX_SLOTS = 64, MAX_DEPTH = 1000 };

struct interp {
	struct arena arena;
	const struct problem *problem;
	interp_read *read;
	const void *user;
	struct normal normal;
	struct stmt *stmt;
	struct { int64_t extent[8]; int rank; enum kind kind; } tensor[OP_MAX_TENSORS];
	struct value slot[MAX_SLOTS];
	int64_t reads;
	int depth;
	struct strbuf *err;
	bool failed;
};

/* Adds "file:body:line:col: ..." to in->err, once, and sets in->failed. */
void interp_fail(struct interp *in, const struct expr *at, const char *fmt, ...) PRINTF(3, 4);
/* Extents, slots, codes and recurrences of every statement (interp_resolve.c).  0, or -1 with in->err. */
int interp_resolve(struct interp *in);
/* The value of an expression at the indices in in->slot (interp_eval.c). */
struct value interp_evaluate(struct interp *in, const struct code *code);
/* The value of a statement, memoised (interp.c). */
struct value interp_stmt(struct interp *in, int s, const int64_t *index, const struct expr *at);

static inline struct value integer_value(int64_t i)
{
	return (struct value){ KIND_INT, i, (double)i, i < 0 ? -(double)i : (double)i };
}

static inline struct value real_value(double d, double magnitude)
{
	double least = d < 0 ? -d : d;
	return (struct value){ KIND_REAL, 0, d, magnitude >= least ? magnitude : least };
}

static inline struct value truth_value(bool b)
{
	return (struct value){ KIND_BOOL, b, b, b };
}

#endif
