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
	/*
	 * Does the point make a candidate, one that was neither tried nor taken for this batch?  NULL: not
	 * known before it is made.  Dear where sources are printed (milliseconds): to be asked about what is
	 * going to be proposed.
	 */
	bool (*is_new)(const struct search *search, size_t sub_index, const struct point *point);
	void *knower;                       /* is_new's own */
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
	bool is_member;  /* the portfolio asks it, too */
	bool asks_model; /* before it, once a batch, a language model is asked for a share, where there is one */
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

/* Takes a proposal: false when it is illegal, or known. */
typedef bool policy_taker(const struct proposal *proposal, void *user);
/*
 * Asks the policy, its generator moving on, until `want` proposals were taken or nothing new
 * comes; returns how many were.  *err: why somebody outside did not answer.
 */
size_t policy_ask(const struct policy *policy, struct arena *arena, const struct search *search, struct rng *rng, size_t want,
		  policy_taker *take, void *user, struct strbuf *err);

extern const struct policy *const policy_table[];
/* "name" or "name:argument"; *argument (may be NULL) is what follows the colon, or "".  NULL: no such policy. */
const struct policy *policy_find(const char *text, const char **argument);

/* When to stop; 0 in a field: no such limit.  Pure. */
struct budget {
	int64_t evaluations;
	double seconds;      /* of evaluation work in the history */
	int64_t stall;       /* trials without a better best */
	/*
	 * Stop when the best reaches this share of the speed of light, or when the strongest baseline does and
	 * nothing beat it: no win is possible.  Above 1.05 the peak is in doubt: no stop.
	 */
	double sol_ratio;
};
#define STOP_NO_WIN "no win possible" /* how the reasons of a search begin in which nothing can beat the baseline */
/* A reason to stop ("evaluations", "seconds", "stall", "speed of light", STOP_NO_WIN ": ..."), or NULL. */
const char *budget_spent(const struct budget *budget, const struct history *seen);
/* The share of the speed of light that the strongest baseline reaches, by the latest trial that tells; 0: unknown. */
double history_baseline_sol(const struct history *seen);
/*
 * Why a search whose policy has nothing new ends: "space"; or, where the space is small enough to be gone through and
 * every legal point of it was tried, STOP_NO_WIN where none beat a baseline.
 */
const char *space_spent(const struct problem_space *ps, const struct history *seen);

#endif
