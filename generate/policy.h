/*
 * policy.h: a search policy.  generate/policy/<name>.c exports one
 * `const struct policy policy_<name>`.
 */
#ifndef GENERATE_POLICY_H
#define GENERATE_POLICY_H

#include "generate/history.h"
#include "ops/core/rng.h"

struct proposal {
	size_t sub_index;
	struct point point;
	const char *parent; /* id or "" */
	const char *edge;
};

struct policy {
	const char *name;
	const char *summary;
	/*
	 * Proposes up to `want` points into out[]; returns how many, 0 to stop.
	 * Pure: no state, no clock, no I/O.  `seen` is its only memory, `rng` its
	 * only chance: equal arguments give equal proposals, so a run resumes and
	 * replays.  May propose illegal or repeated points: the caller drops them
	 * and asks again.
	 */
	size_t (*propose)(struct arena *arena, const struct problem_space *ps,
			  const struct history *seen, struct rng *rng, size_t want,
			  struct proposal *out);
};

extern const struct policy *const policy_table[];
const struct policy *policy_find(const char *name);

/* When to stop; 0 in a field: no such limit.  Pure. */
struct budget {
	int64_t evaluations;
	double seconds;      /* of evaluation work in the history */
	int64_t stall;       /* trials without a better best */
	double sol_ratio;    /* stop when the best reaches this share of the speed of light (above 1.05 the peak is in doubt: no stop) */
};
/* A reason to stop ("evaluations", "seconds", "stall", "speed of light"), or NULL. */
const char *budget_spent(const struct budget *budget, const struct history *seen);

#endif
