/*
 * policy.h: a search policy.  generate/policy/<name>.c exports one
 * `const struct policy policy_<name>`.
 *
 * A search is a graph of trials: each came from none or from a parent, by an edge.  What a
 * policy is told is a struct search, what it answers are proposals.
 */
#ifndef GENERATE_POLICY_H
#define GENERATE_POLICY_H

#include "generate/feedback.h"
#include "generate/history.h"
#include "ops/core/rng.h"

/* A point that did well for a relative: the same operator on another target or at another shape, or one of its family. */
struct relative {
	size_t sub_index;
	struct point point;
	double share;      /* its speed by the speed of that relative's best: 1 is the best */
	const char *from;  /* the relative, for people */
};

struct search {
	const struct problem_space *ps;
	const struct history *seen;         /* placed: see history_place() */
	const struct relative *relative;    /* nearest relative first, and of each the best first */
	size_t relative_count;
	const char *argument;               /* of --policy=NAME:ARGUMENT, or "" */
	const struct feedback_list *feedback; /* what trials said beyond their rows; NULL: nothing of it */
	struct llm *llm;                    /* who answers for a language model (llm.h); NULL: nobody */
};

struct proposal {
	size_t sub_index;
	struct point point;
	const struct candidate *whole; /* a whole source, in place of a point; or NULL.  Its parent, edge and policy are set from here */
	const char *parent; /* id or "" */
	const char *edge;
	const char *policy; /* who proposed it, where that is another than was asked; or NULL */
};

struct policy {
	const char *name;
	const char *summary;
	bool is_outside; /* asks somebody: once a batch, and not again for what was not answered */
	const char *stands_in; /* of one that asks: the policy that proposes a batch where nobody answers; NULL: none, the search ends */
	/*
	 * Proposes up to `want` candidates into out[] (zeroed); returns how many, 0 to stop.
	 * Pure: no state, no clock.  `search` is its only memory, `rng` its only chance: equal
	 * arguments give equal proposals, so a run resumes and replays.  May propose illegal or
	 * repeated points: the caller drops them and asks again.  What asks somebody outside (exec,
	 * llm) is pure given what was answered; where nobody answers it proposes nothing and says
	 * in *err, which is told once and ends nothing, why.
	 */
	size_t (*propose)(struct arena *arena, const struct search *search, struct rng *rng, size_t want,
			  struct proposal *out, struct strbuf *err);
};

extern const struct policy *const policy_table[];
/* "name" or "name:argument"; *argument (may be NULL) is what follows the colon, or "".  NULL: no such policy. */
const struct policy *policy_find(const char *text, const char **argument);

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
