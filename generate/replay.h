/*
 * replay.h: runs a policy on a measured space as a campaign would: batch after batch, the whole
 * history each time, illegal points dropped and asked for again, failing ones counted.
 */
#ifndef GENERATE_REPLAY_H
#define GENERATE_REPLAY_H

#include "generate/measured.h"
#include "generate/policy.h"

struct replay {
	const struct measured_space *space;
	const struct policy *policy;
	const char *argument;
	const struct relative *relative;
	size_t relative_count;
	size_t budget;  /* evaluations */
	size_t batch;   /* proposals asked for at a time */
};
/* After each evaluation of one search. */
struct replay_step {
	double best_ns;    /* so far; INFINITY: none passed */
	double elapsed_s;  /* wall time of the evaluations so far, compile included */
	double propose_s;  /* of which none is this: what proposing took on this machine, so far */
	size_t point;      /* which */
};
/* Fills step[budget]; returns how many evaluations were made: fewer when the policy stops.  *err: as propose(). */
size_t replay_run(const struct replay *replay, uint64_t seed, struct replay_step *step, struct strbuf *err);

/*
 * The best points of a donor as relatives of `space`, best first, at most `most`, into out[]; returns how many.
 * `from` must live as long as they.
 */
size_t replay_relatives(const struct measured_space *space, const struct measured_space *donor, const char *from, size_t most,
			struct relative *out);

/* Mean wall time of an evaluation in the space. */
double replay_mean_cost_s(const struct measured_space *space);
/*
 * The baseline is what random search without replacement finds on average, failing points at their share.
 * When it has come 95 % of the way from the median to the best, in seconds of evaluations.
 */
double replay_cutoff_s(const struct measured_space *space);
/*
 * The community score of one search up to the cutoff, or to what the budget takes on average where that is less (autotuning_methodology: Willemsen et al., 2024): the mean,
 * at 50 times, of how far it is from the baseline (0) to the best (1).  After its last evaluation a search
 * stays where it was.
 */
double replay_score(const struct measured_space *space, const struct replay_step *step, size_t count, size_t budget);
/* The best so far at a time; INFINITY before the first. */
double replay_best_at_s(const struct replay_step *step, size_t count, double seconds);

/* Mean and the bounds of its 95 % confidence interval (Student's). */
struct replay_mean {
	double mean, low, high;
};
struct replay_mean replay_mean(const double *value, size_t count);

#endif
