/*
 * space.h: the legal knob settings of a problem on a target: for each skeleton
 * that matches and each language that serves the target, one subspace.
 */
#ifndef GENERATE_SPACE_H
#define GENERATE_SPACE_H

#include "generate/lang.h"
#include "generate/skeleton.h"

struct subspace {
	const struct skeleton *skeleton;
	const struct lang *lang;
	const struct match *match;
	struct space space;
};
struct problem_space {
	struct arena arena;
	struct problem problem;
	const struct target *target;
	struct normal normal;
	struct subspace *sub;
	size_t sub_count;
};

/* 0, or -1 with *err: no skeleton matches (each one's reason is listed). */
int space_open(struct problem_space *ps, const struct problem *problem,
	       const struct target *target, struct strbuf *err);
void space_close(struct problem_space *ps);
/* Drops the subspaces of other languages; false when none is left. */
bool space_keep_lang(struct problem_space *ps, const char *lang);

/* "skeleton=contraction lang=c BM=344 ..." and back.  parse: 0, or -1 with *err (unknown knob or value). */
void point_print(const struct subspace *sub, const struct point *point, struct strbuf *out);
int point_parse(const struct problem_space *ps, const char *text, size_t *sub_index,
		struct point *point, struct strbuf *err);
/* Points of a subspace before pruning. */
int64_t subspace_size(const struct subspace *sub);

/*
 * TSV for people: per subspace its size and legal share, per knob its values and,
 * in the last column, "does nothing" where changing it alone never changes what
 * is printed.  (report_space.c)
 */
void space_report(const struct problem_space *ps, struct strbuf *out);

/*
 * What the generators make of an operator, target by target: "amd-mi300x:compiled native:measured",
 * or "declared" where none serves it.  Decided by its first check shape.  (states.c)
 */
void space_states(const struct op *op, struct strbuf *out);

/*
 * TSV, a line for each language of the target: the first check problem of every dtype, the language, the
 * skeletons that make a candidate of it, and, where there are none, why not.  (coverage.c)
 */
void space_coverage(const struct op *op, const struct target *target, struct strbuf *out);

#endif
