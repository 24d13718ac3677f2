/*
 * Every policy on spaces made here and on a measured one: pure, deterministic, in time; replays, warm starts, the
 * reader of measured spaces, statistics of replays.
 */
#include "generate/gauss.h"
#include "generate/replay.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SMALL "tests/spaces/convolution_milo.A4000.json.gz"
#define SMALL_T4 "tests/spaces/convolution_milo.A4000_T4.json.gz"

/* A cache of Kernel Tuner: a x b points, each as slow as `time` says; where it says 0 there is none, where less it failed. */
static char *cache_text(int a, int b, double (*time)(int i, int j))
{
	struct strbuf text = STRBUF_INIT;
	const char *comma = "";

	strbuf_addstr(&text, "{\"tune_params_keys\":[\"alpha\",\"beta\"],\"cache\":{");
	for (int i = 0; i < a; i++)
		for (int j = 0; j < b; j++) {
			double ms = time(i, j);
			if (ms == 0)
				continue;
			strbuf_addf(&text, "%s\"%d,%d\":{\"alpha\":%d,\"beta\":%d,\"time\":", comma, i, j, 1 << i, 8 * j);
			strbuf_addf(&text, ms > 0 ? "%g,\"times\":[%g,%g],\"compile_time\":100}" : "\"RuntimeFailedConfig\",\"compile_time\":100}", ms, ms, ms);
			comma = ",";
		}
	strbuf_addstr(&text, "}}");
	return strbuf_detach(&text);
}

static double bowl(int i, int j)
{
	/* A third is illegal, some fail. */
	return (i + j) % 3 == 2 ? 0 : (i * 7 + j) % 11 == 5 ? -1 : 1 + 0.1 * ((i - 6) * (i - 6) + (j - 20) * (j - 20));
}

static double few(int i, int j)
{
	return (i + j) % 2 ? 0 : 1 + i + j;
}

static bool opens(struct measured_space *s, char *text)
{
	struct strbuf err = STRBUF_INIT;
	bool is_open = !measured_parse(s, "made.json", text, &err);

	if (!is_open)
		printf("# %s\n", err.buf);
	strbuf_release(&err);
	free(text);
	return is_open;
}

static bool lacks_library(const struct policy *policy)
{
	struct measured_space s;
	struct replay_step step[20];
	struct strbuf err = STRBUF_INIT;
	struct replay replay = { .space = &s, .policy = policy, .argument = "", .budget = 20, .batch = 20 };
	bool lacks = false;

	if (strcmp(policy->name, "model"))
		return false;
	if (opens(&s, cache_text(12, 32, bowl))) {
		replay.batch = 16;
		replay_run(&replay, 1, step, &err);
		lacks = err.len > 0;
		if (lacks)
			printf("# %s\n", err.buf);
	}
	measured_close(&s);
	strbuf_release(&err);
	return lacks;
}

/* ---- every policy ---------------------------------------------------- */

static bool knows(const struct search *search, size_t sub_index, const struct point *point)
{
	return !sub_index && measured_find(search->knower, point);
}

/* A history of n trials of a space, in an order of chance, one after another if it has not so many. */
static struct history history_of(struct arena *arena, const struct measured_space *s, size_t n)
{
	struct history h = { .trial = ARENA_ARRAY(arena, struct trial, n), .count = n };
	struct rng rng = { 3, 0 };

	h.best = n;
	for (size_t i = 0; i < n; i++) {
		const struct measured_point *m = &s->point[rng_below(&rng, (int64_t)s->count)];
		h.trial[i] = (struct trial){ .id = arena_printf(arena, "%016zx", i), .knobs = "", .verdict = "PASSED", .parent = "", .edge = "random", .policy = "random",
					     .time_ns = m->time_ns, .fitness = isnan(m->time_ns) ? 0 : s->median_ns / m->time_ns, .is_point = true, .point = m->point };
		if (h.trial[i].fitness > 0 && (h.best == n || h.trial[i].fitness > h.trial[h.best].fitness))
			h.best = i;
	}
	return h;
}

#ifdef __SANITIZE_ADDRESS__
enum { MOST_MS = 2000 };
#else
enum { MOST_MS = 50 };
#endif

