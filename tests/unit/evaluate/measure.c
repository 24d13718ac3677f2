/* Medians, races, duels: on synthetic noise whose truth is known. */
#include "evaluate/measure.h"
#include "tests/tap.h"

#include <math.h>
#include <string.h>

struct truth {
	double mean[64];
	double noise, drift;
	struct rng rng;
	int64_t taken;
};

static double draw(size_t i, void *user)
{
	struct truth *t = user;
	/* Log-normal noise, and a clock that drifts by `drift` over the whole race. */
	double z = sqrt(-2 * log(rng_unit(&t->rng) + 1e-300)) * cos(6.283185307179586 * rng_unit(&t->rng));
	t->taken++;
	return t->mean[i] * exp(t->noise * z) * (1 + t->drift * (double)(t->taken % 1000) / 1000);
}

static double fail_third(size_t i, void *user)
{
	return i == 2 ? NAN : draw(i, user);
}

static void test_race(void)
{
	int right = 0;
	int64_t samples = 0;

	for (int r = 0; r < 100; r++) {
		struct truth t = { .noise = 0.03, .drift = 0.05, .rng = { (uint64_t)r, 0 } };
		double buffer[48][32];
		struct race_entry e[48];
		size_t order[48];
		struct rng rng = { 77, 0 };
		for (int i = 0; i < 48; i++) {
			t.mean[i] = 100 + 4 * ((i * 29 + r) % 48);
			e[i] = (struct race_entry){ .sample_ns = buffer[i], .capacity = 32 };
		}
		measure_race(e, 48, 2, draw, &t, &rng, order);
		right += t.mean[order[0]] <= 104;
		samples += t.taken;
	}
	ok(right >= 97, "a race ends within 4 %% of the best in %d of 100", right);
	ok(samples < 100 * 48 * 33 / 4, "with under a quarter of all samples (%.0f %%)", (double)samples / (48.0 * 33));
	struct truth t = { .mean = { 5, 6, 1, 7 }, .rng = { 1, 0 } };
	double buffer[4][32];
	struct race_entry e[4];
	size_t order[4];
	struct rng rng = { 1, 0 };
	for (int i = 0; i < 4; i++)
		e[i] = (struct race_entry){ .sample_ns = buffer[i], .capacity = 32 };
	measure_race(e, 4, 2, fail_third, &t, &rng, order);
	ok(order[0] == 0 && e[2].out, "one that fails is out, however fast");
}

/* Noise, a drift, bursts that last several pairs, and a share that where things lie has in the time. */
struct world {
	double ratio, noise, placement, burst;
	double lies[2];
	struct rng rng;
	int64_t taken, burst_until;
};

static double normal(struct rng *rng)
{
	return sqrt(-2 * log(rng_unit(rng) + 1e-300)) * cos(6.283185307179586 * rng_unit(rng));
}

static bool place(void *user)
{
	struct world *w = user;

	for (int i = 0; i < 2; i++)
		w->lies[i] = exp(w->placement * normal(&w->rng));
	return true;
}

static double live(size_t i, void *user)
{
	struct world *w = user;
	double mean = i ? 1000 * w->ratio : 1000;

	w->taken++;
	if (w->burst > 0 && rng_unit(&w->rng) < 0.02)
		w->burst_until = w->taken + 1 + (int64_t)(10 * rng_unit(&w->rng));
	double burst = w->taken < w->burst_until ? 1 + w->burst * rng_unit(&w->rng) : 1;
	return mean * w->lies[i] * burst * exp(w->noise * normal(&w->rng)) * (1 + 0.1 * (double)w->taken / 100);
}

/* How many of 1000 duels end FASTER or SLOWER, and SLOWER. */
static int told_apart(struct world world, bool renewed, int *slower)
{
	double a[64], b[64];
	int told = 0;

	*slower = 0;
	for (uint64_t s = 0; s < 1000; s++) {
		struct world w = world;
		struct duel d = { .a_ns = a, .b_ns = b };
		w.rng = (struct rng){ s, 0 };
		place(&w);
		measure_duel(0, 1, 48, 0.03, live, renewed ? place : NULL, &w, &d);
		told += d.verdict == DUEL_FASTER || d.verdict == DUEL_SLOWER;
		*slower += d.verdict == DUEL_SLOWER;
	}
	return told;
}

static void test_duel(void)
{
	int slower, n;

	n = told_apart((struct world){ .ratio = 1, .noise = 0.03 }, true, &slower);
	ok(n <= 10, "A/A: %d of 1000 false verdicts (at most 1 %%)", n);
	n = told_apart((struct world){ .ratio = 1, .noise = 0.03, .burst = 0.5 }, true, &slower);
	ok(n <= 10, "A/A among bursts: %d of 1000", n);
	n = told_apart((struct world){ .ratio = 1, .noise = 0.01, .placement = 0.03, .burst = 0.3 }, true, &slower);
	ok(n <= 10, "A/A where placement is worth 3 %%: %d of 1000", n);
	n = told_apart((struct world){ .ratio = 1, .noise = 0.01, .placement = 0.03, .burst = 0.3 }, false, &slower);
	ok(n > 50, "and where each side stays where it lies: %d of 1000, which is why it is drawn again", n);
	told_apart((struct world){ .ratio = 0.9, .noise = 0.02, .placement = 0.01, .burst = 0.3 }, true, &slower);
	ok(slower >= 900, "10 %% slower is called slower in %d of 1000", slower);
	told_apart((struct world){ .ratio = 0.95, .noise = 0.01 }, true, &slower);
	ok(slower >= 900, "5 %% slower, quiet, in %d of 1000", slower);

	double a[64], b[64];
	struct world w = { .ratio = 2, .noise = 0.01, .lies = { 1, 1 } };
	struct duel d = { .a_ns = a, .b_ns = b }, again = d;
	measure_duel(0, 1, 48, 0.03, live, NULL, &w, &d);
	ok(d.verdict == DUEL_FASTER && fabs(d.ratio - 2) < 0.05 && d.low <= d.ratio && d.ratio <= d.high, "ratio %.3f in %.3f..%.3f", d.ratio, d.low, d.high);
	measure_ratio(a, b, 48, 0.03, &again);
	ok(again.ratio == d.ratio && again.low == d.low && again.verdict == d.verdict, "recorded pairs give the same interval");
	w = (struct world){ .ratio = 1, .noise = 0.0001, .lies = { 1, 1 } };
	measure_duel(0, 1, 10, 0.03, live, NULL, &w, &d);
	ok(d.verdict == DUEL_SAME && d.pair_count == 10, "the same is the same, ten pairs");
	measure_duel(0, 1, 3, 0.03, live, NULL, &w, &d);
	ok(d.verdict == DUEL_AMBIGUOUS && d.pair_count == 3, "three pairs prove nothing");
}

int main(void)
{
	double v[] = { 5, 1, 4, 2, 3 }, w[] = { 4, 1, 3, 2 };

	ok(median(v, 5) == 3 && median(w, 4) == 2.5 && isnan(median(v, 0)), "medians");
	ok(quantile(v, 5, 0.25) == 2 && quantile(v, 5, 1) == 5, "quantiles");
	test_race();
	test_duel();
	return done_testing();
}
