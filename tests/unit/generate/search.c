/* Spaces, candidates, histories, policies, budgets; loops over all operators. */
#include "generate/policy.h"
#include "tests/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct point random_point(const struct space *space, struct rng *rng)
{
	struct point p = { { 0 } };

	for (size_t k = 0; k < space->knob_count; k++)
		p.value[k] = (int16_t)rng_below(rng, (int64_t)space->knob[k].value_count);
	return p;
}

/* Every subspace: points print and parse, candidates are stable, travel through JSON, name their symbol. */
static int one_problem(const struct problem *problem, enum op_use use, void *user)
{
	const struct target *target = user;
	struct problem_space ps;
	struct strbuf err = STRBUF_INIT, name = STRBUF_INIT;

	(void)use;
	problem_print(problem, &name);
	if (!ok(!space_open(&ps, problem, target, &err), "%s has a space: %s", name.buf, err.buf))
		return 0;
	for (size_t s = 0; s < ps.sub_count; s++) {
		struct rng rng = { 3, 0 };
		int legal = 0, bugs = 0, unstable = 0, lost = 0;
		for (int t = 0; t < 30; t++) {
			struct arena arena = ARENA_INIT;
			struct point p = random_point(&ps.sub[s].space, &rng), back;
			struct candidate c, again, read;
			struct strbuf why = STRBUF_INIT, text = STRBUF_INIT;
			size_t sub;
			int made = candidate_make(&arena, &ps, s, &p, &c, &why);
			bugs += made < 0;
			if (made < 0)
				printf("# %s\n", why.buf);
			if (made == 1) {
				legal++;
				unstable += candidate_make(&arena, &ps, s, &p, &again, &why) != 1 || strcmp(c.id, again.id);
				lost += point_parse(&ps, c.knobs, &sub, &back, &why) || sub != s || memcmp(back.value, p.value, ps.sub[s].space.knob_count * 2);
				candidate_write(&c, &text);
				lost += candidate_read(&arena, text.buf, &read, &why) || strcmp(read.source, c.source) || strcmp(read.knobs, c.knobs) ||
					!strstr(c.source, c.id) || !strstr(c.plan, c.id);
			}
			strbuf_release(&why);
			strbuf_release(&text);
			arena_release(&arena);
		}
		ok(!bugs && !unstable && !lost && legal > 0, "%s %s/%s: %d of 30 legal, %d bugs, %d unstable, %d lost", name.buf,
		   ps.sub[s].skeleton->name, ps.sub[s].lang->name, legal, bugs, unstable, lost);
	}
	space_close(&ps);
	strbuf_release(&err);
	strbuf_release(&name);
	return 0;
}

static struct history history_of(struct arena *arena, const struct problem_space *ps, int trials)
{
	struct history h = { .trial = ARENA_ARRAY(arena, struct trial, trials), .best = 0 };
	struct rng rng = { 9, 0 };

	for (int i = 0; i < trials; i++) {
		struct strbuf knobs = STRBUF_INIT;
		struct point p = random_point(&ps->sub[0].space, &rng);
		point_print(&ps->sub[0], &p, &knobs);
		h.trial[i] = (struct trial){ .id = arena_printf(arena, "%016d", i), .knobs = arena_strdup(arena, knobs.buf), .verdict = "PASSED", .parent = "",
					     .edge = "random", .policy = "random", .time_ns = 100 + i, .fitness = 1 + (i % 7), .elapsed_s = i };
		h.count++;
		if (h.trial[i].fitness > h.trial[h.best].fitness)
			h.best = (size_t)i;
		strbuf_release(&knobs);
	}
	history_place(&h, ps);
	return h;
}