/* Processor time, whatever else the machine does. */
static double processor_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void test_pure(const struct measured_space *s, const struct policy *policy, size_t trials, const struct relative *relative, size_t relatives)
{
	struct arena arena = ARENA_INIT, other = ARENA_INIT;
	struct history h = history_of(&arena, s, trials);
	const struct search search = { .ps = &s->ps, .seen = &h, .relative = relative, .relative_count = relatives, .argument = "", .is_new = knows, .knower = (void *)(uintptr_t)s };
	struct proposal first[64] = { 0 }, second[64] = { 0 }, third[64] = { 0 };
	struct strbuf err = STRBUF_INIT;
	struct rng a = { 5, 0 }, b = { 5, 0 }, c = { 6, 0 };
	double start = processor_ms();
	size_t n = policy->propose(&arena, &search, &a, 64, first, &err);
	double ms = processor_ms() - start;
	size_t m = policy->propose(&other, &search, &b, 64, second, &err);
	size_t l = policy->propose(&other, &search, &c, 64, third, &err);
	bool equal = n == m && a.position == b.position, differs = n != l, is_new = true;

	for (size_t i = 0; i < n && i < m; i++) {
		equal &= first[i].sub_index == second[i].sub_index && !memcmp(&first[i].point, &second[i].point, sizeof(first[i].point)) &&
			 !strcmp(first[i].parent, second[i].parent) && !strcmp(first[i].edge, second[i].edge);
		differs |= i >= l || memcmp(&first[i].point, &third[i].point, sizeof(first[i].point));
		is_new &= measured_find(s, &first[i].point) != NULL;
		for (size_t k = 0; k < trials; k++)
			is_new &= memcmp(&h.trial[k].point, &first[i].point, sizeof(first[i].point)) != 0;
	}
	ok(n == 64 && is_new, "%s: 64 proposals after %zu trials, %zu relatives are legal and new, in %.1f ms", policy->name, trials, relatives, ms);
	ok(equal && differs, "%s is a pure function of its arguments and seed", policy->name);
	strbuf_release(&err);
	arena_release(&arena);
	arena_release(&other);
}

/* Its time of one call, the least of five. */
static double least_ms(const struct measured_space *s, const struct policy *policy, size_t trials)
{
	double least = INFINITY;

	for (int i = 0; i < 5; i++) {
		struct arena arena = ARENA_INIT;
		struct history h = history_of(&arena, s, trials);
		const struct search search = { .ps = &s->ps, .seen = &h, .argument = "", .is_new = knows, .knower = (void *)(uintptr_t)s };
		struct proposal out[64] = { 0 };
		struct strbuf err = STRBUF_INIT;
		struct rng rng = { (uint64_t)i, 0 };
		double start = processor_ms();
		policy->propose(&arena, &search, &rng, 64, out, &err);
		least = fmin(least, processor_ms() - start);
		strbuf_release(&err);
		arena_release(&arena);
	}
	return least;
}

/* To its end: every legal point once, then nothing. */
static void test_exhausts(const struct policy *policy)
{
	struct measured_space s;
	struct replay_step step[100];
	struct strbuf err = STRBUF_INIT;
	struct replay replay = { .space = &s, .policy = policy, .argument = "", .budget = ARRAY_SIZE(step), .batch = 8 };

	if (!ok(opens(&s, cache_text(5, 9, few)), "a small space"))
		return;
	size_t n = replay_run(&replay, 1, step, &err);
	bool all_differ = true;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			all_differ &= step[i].point != step[j].point;
	ok(n == s.count && all_differ, "%s tries each of %zu legal points once, and stops: %zu", policy->name, s.count, n);
	measured_close(&s);
	strbuf_release(&err);
}

static void test_policies(void)
{
	struct measured_space s, small;
	struct strbuf err = STRBUF_INIT;
	struct relative relative[6] = { 0 };

	if (!ok(opens(&s, cache_text(12, 32, bowl)) && !measured_read(&small, SMALL, &err), "spaces: %s", err.buf))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(relative); i++)
		relative[i] = (struct relative){ .point = small.point[(i * 701) % small.count].point, .share = 1, .from = i < 3 ? "one" : "another" };
	for (size_t i = 0; policy_table[i]; i++) {
		const struct policy *policy = policy_table[i];
		/* What somebody outside answers is his own. */
		if (policy->is_outside)
			continue;
		if (lacks_library(policy)) {
			skip(12, "LightGBM's library is not there: 'make setup'");
			continue;
		}
		test_pure(&small, policy, 0, NULL, 0);
		test_pure(&small, policy, 0, relative, ARRAY_SIZE(relative));
		test_pure(&small, policy, 40, relative, ARRAY_SIZE(relative));
		test_pure(&small, policy, 400, NULL, 0);
		test_exhausts(policy);
		double ms = least_ms(&small, policy, 10000);
		ok(ms < MOST_MS, "%s: 64 candidates from a history of 10000 in %.1f ms, under %d", policy->name, ms, MOST_MS);
		struct replay_step step[60], again[60];
		struct replay replay = { .space = &s, .policy = policy, .argument = "", .budget = ARRAY_SIZE(step), .batch = 8 };
		size_t n = replay_run(&replay, 4, step, &err), m = replay_run(&replay, 4, again, &err);
		bool equal = n == m;
		for (size_t k = 0; k < n && k < m; k++)
			equal &= step[k].point == again[k].point;
		ok(equal && n == 60 && step[59].best_ns <= 2.5 * s.best_ns, "%s finds %.2f times the best of a bowl in 60 evaluations, twice the same", policy->name,
		   n ? step[n - 1].best_ns / s.best_ns : INFINITY);
	}
	measured_close(&s);
	measured_close(&small);
	strbuf_release(&err);
}

