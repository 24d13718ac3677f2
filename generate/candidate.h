/*
 * candidate.h: one candidate: what it is and all that defines it.
 * A batch file is JSON lines, one candidate a line; this module alone reads and
 * writes them.
 */
#ifndef GENERATE_CANDIDATE_H
#define GENERATE_CANDIDATE_H

#include "generate/space.h"

#define CANDIDATE_STRICT "strict"
/* Stands for km_<id> in printed symbols until the id is known. */
#define CANDIDATE_SYMBOL "KMSYMBOL"

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
/* A whole source in place of a printed one; CANDIDATE_SYMBOL in it and in its plan becomes km_<id>.  See whole.h. */
void candidate_whole(struct arena *arena, const struct problem_space *ps, const struct lang *lang, const char *prologue, const char *source,
		     const char *plan, const char *origin, struct candidate *c);
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
