/*
 * triton.h: prints tile programs as Triton, whose values are tiles too: what a
 * thread holds, which memory a staged tile lies in and who waits for it are its
 * compiler's.  lang/triton.c is the language; triton_stmt.c kernels and statements,
 * triton_expr.c expressions, triton_vocabulary.c functions.
 *
 * A tile index becomes an axis of 2^n points, n the least that hold its extent; points
 * beyond the live ones are masked where memory is touched and where they would be reduced.
 */
#ifndef GENERATE_TRITON_H
#define GENERATE_TRITON_H

#include "generate/lang.h"

enum { TRITON_MAX_AXES = 8, TRITON_MAX_FORS = 12, TRITON_MAX_KEPT = 96 };

/* What a value is made of: truths, whole numbers (of any width), reals (f32, or f64 in kernels that want it). */
enum triton_kind { TRITON_TRUTH, TRITON_WHOLE, TRITON_REAL };

struct triton_value {
	const char *text;      /* atomic: may stand beside any operator */
	enum triton_kind kind;
	uint32_t over;         /* kernel indices it differs along, as a set */
	bool is_literal;       /* a number of the source text */
};

struct triton {
	struct arena arena;
	const struct tile_program *program;
	const struct tile_kernel *kernel;
	struct strbuf *out, *err;
	int depth;
	bool failed;
	bool is_double; /* reals are f64, else f32 */
	const struct tile_stmt *fors[TRITON_MAX_FORS]; /* loops of statements and of reductions around */
	size_t for_count;
	int axis[TRITON_MAX_AXES]; /* kernel indices that the tensors of the expression at hand have, slow to fast */
	int axis_count;
	int next;                  /* numbers the values that have names */
	/* Accesses and reductions that have a name, where it is in scope, over these axes. */
	struct { const struct expr *x; struct triton_value value; uint64_t axes; } kept[TRITON_MAX_KEPT];
	int kept_count;
	/* Parameters of the prelude function being printed. */
	const char *parameter[4];
	struct triton_value argument[4];
	int parameter_count;
};

void triton_fail(struct triton *s, const char *fmt, ...) PRINTF(2, 3);
void triton_line(struct triton *s, const char *fmt, ...) PRINTF(2, 3);

/* ---- triton_expr.c ---- */
int64_t triton_padded(const struct triton *s, int index);
/* Fails where the axes at hand have more points than registers hold. */
void triton_bound_axes(struct triton *s);
/* Value of x over the axes at hand; lines it needs are printed before. */
struct triton_value triton_print_value(struct triton *s, const struct expr *x);
/* As one of a kind: real, whole or truth. */
const char *triton_as(struct triton *s, struct triton_value v, enum triton_kind kind);
/* As elements of a dtype, rounded once and wrapped; and reals of such elements. */
const char *triton_narrowed(struct triton *s, struct triton_value v, enum dtype dtype);
const char *triton_widened(struct triton *s, const char *text, enum dtype dtype);
const char *triton_whole(struct triton *s, const struct expr *x);
/* "b_x + <element>" of a buffer access, and what must hold for it to be touched: NULL when it always may. */
const char *triton_pointer(struct triton *s, const struct expr *access, const char **mask);
/* Raw load of a buffer access, 0 or its `else` where there is nothing. */
const char *triton_load(struct triton *s, const struct expr *access);
/* Points of the axis of `index` that count: NULL when all do. */
const char *triton_live(struct triton *s, int index);
/* "[128, 64]" of the axes at hand. */
const char *triton_shape(struct triton *s);
/* Inclusive sums along the scan's index. */
struct triton_value triton_scan(struct triton *s, const struct expr *x);
const char *triton_dtype(enum dtype dtype);

/* ---- triton_stmt.c ---- */
int triton_print(const struct tile_program *program, const struct target *target, const char *symbol, struct strbuf *out, struct strbuf *err);

/* ---- triton_vocabulary.c ---- */
/* Is the function written by hand there (km_<name>)? */
bool triton_has(const char *name);
void triton_vocabulary(struct strbuf *out);

#endif
