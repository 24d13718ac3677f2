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
	bool is_whole;             /* integers over indices and constants, no access: interp_whole() */
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

/* The index tuples of terms of a reduction that are evaluated together: each node of the tree once a batch. */
enum { BATCH_LANES = 64, BATCH_RANGES = 8 };
struct batch {
	const struct code *reduce;
	struct value slot[BATCH_RANGES][BATCH_LANES]; /* by range of the reduction */
	int count;
};

/* Adds "file:body:line:col: ..." to in->err, once, and sets in->failed. */
void interp_fail(struct interp *in, const struct expr *at, const char *fmt, ...) PRINTF(3, 4);
/* Extents, slots, codes and recurrences of every statement (interp_resolve.c).  0, or -1 with in->err. */
int interp_resolve(struct interp *in);
/* The value of an expression at the indices in in->slot (interp_eval.c). */
struct value interp_evaluate(struct interp *in, const struct code *code);
/*
 * The same for `count` lanes of a batch, listed in lane[] (interp_batch.c): an array in
 * which element lane[i] is lane[i]'s value; `room`, of BATCH_LANES, or an array of the batch's own.
 */
const struct value *interp_evaluate_batch(struct interp *in, const struct code *code, const struct batch *batch, const int *lane,
					  int count, struct value *room);
/* What is_whole alone, as most index arithmetic is: no values, no magnitudes; the batch's lane[n] at number[n]. */
int64_t interp_whole(const struct interp *in, const struct code *code);
void interp_whole_batch(const struct interp *in, const struct code *code, const struct batch *batch, const int *lane, int count,
			int64_t *number);
/* Parts of it: an operator or a function of given values, an access at an index that is inside, one that is not. */
struct value interp_combine(struct interp *in, const struct expr *e, struct value a, struct value b);
struct value interp_apply(const struct code *code, const struct value x[3]);
struct value interp_access(struct interp *in, const struct code *code, const int64_t *index);
void interp_outside(struct interp *in, const struct code *code, size_t dimension, int64_t index);
/* The value of a statement, memoised (interp.c). */
struct value interp_stmt(struct interp *in, int s, const int64_t *index, const struct expr *at);

/* Rounds down; the divisor is not 0. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b && (a < 0) != (b < 0));
}

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

static inline bool is_true(struct value v)
{
	return v.kind == KIND_REAL ? v.d != 0 : v.i != 0;
}

static inline bool is_comparison(enum expr_op op)
{
	return op == OP_EQ || op == OP_NE || op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE || op == OP_AND || op == OP_OR;
}

/* The value of a code that is_whole. */
static inline struct value whole_value(const struct code *code, int64_t i)
{
	return code->kind == CODE_BINARY && is_comparison(code->expr->op) ? truth_value(i != 0) : integer_value(i);
}

/* An int where the other branch is real. */
static inline struct value as_kind(struct value v, enum kind want)
{
	return want == KIND_REAL && v.kind != KIND_REAL ? real_value(v.d, v.magnitude) : v;
}

#endif
