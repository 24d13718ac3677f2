/*
 * measure.h: the statistics of timing: medians,
 * successive halving, interleaved pairs in blocks, intervals.  No clock here:
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
 * `pairs` interleaved pairs, AB and BA in turn, in up to MEASURE_BLOCKS blocks; before each
 * block but the first `renew` starts both contestants afresh, so that where their code and
 * memory happen to lie is drawn again (NULL: they stay; false: the duel ends).  A block's
 * ratio is the median of b/a over its AB and over its BA pairs, averaged; ratio is the
 * geometric mean of the blocks', with Student's MEASURE_CONFIDENCE interval over blocks:
 * pairs of one block share a disturbance and a placement and count as one observation
 * (batch means: Schmeiser, Operations Research 30(3), 1982; levels of repetition:
 * Kalibera & Jones, ISMM 2013).  FASTER or SLOWER when the interval lies wholly outside
 * 1 +- margin, SAME when wholly inside, else AMBIGUOUS.
 */
#define MEASURE_CONFIDENCE 0.99
#define MEASURE_CONFIDENCE_TEXT "99 %"
enum { MEASURE_BLOCKS = 8 };
typedef bool renewer(void *user);
void measure_duel(size_t a, size_t b, size_t pairs, double margin, sampler *sample, renewer *renew, void *user,
		  struct duel *duel);
/* The interval alone, from recorded pairs. */
void measure_ratio(const double *a_ns, const double *b_ns, size_t pairs, double margin, struct duel *duel);

#endif
