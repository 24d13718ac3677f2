/* The winner of a problem: recompiled alone, checked and timed again, dueled, published. */
#include "evaluate/evaluate.h"
#include "evaluate/measure.h"
#include "evaluate/worker.h"
#include "generate/lang.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FINALISTS = 3, PAIRS = 40 };

/* A side of a duel: a contestant or a baseline's worker. */
struct side {
	struct contestant *contestant;
	struct worker *baseline;
	int calls;
};

static double side_sample(size_t i, void *user)
{
	struct side *side = (struct side *)user + i;
	struct strbuf detail = STRBUF_INIT;
	int64_t ns = 0;

	if (side->contestant)
		return contestant_sample(side->contestant);
	enum verdict v = worker_time(side->baseline, 0, side->calls, 0, NULL, 0, 120, &ns, &detail);
	strbuf_release(&detail);
	return v == VERDICT_PASSED ? (double)ns / side->calls : NAN;
}

static const struct candidate *candidate_of(const struct session *s, const char *id)
{
	for (size_t i = 0; i < s->past.candidate_count; i++)
		if (!strcmp(s->past.candidate[i].id, id))
			return &s->past.candidate[i];
	return NULL;
}

/* The best trials by recorded time, fastest first; equal times go by id. */
static size_t finalists(const struct session *s, const struct evaluation **out)
{
	size_t count = 0;

	for (size_t i = 0; i < s->past.evaluation_count; i++) {
		const struct evaluation *e = &s->past.evaluation[i];
		if (e->verdict != VERDICT_PASSED || !(e->time_ns > 0))
			continue;
		size_t at = count;
		while (at > 0 && (e->time_ns < out[at - 1]->time_ns ||
				  (e->time_ns == out[at - 1]->time_ns && strcmp(e->candidate, out[at - 1]->candidate) < 0)))
			at--;
		if (at >= FINALISTS)
			continue;
		if (count < FINALISTS)
			count++;
		memmove(out + at + 1, out + at, (count - at - 1) * sizeof(*out));
		out[at] = e;
	}
	return count;
}

/* Fresh seeds and the held-out shapes, in a stage of their own; then the problem whole. */
static enum verdict recheck(struct session *s, struct contestant *c, struct evaluation *e, struct strbuf *detail, struct strbuf *err)
{
	struct check_result result;
	const void *out[OP_MAX_TENSORS];
	struct evaluation fresh = { 0 };
	uint64_t seed = (uint64_t)wall_ns();

	for (size_t k = 0; k < s->check_count; k++) {
		struct check_case *check = &s->check[k];
		bool whole = check->stage_case == 0;
		expected_close(check->expected);
		check->seed = strcmp(s->options.clock, "model") ? seed + k : 1000 + k;
		check->expected = expected_open(&s->stage.stage_case[check->stage_case].problem, check->distribution, check->seed,
						0, 0, err);
		if (!check->expected)
			return VERDICT_HARNESS_ERROR;
		(void)whole;
	}
	(void)result;
	(void)out;
	enum verdict v = contestant_check(c, &fresh, detail);
	e->tolerance_ratio = fmax(e->tolerance_ratio, fresh.tolerance_ratio);
	return v;
}

static void duel_sides(struct session *s, struct side *side, const char *a, const char *b, struct duel *duel, struct rng *rng)
{
	*duel = (struct duel){ .problem = s->problem_text, .environment = s->environment.id, .a = a, .b = b };
	duel->a_ns = ARENA_ARRAY(&s->arena, double, PAIRS);
	duel->b_ns = ARENA_ARRAY(&s->arena, double, PAIRS);
	/* Slow kernels are measured well by fewer pairs. */
	double one = side_sample(0, side) + side_sample(1, side);
	size_t pairs = one > 4e8 ? 9 : one > 1e8 ? 20 : PAIRS;
	measure_duel(0, 1, pairs, 0.01, side_sample, side, rng, duel);
}

static int start_baseline(struct session *s, const char *name, struct worker *w, int *calls, struct strbuf *err)
{
	struct worker_start start = { .baseline = name, .problem = s->problem_text, .target = s->target->name, .threads = s->problem.threads };
	struct strbuf detail = STRBUF_INIT;
	int64_t ns = 0;

	*calls = 1;
	if (worker_open(w, &s->stage, &start, &detail) != VERDICT_PASSED ||
	    worker_time(w, 0, 1, 0, NULL, 0, 120, &ns, &detail) != VERDICT_PASSED ||
	    worker_time(w, 0, 1, 0, NULL, 0, 120, &ns, &detail) != VERDICT_PASSED) {
		strbuf_addf(err, "baseline '%s' does not start: %s", name, detail.buf);
		strbuf_release(&detail);
		return -1;
	}
	while ((double)ns * *calls < 1e6 && *calls < 100000)
		*calls *= 2;
	strbuf_release(&detail);
	return 0;
}

