/*
 * recognise.h: what skeletons share: facts about normal-form statements, and
 * writing the head of a tile program.
 */
#ifndef GENERATE_RECOGNISE_H
#define GENERATE_RECOGNISE_H

#include "generate/skeleton.h"

/* Is every index of the access a plain name? */
bool access_is_plain(const struct expr *access);
/* Position among the access's indices of the plain name, or -1. */
int access_position(const struct expr *access, const char *name);
/* Does a reduction range run over 0..extent with neither bound reading a tensor or an outer index? */
bool range_is_static(const struct expr_range *range, const struct expr_range *outer, size_t outer_count);
bool reads_any_tensor(const struct expr *e);
/* May it be computed where a condition says that it is not wanted: no place that memory tells, no whole quotient? */
bool may_run_ahead(const struct expr *e);
/* Is a function called that rounds: any but abs, maximum and the like? */
bool calls_rounding(const struct expr *e);
/* Knob REAL: arithmetic in f32, or in f64, slower, where f32 loses what cancels or underflows; for real problems below f64 on CPUs. */
void add_real_knob(struct arena *arena, struct space *space, const struct problem *problem, const struct target *target);
/*
 * Knob ALIGN, for languages that have tiles: 1, or the 8 elements of which rows must be whole multiples to be read
 * in wide words.  align_write() writes that as preconditions; false where the problem does not keep them.
 */
void add_align_knob(struct arena *arena, struct space *space);
bool align_write(struct arena *arena, const struct problem *problem, const struct space *space, const struct point *point, struct strbuf *text,
		 struct strbuf *why_not);
/* Does the point ask for f64? */
bool is_real_f64(const struct space *space, const struct point *point);
/* An access to `name` somewhere in e, or NULL. */
const struct expr *find_access(const struct expr *e, const char *name);

/* Do all statements behind the first map it, element by element, to one output?  false with the reason, which names the skeleton. */
bool sum_is_mapped(const struct normal *normal, const char *skeleton, struct strbuf *why_not);
/* Then what the last statement stores, over the sum's indices, with _acc[local_i, local_j] for the sum. */
const struct expr *sum_stored(struct arena *arena, const struct normal *normal);

/* Type of the tiles that hold reals between statements: f64 where the problem's is, else f32. */
const char *tile_real(const struct problem *problem);
/* "plan NAME", "dim ...", one "buffer" a tensor of the operator. */
void write_head(struct arena *arena, const struct problem *problem, struct strbuf *text);
/* The same; where extents[t] is not NULL tensor t has those, of as many elements: another view of what lies the same way. */
void write_head_of(struct arena *arena, const struct problem *problem, const char *const *extents, struct strbuf *text);
/* The same, for kernels that demand of dims which are 1 that they are: buffers have 1 in their place. */
void write_head_of_ones(struct arena *arena, const struct problem *problem, struct strbuf *text);
/* The expression with 1 for such dims. */
const struct expr *with_ones(struct arena *arena, const struct problem *problem, const struct expr *e);
/* Is the extent a run-time dim that is 1 at the problem? */
bool dim_is_one(const struct problem *problem, const struct expr *extent);
/* An expression's text; `mapping` is name, replacement, ... NULL. */
const char *expr_text(struct arena *arena, const struct expr *e, const char *const *mapping);
const struct expr *expr_mapped(struct arena *arena, const struct expr *e, const char *const *mapping);
/* The value an extent has at the problem's shape, or -1. */
int64_t extent_value(const struct problem *problem, const struct expr *extent);
/* May indices be computed in 32 bits at the problem: no tensor tells any, none is longer than TILE_MOST_SHORT, nor has more elements? */
bool indices_are_short(const struct problem *problem);

/* Adds a knob with values printed from ints (ends with -1) or given as words (ends with NULL). */
void add_knob(struct arena *arena, struct space *space, const char *name, const int *values);
void add_choice(struct arena *arena, struct space *space, const char *name, const char *const *values);
/* A search begins with this value of the knob, where it has it: what served well elsewhere. */
void start_knob(struct space *space, const char *name, const char *value);

#endif
