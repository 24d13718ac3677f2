/* The winner of a problem: recompiled alone, checked and timed again, dueled, published. */
#include "evaluate/baseline.h"
#include "evaluate/evaluate.h"
#include "evaluate/judge.h"
#include "evaluate/undefined.h"
#include "generate/lang.h"
#include "ops/core/defence.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { FINALISTS = 3, MOST_TRIED = 8, PAIRS = 48 };

struct finalist {
	struct contestant contestant;
	struct evaluation evaluation; /* as recorded, with what the final judgement adds */
	const char *artifact;
};

/* ---- who enters ------------------------------------------------------ */

static const struct candidate *candidate_of(const struct session *s, const char *id)
{
	for (size_t i = 0; i < s->past.candidate_count; i++)
		if (!strcmp(s->past.candidate[i].id, id))
			return &s->past.candidate[i];
	return NULL;
}

/* Did a later trial of it not pass?  Then an earlier final judgement threw it out. */
static bool is_out(const struct session *s, const struct evaluation *e)
{
	for (const struct evaluation *later = e + 1; later < s->past.evaluation + s->past.evaluation_count; later++)
		if (!strcmp(later->candidate, e->candidate) && later->verdict != VERDICT_PASSED)
			return true;
	return false;
}

static bool is_better(const struct evaluation *a, const struct evaluation *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : strcmp(a->candidate, b->candidate) < 0;
}

/* The best trials by recorded time, fastest first; equal times go by id.  Those that are out are among them: what a killed judgement threw out, another would try no more for. */
static size_t best_trials(const struct session *s, const struct evaluation **out)
{
	size_t count = 0;

	for (size_t i = 0; i < s->past.evaluation_count; i++) {
		const struct evaluation *e = &s->past.evaluation[i];
		if (e->verdict != VERDICT_PASSED || !(e->time_ns > 0))
			continue;
		size_t at = count;
		while (at > 0 && is_better(e, out[at - 1]))
			at--;
		if (at >= MOST_TRIED)
			continue;
		if (count < MOST_TRIED)
			count++;
		memmove(out + at + 1, out + at, (count - at - 1) * sizeof(*out));
		out[at] = e;
	}
	return count;
}

/* Compiles and checks a trial alone; PASSED leaves its worker running. */
static enum verdict enter(struct session *s, const struct evaluation *e, struct finalist *f, struct strbuf *detail, struct strbuf *err)
{
	const struct candidate *candidate = candidate_of(s, e->candidate);
	const struct compile_options alone = { .jobs = 1, .batch = 1 };
	struct compiled compiled;
	struct check_result worst = { 0 };

	*f = (struct finalist){ .evaluation = *e };
	if (!candidate) {
		strbuf_addf(err, "the journal has trial '%s' but not its candidate", e->candidate);
		return VERDICT_HARNESS_ERROR;
	}
	if (session_compile(s, &candidate, 1, &alone, &compiled, err))
		return VERDICT_HARNESS_ERROR;
	if (!compiled.ok) {
		strbuf_addstr(detail, compiled.log);
		return compiled.is_rejected ? VERDICT_REJECTED : VERDICT_COMPILE_ERROR;
	}
	f->artifact = compiled.artifact;
	enum verdict v = contestant_start(s, candidate, compiled.artifact, &f->contestant, detail);
	if (v == VERDICT_PASSED)
		v = contestant_check(&f->contestant, &worst, detail);
	if (v == VERDICT_PASSED && defence_stands(DEFENCE_EDGES))
		v = contestant_check_edges(&f->contestant, &worst, detail);
	f->evaluation.tolerance_ratio = fmax(f->evaluation.tolerance_ratio, worst.tolerance_ratio);
	if (v != VERDICT_PASSED)
		contestant_end(&f->contestant);
	return v;
}

/* It passed in its batch and fails alone: recorded, so that no report shows it as good. */
static int throw_out(struct session *s, struct finalist *f, enum verdict v, const char *detail, struct strbuf *err)
{
	struct evaluation *e = &f->evaluation;

	warn("finalist '%s' failed when judged alone: %s: %s", e->candidate, verdict_name(v), detail);
	e->verdict = v;
	e->detail = arena_printf(&s->arena, "judged alone: %.400s", detail);
	e->time_ns = e->time_low_ns = e->time_high_ns = NAN;
	e->sample_count = 0;
	e->fitness = e->sol_ratio = 0;
	e->start_ns = s->is_model ? 0 : wall_ns();
	return session_append(s, RECORD_EVALUATION, e, err);
}