static int publish(struct session *s, const char *folder, const struct candidate *c, const char *artifact, struct winner *w, struct strbuf *err)
{
	const struct lang *lang = lang_find(c->lang);
	struct strbuf path = STRBUF_INIT, data = STRBUF_INIT;
	int ret = -1;

	strbuf_addf(&path, "%s/artifacts/%s", folder, c->id);
	const char *base = arena_strdup(&s->arena, path.buf);
	if (make_folder(base, err) || strbuf_read_file(&data, artifact, err) ||
	    file_publish(arena_printf(&s->arena, "%s/kernel.%s", base, s->target->artifact), data.buf, data.len, err))
		goto out;
	strbuf_reset(&data);
	strbuf_addf(&data, "%s%s", c->prologue, c->source);
	if (file_publish(arena_printf(&s->arena, "%s/kernel.%s", base, lang->suffix), data.buf, data.len, err) ||
	    file_publish(arena_printf(&s->arena, "%s/plan", base), c->plan, strlen(c->plan), err))
		goto out;
	w->artifact = arena_printf(&s->arena, "%s/kernel.%s", c->id, s->target->artifact);
	ret = 0;
out:
	strbuf_release(&path);
	strbuf_release(&data);
	return ret;
}

static double median_of(const double *value, size_t count, double q)
{
	double copy[64];

	memcpy(copy, value, count * sizeof(*copy));
	return quantile(copy, count, q);
}

/* Compiles and checks a finalist alone; PASSED leaves its worker running. */
static enum verdict enter(struct session *s, const struct evaluation *e, struct contestant *c, const char **artifact, struct evaluation *judged,
			  struct strbuf *detail, struct strbuf *err)
{
	const struct candidate *candidate = candidate_of(s, e->candidate);
	struct compile_options alone = { .jobs = 1, .batch = 1 };
	struct compiled compiled;

	*judged = *e;
	if (!candidate || compile_all(&s->arena, &candidate, 1, &alone, &compiled, err))
		return VERDICT_HARNESS_ERROR;
	if (!compiled.ok) {
		strbuf_addstr(detail, compiled.log);
		return VERDICT_COMPILE_ERROR;
	}
	*artifact = compiled.artifact;
	if (contestant_prepare(s, candidate, c, detail))
		return VERDICT_HARNESS_ERROR;
	enum verdict v = contestant_start(c, compiled.artifact, detail);
	if (v == VERDICT_PASSED)
		v = recheck(s, c, judged, detail, err);
	if (v != VERDICT_PASSED)
		contestant_end(c);
	return v;
}

static double settle_calls(struct contestant *c)
{
	double ns = contestant_sample(c);

	ns = contestant_sample(c);
	while (ns * c->calls < 1e6 && c->calls < 100000)
		c->calls *= 2;
	return ns;
}

/* Against a baseline: ratio > 1 means the candidate is faster. */
static int against(struct session *s, struct contestant *c, const char *name, struct duel *duel, struct rng *rng, struct strbuf *err)
{
	struct worker w;
	struct side side[2] = { { .contestant = c }, { .baseline = &w } };

	if (start_baseline(s, name, &w, &side[1].calls, err))
		return -1;
	duel_sides(s, side, c->candidate->id, arena_printf(&s->arena, "baseline:%s", name), duel, rng);
	worker_close(&w);
	return session_append(s, RECORD_DUEL, duel, err);
}

