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

static size_t block_count(size_t pairs)
{
	return pairs / 2 < MEASURE_BLOCKS ? pairs / 2 : MEASURE_BLOCKS;
}

/* The first pair of block k. */
static size_t block_start(size_t k, size_t blocks, size_t pairs)
{
	/* Even, so that each block begins with AB. */
	return k == blocks ? pairs : k * pairs / blocks / 2 * 2;
}

/* Student's t: that share of the two-sided distribution lies within +- t. */
static double student(size_t degrees)
{
	static const double at_99[] = { 63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499 };

	_Static_assert(MEASURE_CONFIDENCE == 0.99 && ARRAY_SIZE(at_99) == MEASURE_BLOCKS - 1, "the table is for this confidence");
	return at_99[degrees - 1];
}

/* log(b/a) of pairs from..to-1: going second can be an advantage (warm caches) or none, but it is the same for both. */
static double block_ratio(const double *a_ns, const double *b_ns, size_t from, size_t to)
{
	double side[2][64], total = 0;
	size_t count[2] = { 0 }, sides = 0;

	for (size_t i = from; i < to; i++)
		if (count[i & 1] < ARRAY_SIZE(side[0]))
			side[i & 1][count[i & 1]++] = log(b_ns[i] / a_ns[i]);
	for (int k = 0; k < 2; k++)
		if (count[k]) {
			total += median(side[k], count[k]);
			sides++;
		}
	return total / (double)sides;
}

void measure_ratio(const double *a_ns, const double *b_ns, size_t pairs, double margin, struct duel *duel)
{
	size_t blocks = block_count(pairs);
	double ratio[MEASURE_BLOCKS], mean = 0, square = 0;

	duel->pair_count = pairs;
	duel->verdict = DUEL_AMBIGUOUS;
	if (blocks < 2) {
		duel->ratio = pairs ? exp(block_ratio(a_ns, b_ns, 0, pairs)) : NAN;
		duel->low = duel->high = NAN;
		return;
	}
	for (size_t k = 0; k < blocks; k++)
		mean += ratio[k] = block_ratio(a_ns, b_ns, block_start(k, blocks, pairs), block_start(k + 1, blocks, pairs));
	mean /= (double)blocks;
	for (size_t k = 0; k < blocks; k++)
		square += (ratio[k] - mean) * (ratio[k] - mean);
	double half = student(blocks - 1) * sqrt(square / (double)(blocks - 1) / (double)blocks);
	duel->ratio = exp(mean);
	duel->low = exp(mean - half);
	duel->high = exp(mean + half);
	if (duel->low > 1 + margin)
		duel->verdict = DUEL_FASTER;
	else if (duel->high < 1 - margin)
		duel->verdict = DUEL_SLOWER;
	else if (duel->low >= 1 - margin && duel->high <= 1 + margin)
		duel->verdict = DUEL_SAME;
}

void measure_duel(size_t a, size_t b, size_t pairs, double margin, sampler *sample, renewer *renew, void *user, struct duel *duel)
{
	size_t got = 0, blocks = block_count(pairs), k = 1;

	for (size_t i = 0; i < pairs; i++) {
		if (k < blocks && i == block_start(k, blocks, pairs)) {
			k++;
			if (renew && !renew(user))
				break;
		}
		/* AB, BA: whichever drift there is hits both alike. */
		size_t first = i & 1 ? b : a, second = i & 1 ? a : b;
		double x = sample(first, user), y = sample(second, user);
		if (isnan(x) || isnan(y))
			break;
		duel->a_ns[got] = i & 1 ? y : x;
		duel->b_ns[got++] = i & 1 ? x : y;
	}
	if (got == pairs)
		measure_ratio(duel->a_ns, duel->b_ns, got, margin, duel);
	else
		*duel = (struct duel){ .problem = duel->problem, .environment = duel->environment, .a = duel->a, .b = duel->b, .ratio = NAN,
				       .low = NAN, .high = NAN, .verdict = DUEL_AMBIGUOUS };
}