static void test_policies(const struct problem_space *ps)
{
	struct arena arena = ARENA_INIT;
	struct history empty = { 0 }, some = history_of(&arena, ps, 20);

	for (size_t i = 0; policy_table[i]; i++) {
		const struct policy *policy = policy_table[i];
		if (policy->is_outside)
			continue; /* tests/t2700-exec.sh */
		for (int h = 0; h < 2; h++) {
			const struct search search = { .ps = ps, .seen = h ? &some : &empty, .argument = "" };
			struct strbuf err = STRBUF_INIT;
			struct rng a = { 5, 0 }, b = { 5, 0 }, c = { 6, 0 };
			struct proposal first[32], second[32], other[32];
			memset(first, 0, sizeof(first));
			memset(second, 0, sizeof(second));
			memset(other, 0, sizeof(other));
			size_t n = policy->propose(&arena, &search, &a, 32, first, &err), m = policy->propose(&arena, &search, &b, 32, second, &err);
			policy->propose(&arena, &search, &c, 32, other, &err);
			bool inside = true, equal = n == m, differs = false;
			for (size_t k = 0; k < n; k++) {
				const struct space *space = &ps->sub[first[k].sub_index].space;
				for (size_t q = 0; q < space->knob_count; q++)
					inside &= first[k].point.value[q] >= 0 && (size_t)first[k].point.value[q] < space->knob[q].value_count;
				equal &= !memcmp(first[k].point.value, second[k].point.value, sizeof(first[k].point.value));
				differs |= memcmp(first[k].point.value, other[k].point.value, sizeof(first[k].point.value)) != 0;
			}
			ok(n == 32 && inside, "%s proposes points of the space (%s history)", policy->name, h ? "some" : "no");
			ok(equal && differs, "%s is a pure function of its arguments and seed", policy->name);
			strbuf_release(&err);
		}
	}
	arena_release(&arena);
}

static void test_history_and_budget(const struct problem_space *ps)
{
	struct arena arena = ARENA_INIT;
	struct history h = history_of(&arena, ps, 12), back;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	char path[] = "/tmp/km-history.XXXXXX";
	int fd = mkstemp(path);

	h.trial[3].time_ns = NAN;
	h.trial[3].fitness = 0;
	history_write_header(&text);
	for (size_t i = 0; i < h.count; i++)
		history_write(&h.trial[i], &text);
	ok(!file_publish(path, text.buf, text.len, &err) && !history_read(&arena, path, &back, &err) && back.count == 12 && back.best == h.best &&
		   isnan(back.trial[3].time_ns) && !strcmp(back.trial[7].knobs, h.trial[7].knobs), "a history travels through its file");
	ok(!file_publish(path, "id\tnonsense\n", 12, &err) && history_read(&arena, path, &back, &err) < 0 && strstr(err.buf, ":1:"), "a bad file is named: %s", err.buf);
	unlink(path);
	close(fd);
	ok(!history_read(&arena, path, &back, &err) && !back.count, "no file is an empty history");

	struct budget none = { 0 }, count = { .evaluations = 12 }, time = { .seconds = 11 }, stall = { .stall = 5 }, light = { .sol_ratio = 0.5 };
	ok(!budget_spent(&none, &h), "no limit, no stop");
	ok(!strcmp(budget_spent(&count, &h), "evaluations"), "stop by evaluations");
	ok(!strcmp(budget_spent(&time, &h), "seconds"), "stop by seconds");
	ok(!strcmp(budget_spent(&stall, &h), "stall"), "stop by stall");
	ok(!budget_spent(&light, &h), "not yet at the speed of light");
	h.trial[h.best].sol_ratio = 0.6;
	ok(!strcmp(budget_spent(&light, &h), "speed of light"), "stop at the speed of light");
	count.evaluations = 13;
	ok(!budget_spent(&count, &h), "one evaluation left");
	strbuf_release(&text);
	strbuf_release(&err);
	arena_release(&arena);
}

/* Trials of one subspace, all of that fitness, behind those of a history. */
static void add_trials(struct arena *arena, const struct problem_space *ps, const char *skeleton, const char *lang, double fitness, struct history *h)
{
	for (int i = 0; i < 3; i++)
		for (size_t s = 0; s < ps->sub_count; s++) {
			struct strbuf knobs = STRBUF_INIT;
			struct point p = { { 0 } };
			if (strcmp(ps->sub[s].skeleton->name, skeleton) || strcmp(ps->sub[s].lang->name, lang))
				continue;
			point_print(&ps->sub[s], &p, &knobs);
			h->trial[h->count] = (struct trial){ .id = arena_printf(arena, "%016zu", h->count), .knobs = arena_strdup(arena, knobs.buf), .verdict = "PASSED",
							    .parent = "", .edge = "start", .policy = "greedy", .time_ns = 100 / fitness, .fitness = fitness,
							    .is_point = true, .sub_index = s, .point = p };
			h->best = h->trial[h->best].fitness < fitness ? h->count : h->best;
			h->count++;
			strbuf_release(&knobs);
		}
}