/* ---- the reader ------------------------------------------------------ */

static bool is_equal(const struct measured_space *a, const struct measured_space *b)
{
	const struct space *x = &a->ps.sub[0].space, *y = &b->ps.sub[0].space;
	bool same = a->count == b->count && x->knob_count == y->knob_count && a->best_ns == b->best_ns;

	for (size_t k = 0; same && k < x->knob_count; k++) {
		same = !strcmp(x->knob[k].name, y->knob[k].name) && x->knob[k].value_count == y->knob[k].value_count;
		for (size_t v = 0; same && v < x->knob[k].value_count; v++)
			same = !strcmp(x->knob[k].value[v], y->knob[k].value[v]);
	}
	for (size_t i = 0; same && i < a->count; i++) {
		const struct measured_point *p = &a->point[i], *q = measured_find(b, &p->point);
		same = q && (p->time_ns == q->time_ns || (isnan(p->time_ns) && isnan(q->time_ns))) && p->sample_count == q->sample_count &&
		       !memcmp(p->sample_ns, q->sample_ns, p->sample_count * sizeof(double)) && fabs(p->cost_s - q->cost_s) < 1e-9;
	}
	return same;
}

static void test_reader(void)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "is not JSON" },
		{ "[]", "neither 'cache' nor 'results'" },
		{ "{\"cache\":{}}", "no measured point" },
		{ "{\"cache\":[]}", "neither 'cache' nor 'results'" },
		{ "{\"results\":[{}]}", "does not name its parameters" },
		{ "{\"cache\":{\"1\":{\"x\":1,\"time\":1}}}", "does not name its parameters" },
		{ "{\"objective\":\"GFLOP/s\",\"tune_params_keys\":[\"x\"],\"cache\":{\"1\":{\"x\":1,\"time\":1}}}", "was tuned for 'GFLOP/s'" },
		{ "{\"tune_params_keys\":[\"x\"],\"cache\":{\"1\":{\"time\":1}}}", "has no value of 'x'" },
		{ "{\"tune_params_keys\":[\"x\"],\"cache\":{\"1\":{\"x\":1,\"time\":-1}}}", "no point with a time" },
		{ "{\"tune_params_keys\":[\"x\"],\"cache\":{\"1\":{\"x\":1,\"time\":1},\"2\":{\"x\":1,\"time\":1}}}", "was there before" },
		{ "{\"tune_params_keys\":[\"x\",\"x\"],\"cache\":{\"1\":{\"x\":1,\"time\":1}}}", "'x' twice" },
		{ "{\"tune_params_keys\":[\"x\"],\"cache\":{\"1\":{\"x\":1,\"time\":1,\"times\":[-3]}}}", "no positive number" },
		{ "{\"tune_params_keys\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\"],\"cache\":{\"1\":{\"x\":1,\"time\":1}}}", "more than 14" },
	};
	struct measured_space a, b;
	struct strbuf err = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bool failed = measured_parse(&a, "bad.json", bad[i].text, &err) < 0;
		ok(failed && strstr(err.buf, bad[i].says) && strstr(err.buf, "'bad.json'") && strstr(err.buf, ": ") && !strchr(err.buf, '\n'), "%s", err.buf);
		measured_close(&a);
		strbuf_reset(&err);
	}
	bool both = !measured_read(&a, SMALL, &err) && !measured_read(&b, SMALL_T4, &err);
	ok(both && is_equal(&a, &b), "both formats give the same space: %zu points %s", both ? a.count : 0, err.buf);
	if (both) {
		const struct point *p = &a.point[77].point, before = *p;
		double time = a.point[77].time_ns;
		struct point to;
		ok(measured_map(&b, &a, p, &to) && !memcmp(p, &to, sizeof(to)), "a relative's point is the same point where all values are");
		measured_hash_names(&a);
		bool order = true;
		for (size_t k = 2; k < a.ps.sub[0].space.knob_count; k++)
			for (size_t v = 1; v < a.ps.sub[0].space.knob[k].value_count; v++)
				order &= strtod(a.ps.sub[0].space.knob[k].value[v - 1], NULL) < strtod(a.ps.sub[0].space.knob[k].value[v], NULL);
		ok(order && !memcmp(&before, &a.point[77].point, sizeof(before)) && strcmp(a.ps.sub[0].space.knob[2].name, "block_size_x"), "other names, the same order and points");
		measured_shuffle(&b, 2);
		ok(measured_find(&b, &b.point[77].point) == &b.point[77] && b.point[77].time_ns == time && memcmp(&before, &b.point[77].point, sizeof(before)),
		   "other places, the same times");
	}
	measured_close(&a);
	measured_close(&b);
	if (ok(opens(&a, cache_text(5, 9, few)) && opens(&b, cache_text(3, 20, few)), "two spaces of the same knobs")) {
		struct point from = { { 0, 0, 4, 8 } }, to;
		ok(measured_map(&b, &a, &from, &to) && to.value[2] == 2 && to.value[3] == 8, "a value that is absent is the nearest one");
		struct relative r[3];
		ok(replay_relatives(&b, &a, "a", 3, r) == 3 && r[0].share == 1 && r[1].share == r[2].share && r[1].share < 1, "a donor's best points, best first");
	}
	measured_close(&a);
	measured_close(&b);
	strbuf_release(&err);
}