/* Fills f[]; the number, or -1 with *err. */
static int enter_all(struct session *s, struct finalist *f, struct strbuf *err)
{
	const struct evaluation *trial[MOST_TRIED + 1];
	size_t count = best_trials(s, trial);
	int entered = 0;

	for (size_t i = 0; i < count && entered < FINALISTS; i++) {
		struct strbuf detail = STRBUF_INIT;
		if (is_out(s, trial[i]))
			continue;
		enum verdict v = enter(s, trial[i], &f[entered], &detail, err);
		int bad = v == VERDICT_HARNESS_ERROR ? -1 : v == VERDICT_PASSED ? 0 : throw_out(s, &f[entered], v, detail.buf, err);
		if (v == VERDICT_HARNESS_ERROR && !err->len)
			strbuf_addstr(err, detail.buf);
		strbuf_release(&detail);
		if (bad) {
			while (entered > 0)
				contestant_end(&f[--entered].contestant);
			return -1;
		}
		entered += v == VERDICT_PASSED;
	}
	return entered;
}

/* ---- duels ----------------------------------------------------------- */

static int fight(struct session *s, struct contestant *a, struct contestant *b, const char *b_name, struct duel *duel,
		 struct strbuf *err)
{
	struct contestant side[2] = { *a, *b };

	*duel = (struct duel){ .problem = s->problem_text, .environment = s->environment.id, .a = a->candidate->id, .b = b_name };
	duel->a_ns = ARENA_ARRAY(&s->arena, double, PAIRS);
	duel->b_ns = ARENA_ARRAY(&s->arena, double, PAIRS);
	/* Slow kernels are measured well by fewer pairs. */
	double pair_ns = a->first_ns * a->calls + b->first_ns * b->calls;
	contestants_apart(&side[0], &side[1]);
	measure_duel(0, 1, pair_ns > 4e8 ? 10 : pair_ns > 1e8 ? 24 : PAIRS, MEASURE_MARGIN, contestant_sampler, contestants_renew, side, duel);
	*a = side[0];
	*b = side[1];
	if (!duel->pair_count) {
		strbuf_addf(err, "no pair of '%s' and '%s' could be timed", duel->a, duel->b);
		return -1;
	}
	return session_append(s, RECORD_DUEL, duel, err);
}

/* Against a baseline: ratio > 1 means the finalist is faster. */
static int fight_baseline(struct session *s, struct contestant *a, const char *name, struct duel *duel, struct strbuf *err)
{
	struct contestant b;
	struct strbuf detail = STRBUF_INIT;
	int ret = -1;

	if (contestant_start_baseline(s, name, &b, &detail) != VERDICT_PASSED || !contestant_settle(&b))
		strbuf_addf(err, "baseline '%s' does not start: %s%s", name, detail.buf, b.detail);
	else
		ret = fight(s, a, &b, arena_printf(&s->arena, "baseline:%s", name), duel, err);
	contestant_end(&b);
	strbuf_release(&detail);
	return ret;
}

/*
 * The finalist to publish: who beats the leader in pairs leads.  Those the leader
 * could not be told from are ties; the lowest id among them and the leader wins,
 * so that noise does not choose.  -1 with *err.
 */
static int choose(struct session *s, struct finalist *f, int count, struct strbuf *ties, struct strbuf *err)
{
	bool is_tied[FINALISTS] = { false };
	struct duel duel;
	int best = 0;

	for (int i = 1; i < count; i++) {
		if (fight(s, &f[best].contestant, &f[i].contestant, f[i].evaluation.candidate, &duel, err))
			return -1;
		is_tied[i] = duel.verdict == DUEL_SAME || duel.verdict == DUEL_AMBIGUOUS;
		if (duel.verdict == DUEL_SLOWER) {
			memset(is_tied, 0, sizeof(is_tied));
			best = i;
		}
	}
	int lead = best;
	for (int i = 0; i < count; i++)
		if (is_tied[i] && strcmp(f[i].evaluation.candidate, f[lead].evaluation.candidate) < 0)
			lead = i;
	for (int i = 0; i < count; i++)
		if (i != lead && (is_tied[i] || i == best))
			strbuf_addf(ties, "%s%s", ties->len ? " " : "", f[i].evaluation.candidate);
	return lead;
}

static double spread(const double *value, size_t count, double q)
{
	double copy[PAIRS];

	memcpy(copy, value, count * sizeof(*copy));
	return quantile(copy, count, q);
}

