#include "evaluate/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double quantile(double *value, size_t count, double q)
{
	if (!count)
		return NAN;
	qsort(value, count, sizeof(*value), by_value);
	double at = q * (double)(count - 1);
	size_t i = (size_t)at;
	return i + 1 < count ? value[i] + (at - (double)i) * (value[i + 1] - value[i]) : value[count - 1];
}

double median(double *value, size_t count)
{
	return quantile(value, count, 0.5);
}

static double entry_median(const struct race_entry *e)
{
	double copy[64];
	size_t n = e->sample_count < 64 ? e->sample_count : 64;

	if (e->out)
		return INFINITY;
	if (!n)
		return 0;
	memcpy(copy, e->sample_ns, n * sizeof(*copy));
	return median(copy, n);
}

static void take(struct race_entry *entry, size_t i, sampler *sample, void *user)
{
	double ns = sample(i, user);

	if (isnan(ns))
		entry[i].out = true;
	else if (entry[i].sample_count < entry[i].capacity)
		entry[i].sample_ns[entry[i].sample_count++] = ns;
}

/* alive[] best first. */
static void sort_alive(struct race_entry *entry, size_t *alive, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && entry_median(&entry[alive[k]]) < entry_median(&entry[alive[k - 1]]); k--) {
			size_t t = alive[k];
			alive[k] = alive[k - 1];
			alive[k - 1] = t;
		}
}

void measure_race(struct race_entry *entry, size_t count, int first, sampler *sample, void *user,
		  struct rng *rng, size_t *order)
{
	size_t alive = 0;

	for (size_t i = 0; i < count; i++) {
		if (!entry[i].out && isnan(sample(i, user))) /* warm-up, discarded */
			entry[i].out = true;
		order[i] = i;
	}
	/* Those that failed go last and are not asked again. */
	alive = count;
	sort_alive(entry, order, alive);
	while (alive && entry[order[alive - 1]].out)
		alive--;
	for (int n = first; alive > 0; n *= 2) {
		int want = n < 32 ? n : 32;
		for (bool short_of = true; short_of;) {
			/* One sample each in random order, round after round. */
			size_t round[512], left = alive < 512 ? alive : 512;
			memcpy(round, order, left * sizeof(*round));
			short_of = false;
			for (; left; left--) {
				size_t k = (size_t)rng_below(rng, (int64_t)left), i = round[k];
				round[k] = round[left - 1];
				if (entry[i].out || (int)entry[i].sample_count >= want)
					continue;
				take(entry, i, sample, user);
				short_of |= !entry[i].out && (int)entry[i].sample_count < want;
			}
		}
		sort_alive(entry, order, alive);
		for (size_t i = 0; i < alive; i++)
			entry[order[i]].rung = want;
		if (alive == 1 || want == 32)
			break;
		size_t half = (alive + 1) / 2;
		double cut = entry_median(&entry[order[half - 1]]);
		if (alive <= 8)
			while (half < alive && entry_median(&entry[order[half]]) <= 1.02 * cut)
				half++;
		if (half == alive && want >= 8)
			break;
		alive = half;
	}
}

void measure_ratio(const double *a_ns, const double *b_ns, size_t pairs, double margin,
		   uint64_t seed, struct duel *duel)
{
	enum { RESAMPLES = 999, BLOCK = 5 };
	struct rng rng = { seed, 0 };
	double *ratio = malloc(2 * (pairs + 1) * sizeof(*ratio)), *draw = ratio + pairs + 1, *medians = malloc(RESAMPLES * sizeof(*medians));

	if (!ratio || !medians)
		abort();
	/*
	 * AB and the BA behind it count as one: going second can be an advantage (warm
	 * caches) or none, but it is the same for both.
	 */
	size_t taken = pairs;
	if (pairs >= 4)
		pairs /= 2;
	for (size_t i = 0; i < pairs; i++)
		ratio[i] = taken >= 4 ? (log(b_ns[2 * i] / a_ns[2 * i]) + log(b_ns[2 * i + 1] / a_ns[2 * i + 1])) / 2 : log(b_ns[i] / a_ns[i]);
	for (int r = 0; r < RESAMPLES; r++) {
		/* Blocks of neighbours: a disturbance lasts longer than one pair (moving-block bootstrap, Kuensch 1989). */
		size_t from = 0;
		for (size_t i = 0; i < pairs; i++) {
			from = i % BLOCK ? (from + 1) % pairs : (size_t)rng_below(&rng, (int64_t)pairs);
			draw[i] = ratio[from];
		}
		medians[r] = median(draw, pairs);
	}
	memcpy(draw, ratio, pairs * sizeof(*draw));
	duel->ratio = exp(median(draw, pairs));
	duel->low = exp(quantile(medians, RESAMPLES, 0.025));
	duel->high = exp(quantile(medians, RESAMPLES, 0.975));
	duel->pair_count = taken;
	/* A verdict must hold in both halves of the run: a passing disturbance fills at most one. */
	double half[2] = { duel->ratio, duel->ratio };
	for (int h = 0; h < 2 && pairs >= 8; h++) {
		memcpy(draw, ratio + (h ? pairs / 2 : 0), pairs / 2 * sizeof(*draw));
		half[h] = exp(median(draw, pairs / 2));
	}
	bool above = half[0] > 1 + margin && half[1] > 1 + margin, below = half[0] < 1 - margin && half[1] < 1 - margin;
	if (duel->low > 1 + margin && above)
		duel->verdict = DUEL_FASTER;
	else if (duel->high < 1 - margin && below)
		duel->verdict = DUEL_SLOWER;
	else if (duel->low >= 1 - margin && duel->high <= 1 + margin)
		duel->verdict = DUEL_SAME;
	else
		duel->verdict = DUEL_AMBIGUOUS;
	free(ratio);
	free(medians);
}

void measure_duel(size_t a, size_t b, size_t pairs, double margin, sampler *sample, void *user,
		  struct rng *rng, struct duel *duel)
{
	uint64_t seed = rng_next(rng);
	size_t got = 0;

	for (size_t i = 0; i < pairs; i++) {
		/* ABBA: whichever drift there is hits both alike. */
		size_t first = i & 1 ? b : a, second = i & 1 ? a : b;
		double x = sample(first, user), y = sample(second, user);
		if (isnan(x) || isnan(y))
			continue;
		duel->a_ns[got] = i & 1 ? y : x;
		duel->b_ns[got++] = i & 1 ? x : y;
	}
	if (got)
		measure_ratio(duel->a_ns, duel->b_ns, got, margin, seed, duel);
	else
		*duel = (struct duel){ .a = duel->a, .b = duel->b, .ratio = NAN, .low = NAN, .high = NAN, .verdict = DUEL_AMBIGUOUS };
}
