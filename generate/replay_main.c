/* km-generate replay: what policies reach on spaces of which every point was measured. */
#include "generate/replay_main.h"
#include "generate/replay.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_CHECKPOINTS = 16 };

/* What one policy did on one space, by repeat: count searches of `budget` steps each. */
struct result {
	struct replay_step *step;
	size_t *count;
	double *score;
};
struct run {
	struct measured_space *space;
	struct relative **relative; /* by space */
	size_t *relative_count;
	double *mean_cost_s, *cutoff_s;
	size_t space_count, policy_count, budget, repeats, batch;
	uint64_t seed;
	bool verbose;
	const struct policy **policy;
	const char **policy_text, **argument;
	struct result *result;      /* [policy][space] */
};

static const struct result *result_of(const struct run *run, size_t policy, size_t space)
{
	return &run->result[policy * run->space_count + space];
}

/* The fraction of the optimum that a repeat had reached after so many evaluations. */
static double fraction_at(const struct run *run, const struct result *r, size_t space, size_t repeat, size_t evaluations)
{
	size_t n = r->count[repeat] < evaluations ? r->count[repeat] : evaluations;
	double best = n ? r->step[repeat * run->budget + n - 1].best_ns : INFINITY;

	return isfinite(best) ? run->space[space].best_ns / best : 0;
}

/* At the time that so many evaluations take on average. */
static double fraction_at_time(const struct run *run, const struct result *r, size_t space, size_t repeat, double evaluations)
{
	double best = replay_best_at_s(&r->step[repeat * run->budget], r->count[repeat], evaluations * run->mean_cost_s[space]);

	return isfinite(best) ? run->space[space].best_ns / best : 0;
}

enum curve { EVALUATIONS, TIME, SCORE };
static const char *const curve_name[] = { "evaluations", "time", "score" };

static double value_at(const struct run *run, size_t policy, size_t space, size_t repeat, enum curve curve, double at)
{
	const struct result *r = result_of(run, policy, space);

	return curve == EVALUATIONS ? fraction_at(run, r, space, repeat, (size_t)at) : curve == TIME ? fraction_at_time(run, r, space, repeat, at) : r->score[repeat];
}

static double least(const double *value, size_t count)
{
	double low = value[0];

	for (size_t i = 1; i < count; i++)
		low = value[i] < low ? value[i] : low;
	return low;
}

static double share_above(const double *value, size_t count, double bound)
{
	size_t above = 0;

	for (size_t i = 0; i < count; i++)
		above += value[i] >= bound;
	return (double)above / (double)count;
}

static void print_row(const char *curve, const char *space, const char *policy, double at, double seconds, const struct replay_mean *m, double p95, double low)
{
	printf("%s\t%s\t%s\t%g\t", curve, space, policy, at);
	printf(isnan(seconds) ? "-\t" : "%.1f\t", seconds);
	printf("%.4f\t%.4f\t%.4f\t", m->mean, m->low, m->high);
	printf(isnan(p95) ? "-\t" : "%.4f\t", p95);
	printf(isnan(low) ? "-\n" : "%.4f\n", low);
}

/* A policy's rows at one place of a curve: each space, their mean, the worst of them. */
static void print_place(const struct run *run, size_t policy, enum curve curve, double at)
{
	size_t n = run->repeats, spaces = run->space_count;
	double *value = calloc(n * (spaces + 1), sizeof(*value)), *mean = value + n * spaces;
	struct replay_mean worst = { INFINITY, 0, 0 };
	size_t worst_space = 0;

	for (size_t s = 0; s < spaces; s++) {
		double *v = value + n * s;
		for (size_t r = 0; r < n; r++) {
			v[r] = value_at(run, policy, s, r, curve, at);
			mean[r] += v[r] / (double)spaces;
		}
		struct replay_mean m = replay_mean(v, n);
		if (m.mean < worst.mean) {
			worst = m;
			worst_space = s;
		}
		print_row(curve_name[curve], run->space[s].name, run->policy_text[policy], at, curve == EVALUATIONS ? NAN : curve == SCORE ? run->cutoff_s[s] : at * run->mean_cost_s[s], &m, curve == SCORE ? NAN : share_above(v, n, 0.95), least(v, n));
	}
	if (spaces > 1) {
		char name[300];
		struct replay_mean m = replay_mean(mean, n);
		double *v = value + n * worst_space;
		print_row(curve_name[curve], "all", run->policy_text[policy], at, NAN, &m, curve == SCORE ? NAN : share_above(value, n * spaces, 0.95), least(value, n * spaces));
		snprintf(name, sizeof(name), "worst=%s", run->space[worst_space].name);
		print_row(curve_name[curve], name, run->policy_text[policy], at, NAN, &worst, curve == SCORE ? NAN : share_above(v, n, 0.95), least(v, n));
	}
	free(value);
}