/* What the winner gains over one baseline. */
struct margin {
	const char *name; /* NULL: not measured */
	double baseline_ns, ratio, low, high;
};
enum { OVER_LOOPNEST, OVER_LIBRARY, MARGINS };

/* The strongest baseline is the one that is gained least over. */
static void state_margins(const struct margin margin[MARGINS], struct winner *w)
{
	const struct margin *loopnest = &margin[OVER_LOOPNEST], *least = NULL;

	for (int i = 0; i < MARGINS; i++)
		if (margin[i].name && (!least || margin[i].ratio < least->ratio))
			least = &margin[i];
	if (loopnest->name) {
		w->loopnest_ratio = loopnest->ratio;
		w->loopnest_low = loopnest->low;
		w->loopnest_high = loopnest->high;
	}
	if (least) {
		w->baseline = least->name;
		w->baseline_ns = least->baseline_ns;
		w->ratio = least->ratio;
		w->ratio_low = least->low;
		w->ratio_high = least->high;
	}
}

/* Times of the winner and its margins over the plain loops and the strongest baseline. */
static int measure_margins(struct session *s, struct contestant *c, struct winner *w, struct margin margin[MARGINS], struct strbuf *err)
{
	/* Where no plain loops run, on a device, there is the library alone, or nothing to beat. */
	const char *name[MARGINS] = { strcmp(s->target->artifact, "so") ? NULL : "loopnest", s->own_baseline_name };
	struct duel duel;

	for (int i = 0; i < MARGINS; i++) {
		if (!name[i] || (i == OVER_LIBRARY && name[OVER_LOOPNEST] && !strcmp(name[OVER_LIBRARY], name[OVER_LOOPNEST])))
			continue;
		if (fight_baseline(s, c, name[i], &duel, err))
			return -1;
		if (!(w->time_ns > 0)) {
			w->time_ns = spread(duel.a_ns, duel.pair_count, 0.5);
			w->low_ns = spread(duel.a_ns, duel.pair_count, 0.25);
			w->high_ns = spread(duel.a_ns, duel.pair_count, 0.75);
		}
		margin[i] = (struct margin){ name[i], spread(duel.b_ns, duel.pair_count, 0.5), duel.ratio, duel.low, duel.high };
	}
	state_margins(margin, w);
	return 0;
}

/* A stronger one that cannot run here was timed elsewhere, at another time: no pairs, and the winner's quartiles for an interval. */
static void weigh_given(const struct session *s, struct winner *w)
{
	if (!s->baseline_name || baseline_find(s->baseline_name) || (*w->baseline && s->baseline_ns >= w->baseline_ns))
		return;
	w->baseline = s->baseline_name;
	w->baseline_ns = s->baseline_ns;
	w->ratio = s->baseline_ns / w->time_ns;
	w->ratio_low = s->baseline_ns / w->high_ns;
	w->ratio_high = s->baseline_ns / w->low_ns;
}

/* ---- publishing ------------------------------------------------------ */

static int publish(struct session *s, const char *folder, const struct candidate *c, const char *artifact, struct winner *w, struct strbuf *err)
{
	const struct lang *lang = lang_find(c->lang);
	const char *base = arena_printf(&s->arena, "%s/artifacts/%s", folder, c->id);
	struct strbuf data = STRBUF_INIT, source = STRBUF_INIT;
	int ret = -1;

	strbuf_addf(&source, "%s%s", c->prologue, c->source);
	if (!make_folder(base, err) && !strbuf_read_file(&data, artifact, err) &&
	    !file_publish(arena_printf(&s->arena, "%s/kernel.%s", base, s->target->artifact), data.buf, data.len, err) &&
	    !file_publish(arena_printf(&s->arena, "%s/kernel.%s", base, lang->suffix), source.buf, source.len, err) &&
	    !file_publish(arena_printf(&s->arena, "%s/plan", base), c->plan, strlen(c->plan), err)) {
		w->artifact = arena_printf(&s->arena, "%s/kernel.%s", c->id, s->target->artifact);
		ret = 0;
	} else {
		s->exit_code = KM_EXIT_NOT_DURABLE;
	}
	strbuf_release(&data);
	strbuf_release(&source);
	return ret;
}

