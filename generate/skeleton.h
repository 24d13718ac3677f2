/*
 * skeleton.h: a structure of computation and its knob space.
 * generate/skeleton/<name>.c exports one `const struct skeleton skeleton_<name>`.
 *
 * A skeleton recognises the normal form of a body (never an operator's name),
 * declares knobs that matter on a target, and writes the tile program's text
 * for one point of its space.
 */
#ifndef GENERATE_SKELETON_H
#define GENERATE_SKELETON_H

#include "generate/target.h"
#include "ops/core/normal.h"
#include "ops/core/problem.h"

/* A dimension of a knob space: a name and its legal values, as words. */
struct space_knob {
	const char *name;
	const char **value;
	size_t value_count;
	int16_t start; /* position of the value that a search begins with (start_knob()), else 0 */
};
#define SPACE_MAX_KNOBS 16
struct space {
	struct space_knob knob[SPACE_MAX_KNOBS]; /* knob[0] is always "skeleton", knob[1] "lang" (see space.h) */
	size_t knob_count;
	bool has_start;      /* the skeleton says what to begin with */
	bool is_last_resort; /* it serves the problem badly: to be tried where nothing else passes */
};
/* A setting: value[i] is the position in space->knob[i].value. */
struct point {
	int16_t value[SPACE_MAX_KNOBS];
};

struct match; /* what recognise found; private to the skeleton, lives in the arena */

struct skeleton {
	const char *name;
	const char *summary;
	bool needs_warps; /* lowers for devices of warps only */
	bool serves_simt; /* lowers for devices of warps too, not for CPUs alone */
	bool serves_tiles; /* and for those of their languages that spread tiles over threads themselves (lang.h) */
	uint64_t isa; /* features that a target must have, ISA_BIT()s */
	bool serves_whole; /* problems of integers and truths too: no tile of reals in between */
	/* NULL with the reason in *why_not when the body is not of this structure. */
	const struct match *(*match)(struct arena *arena, const struct problem *problem,
				     const struct normal *normal, struct strbuf *why_not);
	/* Appends this skeleton's knobs for problem and target to *space (arena-owned). */
	void (*knobs)(struct arena *arena, const struct match *match, const struct problem *problem,
		      const struct target *target, struct space *space);
	/*
	 * Writes the tile program's text.  1 done; 0 not a legal point, reason in
	 * *why_not (normal: the space is pruned); never fails otherwise.
	 */
	int (*lower)(struct arena *arena, const struct match *match, const struct problem *problem,
		     const struct target *target, const struct space *space,
		     const struct point *point, struct strbuf *text, struct strbuf *why_not);
};

extern const struct skeleton *const skeleton_table[];
const struct skeleton *skeleton_find(const char *name);
/* The word a point gives to a knob; NULL when the space has no such knob.  And as a number. */
const char *point_word(const struct space *space, const struct point *point, const char *knob);
int64_t point_int(const struct space *space, const struct point *point, const char *knob);

#endif