/* ---- statistics ------------------------------------------------------ */

static void test_statistics(void)
{
	struct measured_space s;
	struct strbuf err = STRBUF_INIT;
	double ten[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	struct replay_mean m = replay_mean(ten, 10);

	ok(fabs(m.mean - 5.5) < 1e-12 && fabs(m.high - 5.5 - 2.1658506) < 1e-3, "mean and Student's interval: %.4f..%.4f", m.low, m.high);
	if (!ok(!measured_read(&s, SMALL, &err), "a space: %s", err.buf))
		return;
	/* Random search is what scores are measured against: 0, and at the optimum at once 1. */
	enum { REPEATS = 60, BUDGET = 150 };
	static struct replay_step step[BUDGET];
	double score[REPEATS];
	struct replay replay = { .space = &s, .policy = policy_find("random", NULL), .argument = "", .budget = BUDGET, .batch = 8 };
	for (size_t r = 0; r < REPEATS; r++)
		score[r] = replay_score(&s, step, replay_run(&replay, 100 + r, step, &err), BUDGET);
	m = replay_mean(score, REPEATS);
	ok(m.low < 0.1 && m.high > -0.1 && m.high - m.low < 0.6, "random search scores %.2f (%.2f..%.2f): about 0", m.mean, m.low, m.high);
	struct replay_step at_once = { .best_ns = s.best_ns, .elapsed_s = 0 };
	ok(fabs(replay_score(&s, &at_once, 1, BUDGET) - 1) < 1e-9, "the optimum at once scores 1");
	measured_close(&s);
	strbuf_release(&err);
}

static double plane(double x, double y)
{
	return 3 + 0.2 * x - 0.1 * y;
}

static void test_gauss(void)
{
	struct arena arena = ARENA_INIT;
	struct gauss g;
	struct rng rng = { 1, 0 };
	size_t levels[2] = { 20, 10 };
	int16_t x[80], at[6] = { 3, 3, 12, 5, 19, 9 };
	double y[40];

	for (int i = 0; i < 40; i++) {
		x[2 * i] = (int16_t)(7 * i % 20);
		x[2 * i + 1] = (int16_t)(i % 10);
		y[i] = plane(x[2 * i], x[2 * i + 1]);
	}
	if (!ok(gauss_learn(&g, &arena, x, y, 40, levels, 2, 40, &rng), "a process learns from 40 points"))
		return;
	gauss_look(&g, x, 40, 0);
	double far = 0;
	for (int i = 0; i < 40; i++)
		far = fmax(far, fabs(g.expected[i] - y[i]) + g.unsure[i]);
	ok(far < 0.2, "it expects what it saw, surely: %.3f", far);
	gauss_look(&g, at, 3, 2);
	ok(fabs(g.expected[0] - plane(3, 3)) < 0.4 && fabs(g.expected[1] - plane(12, 5)) < 0.4, "and near it about the same");
	double before = g.unsure[0], least = gauss_log_improvement(&g, 2, g.expected[2] - 3 * g.unsure[2]);
	gauss_believe(&g, 0);
	ok(g.unsure[0] < 0.1 * before, "what it believes it is sure of: %.4f, before %.4f", g.unsure[0], before);
	ok(least < gauss_log_improvement(&g, 2, g.expected[2]), "the further the best, the less improvement");
	double same[3] = { 1, 1, 1 };
	ok(!gauss_learn(&g, &arena, x, same, 3, levels, 2, 3, &rng), "equal values tell nothing");
	arena_release(&arena);
}

int main(void)
{
	test_reader();
	test_statistics();
	test_gauss();
	test_policies();
	return done_testing();
}