/* Chooses among the finalists and fills *w and its margins; its position, or -1 with *err. */
static int decide(struct session *s, struct finalist *f, int count, struct winner *w, struct margin margin[MARGINS], struct strbuf *err)
{
	struct strbuf ties = STRBUF_INIT;
	int best = 0;

	*w = (struct winner){ .problem = s->problem_text, .environment = s->environment.id, .judged_by = "clock", .baseline = "", .ties = "" };
	if (s->is_model) {
		w->time_ns = w->low_ns = w->high_ns = f[0].evaluation.time_ns;
		w->ratio = w->ratio_low = w->ratio_high = w->loopnest_ratio = w->loopnest_low = w->loopnest_high = 1e6 / w->time_ns;
		w->baseline_ns = 1e6;
		w->baseline = "model";
	} else {
		session_lock(s, true);
		for (int i = 0; i < count; i++)
			contestant_settle(&f[i].contestant);
		best = choose(s, f, count, &ties, err);
		if (best >= 0 && measure_margins(s, &f[best].contestant, w, margin, err))
			best = -1;
		session_unlock(s);
	}
	if (best >= 0) {
		const struct evaluation *e = &f[best].evaluation;
		if (!(w->time_ns > 0)) {
			w->time_ns = e->time_ns;
			w->low_ns = e->time_low_ns;
			w->high_ns = e->time_high_ns;
		}
		w->candidate = e->candidate;
		w->ties = arena_strdup(&s->arena, ties.buf);
		w->tolerance_ratio = e->tolerance_ratio;
		w->sol_ratio = e->sol_ratio > 0 ? e->sol_ratio * e->time_ns / w->time_ns : 0;
		w->raced_ns = w->time_ns;
		w->raced_low_ns = w->low_ns;
		w->raced_high_ns = w->high_ns;
		w->raced_loopnest_ratio = w->loopnest_ratio;
	}
	strbuf_release(&ties);
	return best;
}

/* What is published is what was seen from outside; what its own process's clock said stays beside it. */
static void publish_judged(const struct judgement *j, struct winner *w, struct margin margin[MARGINS])
{
	w->judged_by = "lives";
	w->time_ns = j->judged_ns;
	w->low_ns = j->low_ns;
	w->high_ns = j->high_ns;
	w->sol_ratio *= w->raced_ns / w->time_ns;
	if (!strcmp(j->baseline, "loopnest"))
		margin[OVER_LOOPNEST] = (struct margin){ j->baseline, j->baseline_ns, j->ratio, j->ratio_low, j->ratio_high };
	state_margins(margin, w);
}

/* What a process of its own says of itself is not enough for the corpus.  0, or -1 with *err. */
static int judge_outside(struct session *s, const struct finalist *f, const struct winner *w, const char *sanitized, struct judgement *j, struct strbuf *err)
{
	const struct candidate *c = f->contestant.candidate;
	const struct judged judged = { .problem = &s->problem, .target = s->target, .artifact = f->artifact, .plan = c->plan, .is_confined = true };
	const struct judge_options options = { .secret = (uint64_t)wall_ns() ^ (uint64_t)getpid() << 40, .floor_ns = physics_floor_ns(&s->environment, &s->problem) };

	if (s->is_model) {
		*j = (struct judgement){ .detail = "", .claimed_ns = w->time_ns, .judged_ns = w->time_ns, .low_ns = w->time_ns, .high_ns = w->time_ns, .claim_ratio = 1,
					 .baseline = "model", .baseline_ns = w->baseline_ns, .ratio = w->ratio, .ratio_low = w->ratio, .ratio_high = w->ratio,
					 .memory_pass = "", .labels = "" };
	} else {
		session_lock(s, true);
		int bad = judge(&s->arena, &judged, &options, j, err);
		session_unlock(s);
		if (bad)
			return -1;
		/*
		 * Raced, it was its own clock's; a speed that vanishes outside was one of the clock, or of answers kept.  Times, no
		 * ratios: a busy machine only adds to those, and makes anything of ratios.
		 */
		if (j->verdict == VERDICT_PASSED && 2 * w->raced_low_ns < j->low_ns && defence_stands(DEFENCE_OUTSIDE_CLOCK)) {
			j->verdict = VERDICT_TIMING_FORGED;
			j->detail = arena_printf(&s->arena, "raced in %.0f ns a call, judged %.0f", w->raced_low_ns, j->low_ns);
		}
	}
	j->memory_pass = arena_printf(&s->arena, "%s%s%s", j->memory_pass, *j->memory_pass && *sanitized ? "; " : "", sanitized);
	j->problem = s->problem_text;
	j->environment = s->environment.id;
	j->candidate = c->id;
	return session_append(s, RECORD_JUDGEMENT, j, err);
}

