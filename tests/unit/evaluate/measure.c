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

static struct duel duel_of(double ratio, double noise, uint64_t seed, double *a, double *b)
{
	struct truth t = { .mean = { 1000, 1000 * ratio }, .noise = noise, .drift = 0.1, .rng = { seed, 0 } };
	struct rng rng = { seed, 1 };
	struct duel d = { .a_ns = a, .b_ns = b };

	measure_duel(0, 1, 40, 0.01, draw, &t, &rng, &d);
	return d;
}

static void test_duel(void)
{
	double a[64], b[64];
	int falsely = 0, found = 0;

	for (uint64_t s = 0; s < 400; s++) {
		enum duel_verdict v = duel_of(1, 0.03, s, a, b).verdict;
		falsely += v == DUEL_FASTER || v == DUEL_SLOWER;
		found += duel_of(1.05, 0.03, s, a, b).verdict == DUEL_FASTER;
	}
	ok(falsely <= 4, "A/A: %d of 400 false verdicts (at most 1 %%)", falsely);
	ok(found >= 360, "a difference of 5 %% is found in %d of 400", found);
	struct duel d = duel_of(2, 0.01, 1, a, b);
	ok(d.verdict == DUEL_FASTER && fabs(d.ratio - 2) < 0.05 && d.low <= d.ratio && d.ratio <= d.high, "ratio %.3f in %.3f..%.3f", d.ratio, d.low, d.high);
	ok(duel_of(0.5, 0.01, 1, a, b).verdict == DUEL_SLOWER, "slower is slower");
	ok(duel_of(1, 0.0001, 1, a, b).verdict == DUEL_SAME, "the same is the same");
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
