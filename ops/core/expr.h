/*
 * expr.h: the index notation as a tree: parser and printer.  No evaluation.
 *
 *   body   = stmt { ";" stmt }          stmt = name [ "[" index, ... "]" ] "=" expr
 *   reduce = ("sum"|"prod"|"max"|"min"|"argmax"|"argmin") "(" range, ... [ "if" expr ] ")" mul
 *   range  = name | name "<" add | name "<=" add | name "in" add ".." add      (half-open)
 *   access = name "[" expr, ... "]" [ "else" unary ]
 * A reduction reaches over the product that follows it, and no further.  An
 * index without a bound runs over the dimension of its upper-case name.
 * Functions of the prelude (gelu, sigmoid, ...) stay named CALL nodes.
 *
 * The tile program's statements are the same language with EXPR_TILE: `scan`, `order`,
 * `bisect` and `mma` are reducers too, and a name may be followed by no bound at all.
 *
 * Trees live in the caller's arena and are never changed after they are built.
 */
#ifndef OPS_CORE_EXPR_H
#define OPS_CORE_EXPR_H

#include "ops/core/arena.h"
#include "ops/core/strbuf.h"

enum expr_kind {
	EXPR_INT,    /* int_value */
	EXPR_REAL,   /* real_value, inf included */
	EXPR_NAME,   /* name: index, dim, attribute, scalar statement or scalar tensor */
	EXPR_ACCESS, /* name[arg...] else otherwise */
	EXPR_NEG,    /* -arg[0] */
	EXPR_BINARY, /* arg[0] op arg[1] */
	EXPR_SELECT, /* arg[0] ? arg[1] : arg[2] */
	EXPR_CALL,   /* name(arg...) */
	EXPR_REDUCE, /* op(range... if filter) arg[0] */
};

enum expr_op {
	/* EXPR_BINARY */
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_FLOORDIV, OP_MOD,
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_AND, OP_OR,
	/* EXPR_REDUCE */
	OP_SUM, OP_PROD, OP_MAX, OP_MIN, OP_ARGMAX, OP_ARGMIN, OP_SCAN, OP_SCAN_PROD, OP_SCAN_BACK, OP_ORDER, OP_BISECT, OP_MMA,
};

struct expr;
struct expr_range {
	const char *name;
	struct expr *lo, *hi; /* half-open; in a tile program both NULL: the index's whole extent */
};

struct expr {
	enum expr_kind kind;
	enum expr_op op;
	int64_t int_value;
	double real_value;
	const char *name;
	struct expr **arg;
	size_t arg_count;
	struct expr *otherwise;   /* ACCESS: value outside, or NULL */
	struct expr_range *range; /* REDUCE */
	size_t range_count;
	struct expr *filter;      /* REDUCE: or NULL */
	int line, column;         /* of its first character, from 1 */
};

struct body_stmt {
	const char *name;
	struct expr_range *index; /* lo is always 0 */
	size_t index_count;
	struct expr *value;
	int line, column;
};
struct body {
	struct body_stmt *stmt;
	size_t stmt_count;
};

enum expr_flags { EXPR_BODY = 0, EXPR_TILE = 1 };

/* 0, or -1 with "source:line:column: what" in *err. */
int body_parse(struct arena *arena, const char *text, const char *source, struct body *body,
	       struct strbuf *err);
int expr_parse(struct arena *arena, const char *text, const char *source, enum expr_flags flags,
	       struct expr **out, struct strbuf *err);
/* Prints in the notation; parsing the text gives an equal tree. */
void expr_print(const struct expr *e, struct strbuf *out);
void body_print(const struct body *body, struct strbuf *out);

/* Structure: equality, substitution of names by trees, does `name` occur (as NAME or ACCESS)? */
bool expr_equal(const struct expr *a, const struct expr *b);
struct expr *expr_replace_name(struct arena *arena, const struct expr *e, const char *name,
			       struct expr *with);
bool expr_uses(const struct expr *e, const char *name);

/* Builders, for passes that make trees. */
struct expr *expr_int(struct arena *arena, int64_t value);
struct expr *expr_real(struct arena *arena, double value);
struct expr *expr_name(struct arena *arena, const char *name);
struct expr *expr_binary(struct arena *arena, enum expr_op op, struct expr *a, struct expr *b);
struct expr *expr_access(struct arena *arena, const char *name, struct expr **index, size_t count);
const char *expr_op_text(enum expr_op op); /* "+", "sum", ... */
/* Is it the reduction whose every partial result is a value: OP_SUM or OP_PROD of it in *of.  OP_SCAN_BACK sums from the end. */
bool expr_is_scan(const struct expr *e, enum expr_op *of);

/* Names bound to integers: dims and attributes. */
struct binding {
	const char *name;
	int64_t value;
};
/*
 * Value of an integer expression over bindings (+ - * // % comparisons ?: and
 * cdiv, rup, minimum, maximum).  0, or -1 with a line in *err.  Used for
 * extents, grids and buffer sizes, here and in the installed library.
 */
int expr_int_value(const struct expr *e, const struct binding *binding, size_t count,
		   int64_t *value, struct strbuf *err);
/* The value of a name, of what the caller passed on as names; false: it has none. */
typedef bool expr_named(const void *names, const char *name, double *value);
/*
 * Value of an expression over numbers and names, in double: + - * // % comparisons, and, or and builtin functions.
 * False: it depends on more.  "and" and "or" may be settled by one side.  named NULL: no name has a value.
 */
bool expr_value(const struct expr *e, expr_named *named, const void *names, double *value);

/*
 * The functions of the notation, one table: builtins evaluate by `value`,
 * prelude functions have `definition` (parameters x, a, b, lo, hi, ...).
 */
struct function {
	const char *name;
	int arity;
	double (*value)(const double *x); /* NULL for prelude functions and philox */
	const char *params, *definition;  /* "x" , "maximum(x, 0)" */
};
const struct function *function_find(const char *name); /* NULL: none */
extern const struct function function_table[];          /* ends with name NULL */

#endif