/* On a device, which has no judge outside yet: what no output shows, where there is a tool that sees it. */
static enum verdict look_inside(struct session *s, const struct finalist *f, struct strbuf *detail)
{
	struct strbuf skipped = STRBUF_INIT;
	/* It runs, and nobody else is timed meanwhile. */
	session_lock(s, false);
	enum verdict v = contestant_sanitize(&f->contestant, &skipped, detail);
	session_unlock(s);

	if (skipped.len)
		warn("winner '%s' of '%s' was not wholly looked at inside: %s", f->contestant.candidate->id, s->problem_text, skipped.buf);
	strbuf_release(&skipped);
	return v;
}

/* Out with it: recorded, and the others move up. */
static int drop(struct session *s, struct finalist *f, int *count, int at, enum verdict v, const char *detail, struct strbuf *err)
{
	contestant_end(&f[at].contestant);
	if (throw_out(s, &f[at], v, detail, err))
		return -1;
	memmove(&f[at], &f[at + 1], (size_t)(--*count - at) * sizeof(*f));
	return 0;
}

/*
 * Is the finalist what it seems: of its own source's making, and from outside its process?  The verdict, why in *detail, and a
 * kernel's for this CPU the times that are published; HARNESS_ERROR with *err.
 */
static enum verdict look_at(struct session *s, const struct finalist *f, struct winner *w, struct margin margin[MARGINS], struct strbuf *detail,
			    struct strbuf *err)
{
	struct strbuf how = STRBUF_INIT;
	struct judgement j = { .detail = "" };
	enum verdict v = VERDICT_PASSED;

	/* Devices have no judge outside yet. */
	if (strcmp(s->target->artifact, "so"))
		return s->is_model || !s->is_device ? v : look_inside(s, f, detail);
	if (defence_stands(DEFENCE_SANITIZERS))
		v = undefined_search(s, f->contestant.candidate, &how, detail, err);
	if (v == VERDICT_PASSED && defence_stands(DEFENCE_JUDGE)) {
		v = judge_outside(s, f, w, how.buf, &j, err) ? VERDICT_HARNESS_ERROR : j.verdict;
		strbuf_addstr(detail, j.detail);
		if (v == VERDICT_PASSED)
			publish_judged(&j, w, margin);
	}
	strbuf_release(&how);
	return v;
}

/* The best finalist that is what it seems: its position, -1 with *err, or *count 0: none. */
static int judge_best(struct session *s, struct finalist *f, int *count, struct winner *w, struct strbuf *err)
{
	while (*count) {
		struct margin margin[MARGINS] = { { 0 } };
		struct strbuf detail = STRBUF_INIT;
		int best = decide(s, f, *count, w, margin, err);
		if (best < 0)
			return best;
		enum verdict v = look_at(s, &f[best], w, margin, &detail, err);
		bool is_bad = v == VERDICT_HARNESS_ERROR || (v != VERDICT_PASSED && drop(s, f, count, best, v, detail.buf, err));
		strbuf_release(&detail);
		if (is_bad || v == VERDICT_PASSED)
			return is_bad ? -1 : best;
	}
	return -1;
}

int session_finish(struct session *s, const char *folder, const char *reason, struct strbuf *err)
{
	struct stop stop = { .problem = s->problem_text, .reason = reason, .evaluations = (int64_t)s->past.evaluation_count,
			     .elapsed_s = s->elapsed_s };
	struct finalist f[FINALISTS];
	struct winner w;
	if (session_reserve(s, 1 << 18, err))
		return -1;
	/* They run, and nobody else is timed meanwhile. */
	session_lock(s, false);
	int count = s->can_run ? enter_all(s, f, err) : 0, best = -1, ret = count;
	session_unlock(s);

	if (count < 0)
		return -1;
	if (count) {
		best = judge_best(s, f, &count, &w, err);
		ret = count;
	}
	if (count && best >= 0)
		weigh_given(s, &w);
	if (count) {
		if (best < 0 || publish(s, folder, f[best].contestant.candidate, f[best].artifact, &w, err) ||
		    session_append(s, RECORD_WINNER, &w, err))
			ret = -1;
	}
	for (int i = 0; i < count; i++)
		contestant_end(&f[i].contestant);
	if (ret < 0 || session_append(s, RECORD_STOP, &stop, err) || session_commit(s, err))
		return -1;
	return ret > 0;
}
