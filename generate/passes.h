/*
 * passes.h: what skeleton `passes` is made of: passes_match.c recognises, passes_write.c writes kernels of whole
 * rows and of maps, passes_parts.c those of rows in parts.
 */
#ifndef GENERATE_PASSES_H
#define GENERATE_PASSES_H

#include "generate/recognise.h"

#define PASSES_MAPPING (4 * OP_MAX_RANK + 3)

struct match {
	struct normal_stmt *stmt; /* what is only a name for an element's value is put in where it is read */
	size_t count;
};
/* Statements that are one pass over their operands: [first, end), and the range of terms that lie side by side. */
struct pass {
	size_t first, end;
	const struct normal_stmt *lead; /* the first reduction */
	const struct expr_range *along;
};
/* How a reduction is had of partial ones: as it is; centred (passes.c); not. */
enum passes_rule_kind { PASS_PLAIN, PASS_EXPONENTIAL, PASS_SQUARE, PASS_ANOTHER };

/* A program being written, for a point. */
struct passes_writer {
	struct arena *arena;
	const struct match *match;
	const struct problem *problem;
	struct strbuf *text;
	int64_t lanes, part, columns, threads;
	int kernels;
	struct pass pass;
	size_t here;              /* statements of the pass before this one are in the kernel's registers */
	const char *mapping[PASSES_MAPPING];
	size_t mapped;
};

/* ---- passes_match.c ---- */
bool passes_is_reduction(const struct normal_stmt *s);
/* Have they the same indices, by names and extents? */
bool passes_same_indices(const struct normal_stmt *a, const struct normal_stmt *b);
/* The skeleton's match(). */
const struct match *passes_match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not);
/* The extent of a range at the problem's shape. */
int64_t passes_extent(const struct problem *problem, const struct expr_range *range);
/* How a reduction is had of the parts, beside statements [first, number) of its pass; what is centred in *e, by what in *centre. */
enum passes_rule_kind passes_rule(const struct match *m, size_t first, size_t number, const struct expr **e, const struct expr **centre);
/* The pass that begins with statement `first`: rows whole, or in parts. */
struct pass passes_at(const struct match *m, size_t first, bool in_parts);

/* ---- passes_write.c ---- */
/* The text of a value with what it reads where the kernel has it. */
const char *passes_held_text(const struct passes_writer *w, const struct expr *e);
/* From here on the name is written as the text. */
void passes_map_name(struct passes_writer *w, const char *name, const char *text);
/* A reduction's term, its ranges by the names of the pass's first. */
const struct expr *passes_term(const struct passes_writer *w, const struct normal_stmt *s);
/* Do later kernels read the statement? */
bool passes_is_kept(const struct passes_writer *w, size_t number);
/* Extents with commas between. */
void passes_write_extents(struct passes_writer *w, const struct expr_range *range, size_t count, struct strbuf *out);
/* "name[p0, p1]" of the pass's rows, and what is added behind them. */
const char *passes_row_place(struct passes_writer *w, const char *name, const char *more);
/* Memory <statement>_<what> of the pass's rows; `more`: extents behind theirs. */
void passes_write_buffer(struct passes_writer *w, const struct normal_stmt *s, const char *what, const char *more);
/* Opens kernel <name><number of the pass> over its rows and `more`: all threads share a point, and deal out `across`. */
void passes_open_rows(struct passes_writer *w, const char *name, const char *more, int64_t lanes, const char *across);
/* Register <name>_<what>. */
void passes_write_register(struct passes_writer *w, const char *name, const char *what);
/* Of each statement of the pass: registers. */
void passes_write_registers(struct passes_writer *w);
/* Stores of statement `number`, which the kernel holds. */
void passes_write_results(struct passes_writer *w, size_t number);
/* A block a row.  What is computed of its elements goes backwards: the last are the likeliest to be in the cache still. */
void passes_write_whole(struct passes_writer *w);
/*
 * Elements of one statement, over blocks of its last index.  Rows, or the blocks of one, go backwards: the last are in the cache still.
 * Where they read weights, the blocks of all rows at the same place follow each other, and find these in the cache.
 */
void passes_write_map(struct passes_writer *w);

/* ---- passes_parts.c ---- */
/* Buffers of partial results, and the kernels that compute them and put them together. */
void passes_write_part_memory(struct passes_writer *w);
void passes_write_parts(struct passes_writer *w);

#endif
