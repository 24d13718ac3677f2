/*
 * history.h: what policies know: the trials so far, in order of arrival.
 * Text form, TSV with a header line; evaluate writes it with this module.
 */
#ifndef GENERATE_HISTORY_H
#define GENERATE_HISTORY_H

#include "generate/candidate.h"

struct trial {
	const char *id, *knobs, *verdict, *parent, *edge, *policy;
	int64_t generation;
	double time_ns;        /* median of its best rung; NaN when not timed */
	double fitness;        /* baseline time / its time; 0 unless PASSED */
	double sol_ratio;      /* share of the speed of light reached; 0 unknown */
	double elapsed_s;      /* since the cell's search began, of evaluation work */
	double baseline_ns;    /* the strongest baseline's time, which its fitness is by; 0: none, or unknown */
	const char *detail;    /* words of the compiler, first wrong element, ...: the first of them; NULL or "": none */
	bool is_point;         /* history_place() found its knobs in the space: where */
	size_t sub_index;
	struct point point;
};
struct history {
	struct trial *trial;
	size_t count;
	size_t best;           /* position of the greatest fitness, or count when none passed */
};

/* 0, or -1 with "file:line: what".  A missing file is an empty history; one without the last two columns has none of theirs. */
int history_read(struct arena *arena, const char *path, struct history *history,
		 struct strbuf *err);
/* Finds each trial's point in a space.  One whose knobs are not of it (a whole source, another language) has none. */
void history_place(struct history *history, const struct problem_space *ps);
void history_write_header(struct strbuf *out);
void history_write(const struct trial *trial, struct strbuf *out);

#endif
