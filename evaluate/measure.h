/*
 * measure.h: the statistics of timing: medians,
 * successive halving, interleaved pairs, bootstrap intervals.  No clock here:
 * the sampler is passed in, so the same code replays recorded samples.
 */
#ifndef EVALUATE_MEASURE_H
#define EVALUATE_MEASURE_H

#include "evaluate/record.h"
#include "ops/core/rng.h"

/* The least difference that counts; how often a kernel differs so much from itself: make bench-aa. */
#define MEASURE_MARGIN 0.03

double median(double *value, size_t count); /* reorders value[] */
double quantile(double *value, size_t count, double q); /* sorts value[] */

/* Takes one more sample of contestant i [ns per call]; NAN: it failed and is out. */
typedef double sampler(size_t i, void *user);

struct race_entry {
	double *sample_ns;
	size_t sample_count, capacity;
	int rung;
	bool out; /* failed while racing */
};
/*
 * Successive halving over `count` contestants: one warm-up discarded, `first`
 * samples each, keep the better half by median (and all within 2 % of the cut
 * among the last 8), double the samples up to 32.  Order within a round is drawn
 * from rng.  order[] receives the contestants, best first.
 */
void measure_race(struct race_entry *entry, size_t count, int first, sampler *sample, void *user,
		  struct rng *rng, size_t *order);
/*
 * `pairs` interleaved ABBA pairs; ratio = median of b/a, 95 % bootstrap interval
 * of 999 resamples of blocks; FASTER or SLOWER when the interval, and the median
 * of each half of the run, lie wholly outside 1 +- margin, SAME when the interval
 * lies wholly inside, else AMBIGUOUS.
 */
void measure_duel(size_t a, size_t b, size_t pairs, double margin, sampler *sample, void *user,
		  struct rng *rng, struct duel *duel);
/* The interval alone, from recorded pairs. */
void measure_ratio(const double *a_ns, const double *b_ns, size_t pairs, double margin,
		   uint64_t seed, struct duel *duel);

#endif
