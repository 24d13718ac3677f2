/*
 * candidate.h: one candidate: what it is and all that defines it.
 * A batch file is JSON lines, one candidate a line; this module alone reads and
 * writes them.
 */
#ifndef GENERATE_CANDIDATE_H
#define GENERATE_CANDIDATE_H

#include "generate/space.h"

#define CANDIDATE_STRICT "strict"

struct candidate {
	char id[17];          /* first 16 hex digits of SHA-256 over what defines it */
	const char *problem;  /* problem.h text */
	const char *target;
	const char *lang;
	const char *skeleton;
	const char *knobs;    /* point_print() text */
	const char *tile;     /* tile program text; "" for whole sources */
	const char *plan;     /* plan.h text; symbols are km_<id>_<kernel> */
	const char *prologue;
	const char *source;
	const char *origin;   /* who wrote the source: "printed" by Kernelmill, "seed", "model", "foreign"; a claim */
	const char *precision; /* "strict": the arithmetic of the problem's own dtypes; else the recipe that stands for it (f32_parts.c) */
	const char *parent;   /* id, or "" */
	const char *edge;     /* how it came from its parent: "random", "neighbour", "seed", ... */
	const char *policy;
	uint64_t seed;
	int64_t generation;   /* number of the batch, from 0 */
};

/*
 * Lowers, verifies and prints a point: fills *c (strings in the arena).
 * 1 done; 0 the point is illegal, reason in *why_not; -1 a bug of ours, *why_not says which.
 */
int candidate_make(struct arena *arena, const struct problem_space *ps, size_t sub_index,
		   const struct point *point, struct candidate *c, struct strbuf *why_not);
/*
 * A whole source that somebody wrote for the problem: fills *c (strings in the arena).  Symbols of text and plan are
 * CANDIDATE_SYMBOL "_<kernel>".  plan NULL: that of candidate_plan() with the `steps`, lines "KERNEL grid=cdiv(M,16) ...".
 * 1 done; 0 it is none: *why_not.
 */
#define CANDIDATE_SYMBOL "KMSYMBOL"
struct written_source {
	const char *lang, *source, *plan, *steps, *origin;
};
int candidate_written(struct arena *arena, const struct problem_space *ps, const struct written_source *whole, struct candidate *c,
		    struct strbuf *why_not);
/* The plan of whole sources but for its steps: dims and tensors of the problem, as a candidate of ours has them.  False: there is none. */
bool candidate_plan(struct arena *arena, const struct problem_space *ps, struct strbuf *plan);
/* A candidate that is already: its source, for the same problem and target, with its id made again.  1, or 0 with *why_not. */
int candidate_adopt(struct arena *arena, const struct problem_space *ps, const struct candidate *given, struct candidate *c, struct strbuf *why_not);
/* A candidate to begin with: where the space's skeletons say so, else the first legal one of a few.  False: there is none. */
bool candidate_start(struct arena *arena, const struct problem_space *ps, struct candidate *c);
void candidate_write(const struct candidate *c, struct strbuf *out); /* one JSON line with '\n' */
/* One line.  0, or -1 with *err. */
int candidate_read(struct arena *arena, const char *line, struct candidate *c, struct strbuf *err);
/* A batch file or "-".  0, or -1 with "file:line: what". */
int candidate_read_file(struct arena *arena, const char *path, struct candidate **c, size_t *count,
			struct strbuf *err);
/* Is it what Kernelmill prints at its knobs?  A batch file can claim any origin; this prints it again and compares. */
bool candidate_is_printed(const struct candidate *c);
/* The command that makes this candidate again and evaluates it alone. */
void candidate_reproduce(const struct candidate *c, struct strbuf *out);

#endif