/* How far the first policy is ahead of another, on equal seeds. */
static void print_difference(const struct run *run, size_t other, enum curve curve, double at)
{
	double *difference = calloc(run->repeats, sizeof(*difference));
	char curve_text[64], text[600];

	for (size_t r = 0; r < run->repeats; r++)
		for (size_t s = 0; s < run->space_count; s++)
			difference[r] += (value_at(run, 0, s, r, curve, at) - value_at(run, other, s, r, curve, at)) / (double)run->space_count;
	struct replay_mean m = replay_mean(difference, run->repeats);
	snprintf(curve_text, sizeof(curve_text), "difference.%s", curve_name[curve]);
	snprintf(text, sizeof(text), "%s-%s", run->policy_text[0], run->policy_text[other]);
	print_row(curve_text, run->space_count > 1 ? "all" : run->space[0].name, text, at, NAN, &m, NAN, least(difference, run->repeats));
	free(difference);
}

static void print_tables(const struct run *run, const size_t *checkpoint, size_t checkpoints)
{
	printf("curve\tspace\tpolicy\tat\tseconds\tmean\tlow\thigh\tp95\tleast\n");
	for (size_t p = 0; p < run->policy_count; p++) {
		for (size_t c = 0; c < checkpoints; c++)
			print_place(run, p, EVALUATIONS, (double)checkpoint[c]);
		for (size_t c = 0; c < checkpoints; c++)
			print_place(run, p, TIME, (double)checkpoint[c]);
		print_place(run, p, SCORE, 1);
	}
	for (size_t p = 1; p < run->policy_count; p++) {
		for (size_t c = 0; c < checkpoints; c++)
			print_difference(run, p, EVALUATIONS, (double)checkpoint[c]);
		for (size_t c = 0; c < checkpoints; c++)
			print_difference(run, p, TIME, (double)checkpoint[c]);
		print_difference(run, p, SCORE, 1);
	}
}

/* What the searches evaluated, in order: a line a search. */
static void print_points(const struct run *run)
{
	for (size_t p = 0; p < run->policy_count; p++)
		for (size_t s = 0; s < run->space_count; s++)
			for (size_t r = 0; r < run->repeats; r++) {
				const struct result *result = result_of(run, p, s);
				printf("%s\t%s\t%zu\t", run->policy_text[p], run->space[s].name, r);
				for (size_t i = 0; i < result->count[r]; i++)
					printf("%s%zu", i ? " " : "", result->step[r * run->budget + i].point);
				printf("\n");
			}
}

static void run_all(struct run *run, struct strbuf *unanswered)
{
	run->result = calloc(run->policy_count * run->space_count, sizeof(*run->result));
	for (size_t p = 0; p < run->policy_count; p++) {
		double propose_s = 0, evaluations = 0;
		for (size_t s = 0; s < run->space_count; s++) {
			struct result *r = &run->result[p * run->space_count + s];
			const struct replay replay = { .space = &run->space[s], .policy = run->policy[p], .argument = run->argument[p], .relative = run->relative[s],
						       .relative_count = run->relative_count[s], .budget = run->budget, .batch = run->batch };
			r->step = calloc(run->repeats * run->budget, sizeof(*r->step));
			r->count = calloc(run->repeats, sizeof(*r->count));
			r->score = calloc(run->repeats, sizeof(*r->score));
			if (!r->step || !r->count || !r->score)
				die("out of memory: fewer repeats, or a smaller budget");
			for (size_t i = 0; i < run->repeats; i++) {
				struct replay_step *step = &r->step[i * run->budget];
				struct strbuf err = STRBUF_INIT;
				r->count[i] = replay_run(&replay, run->seed + i, step, &err);
				r->score[i] = replay_score(&run->space[s], step, r->count[i], run->budget);
				propose_s += r->count[i] ? step[r->count[i] - 1].propose_s : 0;
				evaluations += (double)r->count[i];
				if (err.len && !unanswered->len)
					strbuf_addf(unanswered, "%.*s", (int)strcspn(err.buf, "\n"), err.buf);
				strbuf_release(&err);
			}
		}
		if (run->verbose)
			fprintf(stderr, "%s: %.3f ms a proposal\n", run->policy_text[p], evaluations ? 1e3 * propose_s / evaluations : 0);
	}
}

