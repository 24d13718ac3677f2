/*
 * history.h: what policies know: the trials so far, in order of arrival.
 * Text form, TSV with a header line; evaluate writes it with this module.
 */
#ifndef GENERATE_HISTORY_H
#define GENERATE_HISTORY_H

#include "generate/candidate.h"

struct trial {
	const char *id, *knobs, *verdict, *parent, *edge;
	int64_t generation;
	double time_ns;        /* median of its best rung; NaN when not timed */
	double fitness;        /* baseline time / its time; 0 unless PASSED */
	double sol_ratio;      /* share of the speed of light reached; 0 unknown */
	double elapsed_s;      /* since the cell's search began, of evaluation work */
};
struct history {
	struct trial *trial;
	size_t count;
	size_t best;           /* position of the greatest fitness, or count when none passed */
};

/* 0, or -1 with "file:line: what".  A missing file is an empty history. */
int history_read(struct arena *arena, const char *path, struct history *history,
		 struct strbuf *err);
void history_write_header(struct strbuf *out);
void history_write(const struct trial *trial, struct strbuf *out);

#endif
