/* km-evaluate replay-race: the evaluator's race (measure.h) on recorded samples. */
#include "evaluate/replay_main.h"
#include "evaluate/measure.h"
#include "generate/measured.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 32, MOST_CONTESTANTS = 512 };

/* The contestants of a race: the samples of each in the order they were taken. */
struct recorded {
	const struct measured_point *point[MOST_CONTESTANTS];
	size_t next[MOST_CONTESTANTS];
	double spent_ns;
};

/* Behind the last sample those after the first come again. */
static double next_sample(size_t i, void *user)
{
	struct recorded *r = user;
	size_t n = r->point[i]->sample_count, at = r->next[i]++;
	double ns = r->point[i]->sample_ns[at < n ? at : 1 + (at - n) % (n - 1)];

	r->spent_ns += ns;
	return ns;
}

static double settled_ns(const struct measured_point *p)
{
	double copy[SAMPLES];

	memcpy(copy, p->sample_ns, sizeof(copy));
	return median(copy, SAMPLES);
}

/* One race among points drawn from eligible[]; its cost and the winner's regret. */
static void run_race(const struct measured_point **eligible, size_t eligible_count, size_t contestants, int first, struct rng *rng, double *cost, double *regret)
{
	static double sample[MOST_CONTESTANTS][SAMPLES];
	struct race_entry entry[MOST_CONTESTANTS] = { 0 };
	struct recorded r = { .spent_ns = 0 };
	size_t order[MOST_CONTESTANTS], n = contestants < eligible_count ? contestants : eligible_count;
	double full_ns = 0, best_ns = INFINITY;

	for (size_t i = 0; i < n; i++) {
		size_t j = i + (size_t)rng_below(rng, (int64_t)(eligible_count - i));
		const struct measured_point *p = eligible[j];
		eligible[j] = eligible[i];
		eligible[i] = r.point[i] = p;
		entry[i] = (struct race_entry){ .sample_ns = sample[i], .capacity = SAMPLES };
		for (size_t k = 0; k < SAMPLES; k++)
			full_ns += p->sample_ns[k];
		best_ns = fmin(best_ns, settled_ns(p));
	}
	measure_race(entry, n, first, next_sample, &r, rng, order);
	*cost = r.spent_ns / full_ns;
	*regret = settled_ns(r.point[order[0]]) / best_ns - 1;
}

static void print_row(const char *space, int64_t first, size_t races, const double *cost, double *regret)
{
	double total = 0;
	size_t within = 0;

	for (size_t i = 0; i < races; i++) {
		total += cost[i] / (double)races;
		within += regret[i] <= 0.01;
	}
	double p95 = quantile(regret, races, 0.95);
	printf("%s\t%lld\t%zu\t%.4f\t%.4f\t%.4f\t%.4f\n", space, (long long)first, races, total, (double)within / (double)races, p95, regret[races - 1]);
}

int replay_race_main(int argc, char **argv)
{
	static const struct cli_command command = {
		"replay-race", "FILE...",
		"races points of measured spaces with their recorded samples, in their order.  TSV: space, samples to begin with, races, kernel time as a "
		"share of 32 samples each, share of races won by one within 1 % of the best, 95th percentile and most of what a winner is slower", NULL
	};
	int64_t races = 100, contestants = 500, first = 1, seed = 1;
	const struct cli_option options[] = {
		{ "races", 0, CLI_INT, &races, "N", "races a space [100]" },
		{ "contestants", 0, CLI_INT, &contestants, "N", "points a race, drawn by chance, at most 512 [500]" },
		{ "first", 0, CLI_INT, &first, "N", "samples of each to begin with, beside one discarded [1]" },
		{ "seed", 0, CLI_INT, &seed, "N", "of the draws [1]" },
		CLI_END,
	};
	struct strbuf err = STRBUF_INIT;
	int n = cli_parse(argc, argv, &command, options, 1, 4096), code = KM_EXIT_FATAL;

	if (races < 1 || races > 100000 || contestants < 2 || contestants > MOST_CONTESTANTS || first < 1 || first > SAMPLES)
		usage("--races is 1..100000, --contestants 2..%d, --first 1..%d", MOST_CONTESTANTS, SAMPLES);
	size_t all = 0;
	double *cost = calloc((size_t)(races * n), sizeof(*cost)), *regret = calloc((size_t)(races * n), sizeof(*regret)), *own = calloc((size_t)races, sizeof(*own));
	if (!cost || !regret || !own)
		die("out of memory: fewer races");
	printf("space\tfirst\traces\tcost\twithin\tp95\tmost\n");
	for (int f = 1; f <= n; f++) {
		struct measured_space space;
		size_t eligible_count = 0;
		if (measured_read(&space, argv[f], &err)) {
			measured_close(&space);
			goto out;
		}
		const struct measured_point **eligible = ARENA_ARRAY(&space.arena, const struct measured_point *, space.count);
		for (size_t i = 0; i < space.count; i++)
			if (!isnan(space.point[i].time_ns) && space.point[i].sample_count >= SAMPLES)
				eligible[eligible_count++] = &space.point[i];
		if (eligible_count < 2) {
			strbuf_addf(&err, "'%s' has fewer than two points with %d raw samples: give a file with 'times' or 'runtimes'", argv[f], SAMPLES);
			measured_close(&space);
			goto out;
		}
		for (int64_t i = 0; i < races; i++, all++) {
			struct rng rng = { (uint64_t)(seed + i), (uint64_t)f << 32 };
			run_race(eligible, eligible_count, (size_t)contestants, (int)first, &rng, &cost[all], &regret[all]);
		}
		memcpy(own, &regret[all - (size_t)races], (size_t)races * sizeof(*own));
		print_row(space.name, first, (size_t)races, &cost[all - (size_t)races], own);
		measured_close(&space);
	}
	if (n > 1)
		print_row("all", first, all, cost, regret);
	code = KM_EXIT_DONE;
out:
	free(cost);
	free(regret);
	free(own);
	return diag_report(&err, code);
}
