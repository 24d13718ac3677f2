/*
 * split.h: which cells get how many of the next evaluations.  Pure.
 *
 * After TVM's gradient scheduler (Ansor, OSDI'20, section 6), in logarithms of speed, so that a cell counts by what it gains
 * and not by how long its kernel takes.  What a cell is expected to gain with its next evaluation is
 *
 *   weight * (0.2 * recent + 0.8 * hoped)
 *   recent = log(best / before) / (evaluations - before_evaluations), the slope of late, which fades as evaluations are given
 *   hoped  = room / evaluations: as many evaluations again would bring all the room there is; this many, that share
 *   room   = log of how much faster it can become: up to the speed of light, at most up to twice the share of it that the
 *            best cell of its group reached; where light is unknown 2x; where nothing passed yet 8x
 *
 * Units of evaluations go one after another to the cell that is expected to gain most, which then is expected to gain less;
 * of equal ones to the first.  A cell that has none yet is served first.
 */
#ifndef GENERATE_SPLIT_H
#define GENERATE_SPLIT_H

#include "ops/core/arena.h"
#include "ops/core/strbuf.h"

struct split_cell {
	const char *name, *group;  /* cells of a group are alike: what one reached, others may */
	double weight;
	int64_t evaluations;
	double best, before;       /* speed by the baseline's now, and after before_evaluations; 0: nothing passed */
	int64_t before_evaluations;
	double light;              /* share of the speed of light that its best reaches; 0: unknown */
	bool is_open;              /* false: its search has ended */
	int64_t next;              /* what it gets */
};

/* Expected gain of a cell's next evaluation after `given` more of them; `reached` is the best share of light of its group. */
double split_gain(const struct split_cell *cell, double reached, int64_t given);
/* Sets .next of all, in units, the last of which may be smaller; returns how many were given: 0 where no cell is open. */
int64_t split_evaluations(struct split_cell *cell, size_t count, int64_t evaluations, int64_t unit);

/*
 * TSV with a header line: cell group weight evaluations best before before_evaluations light open; evaluate writes it from
 * journals (`km-evaluate trace progress`).  read: 0, or -1 with "file:line: what".
 */
void split_write_header(struct strbuf *out);
void split_write(const struct split_cell *cell, struct strbuf *out);
int split_read(struct arena *arena, const char *path, struct split_cell **cell, size_t *count, struct strbuf *err);

/* A recorded search: the speeds and shares of light of its trials, in order. */
struct split_curve {
	const char *name, *group;
	double *speed, *light;
	int64_t count;
};
/* What is known of a curve after so many of its trials. */
struct split_cell split_at(const struct split_curve *curve, int64_t evaluations);
/* TSV with a header line: cell group speed light, a line for each trial (`km-evaluate trace progress --curves`). */
int split_read_curves(struct arena *arena, const char *path, struct split_curve **curve, size_t *count, struct strbuf *err);
/*
 * Geometric mean of the best speeds, where something passed, after `total` evaluations: equal shares, or a first share each
 * and then rounds by gain.  given[i]: what each got.
 */
double split_replay_equal(const struct split_curve *curve, size_t count, int64_t total, int64_t *given);
double split_replay_gain(const struct split_curve *curve, size_t count, int64_t total, int64_t *given);
/* The campaign's numbers: the first share of each cell, and what a round gives to all. */
int64_t split_first(int64_t total, int64_t cells);
int64_t split_round(int64_t total, int64_t cells);

/* `km-generate split`. */
int split_main(int argc, char **argv);

#endif
