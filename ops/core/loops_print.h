/* loops_print.h: the parts of loops_print(), which is declared in loops.h. */
#ifndef OPS_CORE_LOOPS_PRINT_H
#define OPS_CORE_LOOPS_PRINT_H

#include "ops/core/loops.h"
#include "ops/core/normal.h"

struct printer {
	const struct problem *problem;
	struct normal normal;
	enum loops_arithmetic arithmetic;
	bool pairs;           /* every real is (value, magnitude) */
	bool boxed;           /* each index runs over a part, given at run time; inputs as they are stored */
	struct strbuf *out;
	int depth;
	/* The group of statements that share one outer loop nest. */
	size_t group_first, group_end;
	size_t prefix;        /* leading indices that the group shares */
	size_t divided;       /* boxed: leading indices whose loops a team may divide */
	struct strbuf *err;
	struct expr *extent[OP_MAX_TENSORS][8]; /* of the tensor table, attributes put in */
	const struct normal_stmt *stmt; /* being printed */
	bool *is_whole;       /* by statement: kept as a whole array though its group shares loops */
	bool *is_array;       /* by statement: a whole array, freed at the end */
	bool failed;
};

/* Expressions (loops_expr.c).  Everything printed goes to p->out. */
void loops_add(struct printer *p, const char *text);
/* Indentation, then the text. */
void loops_line(struct printer *p, const char *text);
/* The value of e as kind `want`: a real, or an integer, or a condition. */
void loops_value(struct printer *p, const struct expr *e, enum kind want);
/* The element e names, whether inside its tensor or not. */
void loops_load(struct printer *p, const struct expr *e);
/* (arg[from] * extent + ...) * ... + arg[count-1], over the extents of a tensor (>= 0) or of `index`. */
void loops_flat(struct printer *p, struct expr *const *arg, const struct expr_range *index, size_t from,
		size_t count, int tensor);
/* Is the statement a variable or row of the loops that its group shares? */
bool loops_is_local(const struct printer *p, const struct normal_stmt *s);
const char *loops_type(enum kind kind);
/* f_NAME of every prelude function, from its definition. */
void loops_prelude(struct printer *p, struct arena *arena);

/* Statements (loops_stmt.c): the loops of one that its group does not share, and what is in them. */
void loops_stmt(struct printer *p, const struct normal_stmt *s);
void loops_open(struct printer *p, const struct expr_range *r);
/* The loop over index i of a statement. */
void loops_open_index(struct printer *p, const struct normal_stmt *s, size_t i);
void loops_close(struct printer *p, size_t count);
/* Is it printed as one running value along its last index? */
bool loops_is_scan(const struct normal_stmt *s);
/* How many of its leading indices it can share with others. */
size_t loops_shareable(const struct printer *p, const struct normal_stmt *s);

/* The normal form as it is printed, and which statements are whole arrays (loops.c).  0, or -1 with p->err. */
int loops_prepare(struct printer *p, struct arena *arena);
/* Statements from `first` on that share an outer loop nest: sets group_first, group_end and prefix. */
void loops_group(struct printer *p, size_t first);

/*
 * Makes a statement of every costly call (exp, erf, ...) that a reduction and a
 * later statement both take of the same element, as a programmer would keep it
 * in a row (loops_share.c).
 */
void loops_share(struct arena *arena, struct normal *normal);
/* Takes factors out of sums of sums where that makes them smaller (loops_factor.c). */
void loops_factor(struct arena *arena, struct normal *normal);

#endif
