/*
 * gauss.h: a Gaussian process over points of a knob space: what it expects of points that were not
 * tried, and how sure it is (kriging; Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006).
 *
 * A point is, per knob, the rank of its value.  Two points are the less alike the more knobs differ, and the
 * further: correlation exp(-sum over differing knobs of (slope |difference| / (levels - 1) + step)).  So a value
 * may be close to its neighbours in order, or unlike all others, as the data say.
 *
 * Pure; everything lives in the arena.  Costs n^3 / 6 + m n^2 / 2 multiplications for n points known and m looked at.
 */
#ifndef GENERATE_GAUSS_H
#define GENERATE_GAUSS_H

#include "ops/core/arena.h"
#include "ops/core/rng.h"

enum { GAUSS_MAX_DIMS = 16 };
struct gauss {
	struct arena *arena;
	size_t dims, known;
	const size_t *levels;    /* of each knob, at least 2 */
	const int16_t *x;        /* [known][dims] */
	double mean, deviation;  /* of the values given */
	double slope[GAUSS_MAX_DIMS], step[GAUSS_MAX_DIMS];
	double *alike[GAUSS_MAX_DIMS]; /* [difference]: the knob's factor of the correlation */
	double noise;            /* share of the variance that is no function of the point */
	double scale;            /* standard deviation of the process, of values less mean over deviation */
	double *factor;          /* Cholesky's, [known][known], of the correlations */
	double *white;           /* factor^-1 of the values */
	size_t looked, room, believed;
	const int16_t *at;       /* [looked][dims] */
	double *v;               /* factor^-1 of the correlations between what is known and what is looked at, [known + room][looked] */
	double *expected;        /* of each point looked at, in the units of the values given */
	double *unsure;          /* standard deviation, likewise */
};

/*
 * Learns from y at x ([n][dims]), with slopes and steps that make the data likely
 * on up to `fit` of the points, drawn by rng.  False: the data tell nothing (fewer than two values).
 */
bool gauss_learn(struct gauss *g, struct arena *arena, const int16_t *x, const double *y, size_t n, const size_t *levels, size_t dims, size_t fit,
		 struct rng *rng);
/* Looks at m points (at[m][dims] must live as long); fills expected[] and unsure[].  Up to `room` of them can then be believed. */
void gauss_look(struct gauss *g, const int16_t *at, size_t m, size_t room);
/* Takes what it expects at point i looked at for known: it becomes surer around. */
void gauss_believe(struct gauss *g, size_t i);
/* The expected improvement on `best` (less is better) at point i, as a logarithm: small ones stay comparable. */
double gauss_log_improvement(const struct gauss *g, size_t i, double best);

#endif