/* Proposals of greedy, by skeleton in a language; and which of the first so many are what it begins with. */
static size_t count_proposals(struct arena *arena, const struct problem_space *ps, const struct history *seen, const char *skeleton, const char *lang, size_t *starts)
{
	const struct search search = { .ps = ps, .seen = seen, .argument = "" };
	struct proposal out[256] = { 0 };
	struct strbuf err = STRBUF_INIT;
	struct rng rng = { 5, 0 };
	size_t count = 0, n = policy_find("greedy", NULL)->propose(arena, &search, &rng, ARRAY_SIZE(out), out, &err);

	*starts = 0;
	for (size_t i = 0; i < n; i++) {
		const struct subspace *sub = &ps->sub[out[i].sub_index];
		bool is_start = true;
		for (size_t k = 0; k < sub->space.knob_count; k++)
			is_start &= out[i].point.value[k] == sub->space.knob[k].start;
		bool is_it = !strcmp(sub->skeleton->name, skeleton) && !strcmp(sub->lang->name, lang);
		count += is_it;
		*starts += is_it && is_start && i < ps->sub_count;
	}
	return count;
}

/* On a device greedy begins where skeletons say, and leaves those alone that are far behind, or the last resort. */
static void test_greedy_begins(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct problem problem;
	struct problem_space ps;
	struct history h = { .trial = ARENA_ARRAY(&arena, struct trial, 64) };
	size_t starts, count;

	if (!ok(!problem_parse("layer_norm/f32/R=64,C=8192/t1", &problem, &err) && !space_open(&ps, &problem, target_find("nvidia-h200", &err), &err), "rows on a device: %s", err.buf))
		return;
	count = count_proposals(&arena, &ps, &h, "passes", "cuda", &starts);
	ok(count > 8 && starts == 1, "without a history the start of each comes first, once: %zu of %zu proposals", starts, count);
	count = count_proposals(&arena, &ps, &h, "stages", "cuda", &starts);
	ok(count && count < 16, "what most threads have no part in is proposed seldom: %zu", count);
	add_trials(&arena, &ps, "passes", "cuda", 1.0, &h);
	add_trials(&arena, &ps, "row_wise", "cuda", 0.3, &h);
	add_trials(&arena, &ps, "row_wise", "triton", 0.1, &h);
	ok(count_proposals(&arena, &ps, &h, "row_wise", "triton", &starts) <= count_proposals(&arena, &ps, &h, "row_wise", "cuda", &starts) / 2,
	   "what was ten times behind in its first trials gets no more by chance, what was three times does");
	ok(count_proposals(&arena, &ps, &h, "stages", "cuda", &starts) == 0, "nothing of the last resort where others pass");
	space_close(&ps);
	strbuf_release(&err);
	arena_release(&arena);
}

int main(void)
{
	struct strbuf err = STRBUF_INIT;
	const struct target *target = target_find("x86-avx2", &err);
	const struct op *op;
	struct problem problem;
	struct problem_space ps;

	for (size_t i = 0; (op = op_at(i)); i++)
		problem_each(op, OP_SEARCH, 1, one_problem, (void *)(uintptr_t)target, &err);
	if (ok(!problem_parse("softmax/f32/R=2048,C=1024/t1", &problem, &err) && !space_open(&ps, &problem, target, &err), "softmax: %s", err.buf)) {
		struct point p;
		size_t sub;
		test_policies(&ps);
		test_history_and_budget(&ps);
		ok(point_parse(&ps, "skeleton=row_wise lang=c BR=3", &sub, &p, &err) < 0 && strstr(err.buf, "'BR' has no value '3'"), "a wrong knob value lists the right ones");
		space_close(&ps);
	}
	test_greedy_begins();
	strbuf_release(&err);
	return done_testing();
}