/* ---- what is asked for ----------------------------------------------- */

/* "greedy,genetic" of all --policy options, each in a place of its own. */
static void split_policies(struct run *run, struct arena *arena, const struct cli_list *list)
{
	size_t most = list->count ? 0 : 1;

	for (size_t i = 0; i < list->count; i++) {
		most++;
		for (const char *s = list->item[i]; *s; s++)
			most += *s == ',';
	}
	run->policy = ARENA_ARRAY(arena, const struct policy *, most);
	run->policy_text = ARENA_ARRAY(arena, const char *, most);
	run->argument = ARENA_ARRAY(arena, const char *, most);
	for (size_t i = 0; i < (list->count ? list->count : 1); i++)
		for (const char *s = list->count ? list->item[i] : "portfolio"; *s; s += *s == ',') {
			size_t n = strcspn(s, ",");
			char *text = arena_strndup(arena, s, n);
			run->policy_text[run->policy_count] = text;
			run->policy[run->policy_count] = policy_find(text, &run->argument[run->policy_count]);
			if (!run->policy[run->policy_count++])
				usage("unknown policy '%s': see 'km-generate policies'", text);
			s += n;
		}
	if (!run->policy_count)
		usage("--policy is empty: see 'km-generate policies'");
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) || (!stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* The donors' best points, for every space; the donors are dropped. */
static int find_relatives(struct run *run, struct arena *arena, const struct cli_list *warm, size_t most, struct strbuf *err)
{
	struct measured_space *donor = calloc(warm->count + 1, sizeof(*donor));
	int ret = -1;

	for (size_t d = 0; d < warm->count; d++)
		if (measured_read(&donor[d], warm->item[d], err))
			goto out;
	for (size_t s = 0; s < run->space_count; s++) {
		run->relative[s] = ARENA_ARRAY(arena, struct relative, warm->count * most + 1);
		for (size_t d = 0; d < warm->count; d++)
			if (!is_same_file(warm->item[d], run->space[s].path) && measured_is_related(&run->space[s], &donor[d]))
				run->relative_count[s] += replay_relatives(&run->space[s], &donor[d], warm->item[d], most, &run->relative[s][run->relative_count[s]]);
		if (warm->count && !run->relative_count[s]) {
			strbuf_addf(err, "no file of --warm has the parameters of '%s', other than itself: give one of the same kernel", run->space[s].path);
			goto out;
		}
	}
	ret = 0;
out:
	for (size_t d = 0; d < warm->count; d++)
		measured_close(&donor[d]);
	free(donor);
	return ret;
}

/* "25,100,200": evaluations at which to look; those in the budget. */
static size_t parse_checkpoints(const char *text, size_t budget, size_t *out)
{
	size_t count = 0;

	for (const char *s = text; *s;) {
		char *end;
		long long n = strtoll(s, &end, 10);
		if (end == s || n < 1 || (*end && *end != ',') || count == MOST_CHECKPOINTS)
			usage("--at is up to %d numbers with commas between, not '%s'", MOST_CHECKPOINTS, text);
		if ((size_t)n <= budget)
			out[count++] = (size_t)n;
		s = end + (*end == ',');
	}
	if (!count || out[count - 1] != budget) {
		if (count < MOST_CHECKPOINTS)
			out[count++] = budget;
	}
	return count;
}

int replay_main(int argc, char **argv)
{
	static const struct cli_command command = {
		"replay", "[FILE...]",
		"runs policies on measured spaces (caches of Kernel Tuner, T4 files; gzip or not).  TSV: curve (evaluations; time, in units of an "
		"evaluation's mean; score), space, policy, at, seconds, mean fraction of the optimum, its "
		"95 % confidence interval, share of searches with at least 95 %, the least; difference.*: the first policy less another, on equal seeds", NULL
	};
	struct cli_list spaces = { 0 }, policies = { 0 }, warm = { 0 };
	int64_t budget = 200, repeats = 20, seed = 1, batch = 8, donor_points = 5, shuffle = 0;
	bool hash_names = false, points = false, verbose = false;
	const char *at = "10,25,50,100,200,300";
	const struct cli_option options[] = {
		{ "space", 0, CLI_LIST, &spaces, "FILE", "a measured space; repeat for several" },
		{ "policy", 0, CLI_LIST, &policies, "NAME[,NAME]", "policies to compare: see 'km-generate policies' [portfolio]" },
		{ "budget", 0, CLI_INT, &budget, "N", "evaluations of a search, failing ones included [200]" },
		{ "repeats", 0, CLI_INT, &repeats, "N", "searches on each space, seeds in a row [20]" },
		{ "seed", 0, CLI_INT, &seed, "N", "of the first search [1]" },
		{ "batch", 0, CLI_INT, &batch, "N", "proposals asked for at a time [8]" },
		{ "at", 0, CLI_STRING, &at, "N,N", "evaluations at which to look [10,25,50,100,200,300]" },
		{ "warm", 0, CLI_LIST, &warm, "FILE", "a space whose best points each search is told, except a space's own; repeat for several" },
		{ "donor-points", 0, CLI_INT, &donor_points, "N", "told of each file of --warm [5]" },
		{ "hash-names", 0, CLI_FLAG, &hash_names, NULL, "knobs and values under other names: results stay the same" },
		{ "shuffle", 0, CLI_INT, &shuffle, "SEED", "knobs in another order, the values of some turned round" },
		{ "points", 0, CLI_FLAG, &points, NULL, "prints instead, a line a search, the positions in the file of what was evaluated" },
		{ "verbose", 'v', CLI_FLAG, &verbose, NULL, "says how long a proposal took here" },
		CLI_END,
	};
	struct strbuf err = STRBUF_INIT, unanswered = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct run run = { 0 };
	size_t checkpoint[MOST_CHECKPOINTS];
	int code = KM_EXIT_FATAL, n = cli_parse(argc, argv, &command, options, 0, 1 << 16);

	run.space_count = spaces.count + (size_t)n;
	if (!run.space_count)
		usage("--space is missing: a cache of Kernel Tuner or a T4 file");
	if (budget < 1 || budget > 1000000 || repeats < 1 || repeats > 100000 || batch < 1 || batch > 4096 || donor_points < 1 || donor_points > 4096)
		usage("--budget is 1..1000000, --repeats 1..100000, --batch and --donor-points 1..4096");
	run.budget = (size_t)budget;
	run.repeats = (size_t)repeats;
	run.batch = (size_t)batch;
	run.seed = (uint64_t)seed;
	run.verbose = verbose;
	split_policies(&run, &arena, &policies);
	size_t checkpoints = parse_checkpoints(at, run.budget, checkpoint);
	run.space = ARENA_ARRAY(&arena, struct measured_space, run.space_count);
	run.relative = ARENA_ARRAY(&arena, struct relative *, run.space_count);
	run.relative_count = ARENA_ARRAY(&arena, size_t, run.space_count);
	run.mean_cost_s = ARENA_ARRAY(&arena, double, run.space_count);
	run.cutoff_s = ARENA_ARRAY(&arena, double, run.space_count);
	for (size_t s = 0; s < run.space_count; s++) {
		if (measured_read(&run.space[s], s < spaces.count ? spaces.item[s] : argv[1 + s - spaces.count], &err))
			goto out;
		if (shuffle)
			measured_shuffle(&run.space[s], (uint64_t)shuffle);
		run.mean_cost_s[s] = replay_mean_cost_s(&run.space[s]);
		run.cutoff_s[s] = replay_cutoff_s(&run.space[s]);
	}
	if (find_relatives(&run, &arena, &warm, (size_t)donor_points, &err))
		goto out;
	for (size_t s = 0; s < run.space_count && hash_names; s++)
		measured_hash_names(&run.space[s]);
	run_all(&run, &unanswered);
	if (unanswered.len)
		warn("%s", unanswered.buf);
	if (points)
		print_points(&run);
	else
		print_tables(&run, checkpoint, checkpoints);
	code = KM_EXIT_DONE;
out:
	for (size_t i = 0; run.result && i < run.policy_count * run.space_count; i++) {
		free(run.result[i].step);
		free(run.result[i].count);
		free(run.result[i].score);
	}
	free(run.result);
	for (size_t s = 0; s < run.space_count; s++)
		measured_close(&run.space[s]);
	arena_release(&arena);
	strbuf_release(&unanswered);
	return diag_report(&err, code);
}