int session_finish(struct session *s, const char *folder, const char *reason, struct strbuf *err)
{
	const struct evaluation *final[FINALISTS];
	size_t count = finalists(s, final), entered = 0;
	struct contestant c[FINALISTS];
	struct evaluation judged[FINALISTS];
	const char *artifact[FINALISTS];
	struct rng rng = { 23, 0 };
	struct stop stop = { .problem = s->problem_text, .reason = reason, .evaluations = (int64_t)s->past.evaluation_count, .elapsed_s = s->elapsed_s };
	bool model = !strcmp(s->options.clock, "model");
	int ret = -1;

	for (size_t i = 0; i < count && s->can_run; i++) {
		struct strbuf detail = STRBUF_INIT;
		enum verdict v = enter(s, final[i], &c[entered], &artifact[entered], &judged[entered], &detail, err);
		if (v == VERDICT_PASSED) {
			entered++;
		} else if (v == VERDICT_HARNESS_ERROR) {
			strbuf_release(&detail);
			goto out;
		} else {
			/* It passed in its batch and fails alone: recorded, and out. */
			judged[entered].verdict = v;
			judged[entered].detail = arena_strdup(&s->arena, detail.buf);
			judged[entered].fitness = 0;
			warn("finalist '%s' failed when judged alone: %s: %s", final[i]->candidate, verdict_name(v), detail.buf);
			if (session_append(s, RECORD_EVALUATION, &judged[entered], err)) {
				strbuf_release(&detail);
				goto out;
			}
		}
		strbuf_release(&detail);
	}
	if (!entered) {
		ret = session_append(s, RECORD_STOP, &stop, err) || journal_commit(s->journal, err) ? -1 : 0;
		goto out;
	}
	size_t best = 0;
	struct strbuf ties = STRBUF_INIT;
	struct winner w = { .problem = s->problem_text, .environment = s->environment.id, .baseline = "", .ties = "" };
	struct duel duel;
	if (!model) {
		stage_fill(&s->stage, 0, INPUTS_uniform, 7);
		session_lock(s, true);
		for (size_t i = 0; i < entered; i++)
			settle_calls(&c[i]);
		/* Pairs against the best so far decide; what is within the noise is a tie, and the lower id leads. */
		for (size_t i = 1; i < entered; i++) {
			struct side side[2] = { { .contestant = &c[best] }, { .contestant = &c[i] } };
			duel_sides(s, side, c[best].candidate->id, c[i].candidate->id, &duel, &rng);
			if (session_append(s, RECORD_DUEL, &duel, err))
				goto unlock;
			if (duel.verdict == DUEL_SLOWER)
				best = i;
			else if (duel.verdict != DUEL_FASTER)
				strbuf_addf(&ties, "%s%s", ties.len ? " " : "", c[i].candidate->id);
		}
		if (against(s, &c[best], "loopnest", &duel, &rng, err))
			goto unlock;
		w.loopnest_ratio = w.ratio = duel.ratio;
		w.loopnest_low = w.ratio_low = duel.low;
		w.loopnest_high = w.ratio_high = duel.high;
		w.baseline = "loopnest";
		w.time_ns = median_of(duel.a_ns, duel.pair_count, 0.5);
		w.low_ns = median_of(duel.a_ns, duel.pair_count, 0.25);
		w.high_ns = median_of(duel.a_ns, duel.pair_count, 0.75);
		w.baseline_ns = median_of(duel.b_ns, duel.pair_count, 0.5);
		if (s->baseline_name && strcmp(s->baseline_name, "loopnest")) {
			if (against(s, &c[best], s->baseline_name, &duel, &rng, err))
				goto unlock;
			if (duel.ratio < w.ratio) {
				w.baseline = s->baseline_name;
				w.ratio = duel.ratio;
				w.ratio_low = duel.low;
				w.ratio_high = duel.high;
				w.baseline_ns = median_of(duel.b_ns, duel.pair_count, 0.5);
			}
		}
		session_unlock(s);
	} else {
		w.time_ns = w.low_ns = w.high_ns = judged[0].time_ns;
		w.ratio = w.ratio_low = w.ratio_high = w.loopnest_ratio = w.loopnest_low = w.loopnest_high = 1e6 / w.time_ns;
		w.baseline_ns = 1e6;
		w.baseline = "model";
	}
	w.candidate = c[best].candidate->id;
	w.ties = arena_strdup(&s->arena, ties.buf);
	w.tolerance_ratio = judged[best].tolerance_ratio;
	w.sol_ratio = judged[best].sol_ratio > 0 && judged[best].time_ns > 0 ? judged[best].sol_ratio * judged[best].time_ns / w.time_ns : 0;
	if (publish(s, folder, c[best].candidate, artifact[best], &w, err) || session_append(s, RECORD_STOP, &stop, err) ||
	    session_append(s, RECORD_WINNER, &w, err) || journal_commit(s->journal, err))
		goto release;
	ret = 1;
	goto release;
unlock:
	session_unlock(s);
release:
	strbuf_release(&ties);
out:
	for (size_t i = 0; i < entered; i++)
		contestant_end(&c[i]);
	return ret;
}
