/*
 * measured.h: a knob space of which every point was measured, from a file: Kernel Tuner's cache
 * or the T4 format of results, each as JSON or gzip of it.
 *
 * Its knobs are the file's tuning parameters, their values those that occur, numbers in
 * ascending order; what the file does not hold is no legal point.  Both formats of one
 * measurement give equal spaces.
 */
#ifndef GENERATE_MEASURED_H
#define GENERATE_MEASURED_H

#include "generate/point_set.h"

struct measured_point {
	struct point point;
	double time_ns;         /* what it takes, as the file says; NAN: it failed */
	double cost_s;          /* wall time of its evaluation: compile, check, framework, all samples */
	const double *sample_ns; /* raw, in order */
	size_t sample_count;
};
struct measured_space {
	struct arena arena;
	const char *path, *name;  /* name: the file's, without folder and suffix */
	struct problem_space ps;  /* one subspace */
	struct measured_point *point;
	size_t count;
	struct point_set place;   /* point -> position in point[] */
	double best_ns;
	double median_ns;         /* of those that passed */
};

/* 0, or -1 with a line in *err: the file, what is wrong, what to do.  measured_close() either way. */
int measured_read(struct measured_space *space, const char *path, struct strbuf *err);
/* The same from the text of a file, which is called `path` in messages. */
int measured_parse(struct measured_space *space, const char *path, const char *text, struct strbuf *err);
void measured_close(struct measured_space *space);

/* NULL: no legal point. */
const struct measured_point *measured_find(const struct measured_space *space, const struct point *point);

/*
 * Takes all meaning from the names: knobs and their values are called by hashes, of which those of a knob's
 * values keep the order of the values.  Positions stay, so a policy that looks at nothing else proposes the same.
 */
void measured_hash_names(struct measured_space *space);
/* Draws the order of the knobs and the direction of each knob's values anew. */
void measured_shuffle(struct measured_space *space, uint64_t seed);

/*
 * The point of `space` that is like one of `donor`: by knob name and value; the nearest value
 * where that one is absent, the first where the knob is.  False: they have no knob in common.
 */
bool measured_map(const struct measured_space *space, const struct measured_space *donor, const struct point *from, struct point *to);
/* Have they the same knobs, by name? */
bool measured_is_related(const struct measured_space *a, const struct measured_space *b);

#endif
