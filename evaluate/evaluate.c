/* A batch: compiled, inspected, checked, raced, recorded. */
#include "evaluate/evaluate.h"
#include "evaluate/pack.h"
#include "evaluate/sandbox.h"
#include "generate/lang.h"
#include "ops/core/defence.h"
#include "ops/core/proc.h"
#include "ops/core/progress.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { RACE_SAMPLES = 32 };

/* One candidate of a batch on its way. */
struct entrant {
	const struct candidate *candidate;
	struct compiled compiled;
	struct evaluation evaluation;
	int64_t attempts;    /* how often work on it was begun */
	bool is_interrupted; /* its worker was killed, not by us */
};

static int64_t most_attempts(const struct session *s)
{
	return s->options.attempts > 0 ? s->options.attempts : 3;
}

static int64_t attempts_of(const struct session *s, const char *id)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->past.start_count; i++)
		n += !strcmp(s->past.start[i].candidate, id);
	return n;
}

/* What was not measured is, where it can be: what was missing may be there now. */
static bool is_final_word(const struct session *s, const struct evaluation *e)
{
	if (e->verdict == VERDICT_NOT_MEASURED)
		return !s->can_run;
	return e->verdict != VERDICT_HARNESS_ERROR || attempts_of(s, e->candidate) >= most_attempts(s);
}

static bool is_evaluated(const struct session *s, const char *id)
{
	for (size_t i = 0; i < s->past.evaluation_count; i++)
		if (!strcmp(s->past.evaluation[i].candidate, id) && is_final_word(s, &s->past.evaluation[i]))
			return true;
	return false;
}

static bool is_recorded(const struct session *s, const char *id)
{
	for (size_t i = 0; i < s->past.candidate_count; i++)
		if (!strcmp(s->past.candidate[i].id, id))
			return true;
	return false;
}

/* Those of the batch that the journal does not know, each once. */
static struct entrant *fresh_ones(struct session *s, const struct candidate *candidate, size_t count, size_t *n, struct strbuf *err)
{
	struct entrant *e = ARENA_ARRAY(&s->arena, struct entrant, count + 1);

	*n = 0;
	for (size_t i = 0; i < count; i++) {
		bool known = is_evaluated(s, candidate[i].id);
		if (strcmp(candidate[i].problem, s->problem_text)) {
			strbuf_addf(err, "candidate '%s' is of problem '%s', not '%s'", candidate[i].id, candidate[i].problem, s->problem_text);
			return NULL;
		}
		if (strcmp(candidate[i].target, s->target->name)) {
			strbuf_addf(err, "candidate '%s' is for target '%s', not '%s'", candidate[i].id, candidate[i].target, s->target->name);
			return NULL;
		}
		for (size_t k = 0; k < *n; k++)
			known |= !strcmp(e[k].candidate->id, candidate[i].id);
		if (!known)
			e[(*n)++] = (struct entrant){ .candidate = &candidate[i], .attempts = attempts_of(s, candidate[i].id) };
	}
	return e;
}

/* ---- compiling and inspecting ---------------------------------------- */

struct fact_sink {
	struct evaluation *evaluation;
	struct arena *arena;
};

static void add_fact(const char *key, double value, void *user)
{
	struct fact_sink *sink = user;

	if (sink->evaluation->fact_count < EVALUATION_MAX_FACTS)
		sink->evaluation->fact[sink->evaluation->fact_count++] = (struct fact_value){ arena_strdup(sink->arena, key), value };
}

static void inspect(struct session *s, struct entrant *x)
{
	const struct lang *lang = lang_find(x->candidate->lang);
	struct fact_sink sink = { &x->evaluation, &s->arena };
	struct strbuf err = STRBUF_INIT, symbol = STRBUF_INIT;

	strbuf_addf(&symbol, "km_%s", x->candidate->id);
	int bad = lang && lang->inspect ? lang->inspect(x->compiled.artifact, symbol.buf, add_fact, &sink, &err) : 0;
	if (bad) {
		x->evaluation.verdict = bad > 0 ? VERDICT_HARNESS_ERROR : VERDICT_REJECTED;
		x->evaluation.detail = arena_strdup(&s->arena, err.buf);
	}
	strbuf_release(&err);
	strbuf_release(&symbol);
}

static const char *first_words(struct session *s, const char *text, size_t most)
{
	size_t len = strlen(text);
	return arena_strndup(&s->arena, text, len < most ? len : most);
}

/* Its evaluation before anything is known. */
static void blank(struct session *s, struct entrant *x)
{
	struct strbuf reproduce = STRBUF_INIT;

	candidate_reproduce(x->candidate, &reproduce);
	x->is_interrupted = false;
	x->evaluation = (struct evaluation){ .candidate = x->candidate->id, .problem = s->problem_text, .environment = s->environment.id,
					     .verdict = VERDICT_PASSED, .detail = "", .state = s->can_run ? STATE_MEASURED : STATE_COMPILED,
					     .time_ns = NAN, .time_low_ns = NAN, .time_high_ns = NAN, .start_ns = s->is_model ? 0 : wall_ns(),
					     .reproduce = arena_strdup(&s->arena, reproduce.buf) };
	strbuf_release(&reproduce);
}

static int compile_entrants(struct session *s, struct entrant *x, size_t n, struct strbuf *err)
{
	const struct compile_options options = { .jobs = s->options.jobs, .batch = s->options.batch };
	const struct candidate **list = ARENA_ARRAY(&s->arena, const struct candidate *, n);
	struct compiled *compiled = ARENA_ARRAY(&s->arena, struct compiled, n);

	for (size_t i = 0; i < n; i++)
		list[i] = x[i].candidate;
	if (session_compile(s, list, n, &options, compiled, err))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct evaluation *e = &x[i].evaluation;
		x[i].compiled = compiled[i];
		blank(s, &x[i]);
		e->compile_s = s->is_model ? 0 : compiled[i].compile_s;
		if (compiled[i].ok && s->options.pack) {
			pack_facts(s->options.pack, x[i].candidate, e);
		} else if (compiled[i].ok) {
			inspect(s, &x[i]);
		} else {
			e->verdict = compiled[i].is_missing    ? VERDICT_NOT_MEASURED
				     : compiled[i].is_rejected ? VERDICT_REJECTED
							       : VERDICT_COMPILE_ERROR;
			e->detail = first_words(s, compiled[i].log, 600);
			e->state = compiled[i].is_rejected ? STATE_COMPILED : STATE_GENERATED;
		}
		if (!s->can_run && e->verdict == VERDICT_PASSED) {
			e->verdict = VERDICT_NOT_MEASURED;
			e->detail = s->why_not_here;
		}
	}
	return 0;
}

/* ---- checking -------------------------------------------------------- */

static void keep_errors(struct evaluation *e, const struct check_result *worst)
{
	e->max_abs_error = worst->max_abs_error;
	e->max_rel_error = worst->max_rel_error;
	e->max_ulp_error = worst->max_ulp_error;
	e->tolerance_ratio = worst->tolerance_ratio;
}

/* What the device did not run was compiled, and no more. */
static void not_run(struct entrant *x)
{
	if (x->evaluation.verdict == VERDICT_NOT_MEASURED)
		x->evaluation.state = STATE_COMPILED;
}

/* Starts and checks all that compiled; those that passed stay alive in c[], whose[] says whose they are. */
static size_t check_entrants(struct session *s, struct entrant *x, size_t n, struct contestant *c, struct entrant **whose)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		struct strbuf detail = STRBUF_INIT;
		struct check_result worst = { 0 };
		int64_t start = clock_ns();
		progress_update((int64_t)i, "checking");
		if (x[i].evaluation.verdict != VERDICT_PASSED)
			continue;
		x[i].evaluation.start_ns = s->is_model ? 0 : wall_ns();
		enum verdict v = contestant_start(s, x[i].candidate, x[i].compiled.artifact, &c[left], &detail);
		if (v == VERDICT_PASSED)
			v = contestant_check(&c[left], &worst, &detail);
		keep_errors(&x[i].evaluation, &worst);
		x[i].evaluation.verdict = v;
		x[i].evaluation.check_s = s->is_model ? 0 : (double)(clock_ns() - start) * 1e-9;
		if (v == VERDICT_PASSED) {
			whose[left++] = &x[i];
		} else {
			x[i].is_interrupted = c[left].was_killed;
			x[i].evaluation.detail = first_words(s, detail.buf, 400);
			not_run(&x[i]);
			contestant_end(&c[left]);
		}
		strbuf_release(&detail);
	}
	return left;
}

/* ---- timing ---------------------------------------------------------- */

/* Time the memory or the arithmetic units need at least [ns]; 0: unknown. */
static double light_ns(const struct session *s)
{
	const struct environment *e = &s->environment;
	double bytes = (double)problem_least_bytes(&s->problem), flop = problem_flop(&s->problem);
	double peak = s->problem.dtype == DTYPE_bf16 && e->matrix_flop_per_s > 0 ? e->matrix_flop_per_s : e->peak_flop_per_s;
	double by_bytes = e->peak_bytes_per_s > 0 ? bytes / e->peak_bytes_per_s : 0, by_flop = peak > 0 ? flop / peak : 0;

	return 1e9 * fmax(by_bytes, by_flop) / s->problem.threads;
}

/*
 * More than any core's registers take from and give to its cache: two loads and a store of 64 bytes a
 * cycle (Intel, Optimization Reference Manual, Golden Cove), at a clock no processor has.
 */
#define CORE_BYTES_PER_S (3 * 64 * 6.2e9)

double physics_floor_ns(const struct environment *e, const struct problem *p)
{
	double bytes = (double)problem_least_bytes(p), fastest = e->datasheet_bytes_per_s;

	/* What a busy machine was measured at may be far below what its memory does; of what caches hold, memory says nothing. */
	if (!(fastest > 0) && e->peak_bytes_per_s > 0)
		fastest = bytes > (double)(e->l2_bytes + e->l3_bytes) * 2 ? 8 * e->peak_bytes_per_s : CORE_BYTES_PER_S * p->threads;
	return fastest > 0 ? 1e9 * bytes / fastest : 0;
}

/* How fast the device ran while this one was timed. */
static void add_clocks(struct session *s, struct evaluation *e, const struct clocks_seen *seen)
{
	struct fact_sink sink = { e, &s->arena };

	if (!seen->looks)
		return;
	add_fact("sm_mhz", seen->sm_mhz / seen->looks, &sink);
	add_fact("sm_mhz_least", seen->least_mhz, &sink);
	add_fact("power_w_most", seen->most_power_mw * 1e-3, &sink);
	add_fact("throttle_reasons", (double)seen->reasons, &sink);
}

/* Fills times, ratios and the verdict of what the race left in `entry`. */
static void judge_time(struct session *s, struct evaluation *e, const struct race_entry *entry, int calls)
{
	double sorted[RACE_SAMPLES];

	if (!entry->sample_count || e->verdict != VERDICT_PASSED)
		return;
	e->sample_ns = entry->sample_ns;
	e->sample_count = entry->sample_count;
	e->rung = entry->rung;
	e->calls_per_sample = calls;
	memcpy(sorted, entry->sample_ns, entry->sample_count * sizeof(double));
	e->time_ns = median(sorted, entry->sample_count);
	e->time_low_ns = quantile(sorted, entry->sample_count, 0.25);
	e->time_high_ns = quantile(sorted, entry->sample_count, 0.75);
	e->flop_per_s = problem_flop(&s->problem) / (e->time_ns * 1e-9);
	e->bytes_per_s = (double)problem_least_bytes(&s->problem) / (e->time_ns * 1e-9);
	double light = light_ns(s);
	e->sol_ratio = light > 0 ? light / e->time_ns : 0;
	double floor_ns = physics_floor_ns(&s->environment, &s->problem);
	if (e->time_ns < floor_ns && defence_stands(DEFENCE_PHYSICS_FLOOR)) {
		e->verdict = VERDICT_BELOW_PHYSICS_FLOOR;
		e->detail = arena_printf(&s->arena, "%.0f ns, but the memory needs %.0f ns", e->time_ns, floor_ns);
		e->fitness = 0;
		return;
	}
	e->fitness = s->baseline_ns > 0 ? s->baseline_ns / e->time_ns : 1e6 / e->time_ns;
}

/* The best trial so far in this environment, or NULL. */
static const struct candidate *incumbent_of(const struct session *s)
{
	const struct evaluation *best = NULL;

	for (size_t i = 0; i < s->past.evaluation_count; i++) {
		const struct evaluation *e = &s->past.evaluation[i];
		if (e->verdict == VERDICT_PASSED && e->time_ns > 0 && !strcmp(e->environment, s->environment.id) &&
		    (!best || e->time_ns < best->time_ns))
			best = e;
	}
	for (size_t i = 0; best && i < s->past.candidate_count; i++)
		if (!strcmp(s->past.candidate[i].id, best->candidate))
			return &s->past.candidate[i];
	return NULL;
}

/* The incumbent races too, as the control; false when there is none that starts. */
static bool start_incumbent(struct session *s, struct contestant *c)
{
	const struct candidate *incumbent = incumbent_of(s);
	const struct compile_options alone = { .jobs = 1, .batch = 1 };
	struct strbuf detail = STRBUF_INIT;
	struct compiled compiled = { 0 };

	bool ok = incumbent && !session_compile(s, &incumbent, 1, &alone, &compiled, &detail) && compiled.ok;
	if (ok && contestant_start(s, incumbent, compiled.artifact, c, &detail) != VERDICT_PASSED) {
		contestant_end(c);
		ok = false;
	}
	strbuf_release(&detail);
	return ok;
}

/* The best newcomer against the incumbent, by the rounds of the race that both ran. */
static int record_duel(struct session *s, const struct contestant *a, const struct race_entry *ea, const struct contestant *b,
		       const struct race_entry *eb, struct strbuf *err)
{
	enum { FEWEST_PAIRS = 8 };
	size_t pairs = ea->sample_count < eb->sample_count ? ea->sample_count : eb->sample_count;
	struct duel duel = { .problem = s->problem_text, .environment = s->environment.id, .a = a->candidate->id, .b = b->candidate->id,
			     .a_ns = ea->sample_ns, .b_ns = eb->sample_ns };

	if (pairs < FEWEST_PAIRS)
		return 0;
	measure_ratio(duel.a_ns, duel.b_ns, pairs, MEASURE_MARGIN, &duel);
	return session_append(s, RECORD_DUEL, &duel, err);
}

/* Is what was timed still right?  A kernel that changes after some calls is not what was checked. */
static void check_again(struct session *s, struct contestant *c, struct entrant *x)
{
	struct strbuf detail = STRBUF_INIT;
	struct check_result worst = { 0 };

	if (c->is_running) {
		if (!defence_stands(DEFENCE_AFTER_TIMING))
			return;
		enum verdict v = contestant_check_again(c, &worst, &detail);
		if (v != VERDICT_PASSED) {
			x->evaluation.verdict = v;
			x->evaluation.detail = arena_printf(&s->arena, "after timing: %.300s", detail.buf);
		}
	} else {
		x->evaluation.verdict = c->verdict;
		x->evaluation.detail = c->detail;
	}
	x->is_interrupted = c->was_killed;
	not_run(x);
	strbuf_release(&detail);
}

/* c[0..count-1] passed; c[count] is room for the incumbent. */
static int race(struct session *s, struct contestant *c, struct entrant **whose, size_t count, struct strbuf *err)
{
	struct race_entry *entry = ARENA_ARRAY(&s->arena, struct race_entry, count + 1);
	size_t *order = ARENA_ARRAY(&s->arena, size_t, count + 1), best = count;
	struct rng rng = { 17, 0 };
	int ret = 0;

	session_lock(s, false);
	bool has_incumbent = start_incumbent(s, &c[count]);
	session_unlock(s);
	size_t all = count + has_incumbent;
	session_lock(s, true);
	int64_t start = clock_ns(), wall = wall_ns();
	for (size_t i = 0; i < all; i++)
		entry[i] = (struct race_entry){ .sample_ns = ARENA_ARRAY(&s->arena, double, RACE_SAMPLES), .capacity = RACE_SAMPLES,
						.out = !contestant_settle(&c[i]) };
	/* A device's times scatter less than a shared machine's: one sample is enough to drop the slower half (make bench-search PARTS=race). */
	measure_race(entry, all, s->is_device ? 1 : 2, contestant_sampler, c, &rng, order);
	int64_t raced = clock_ns();
	s->is_suspect = false;
	/* A device's checks time, too. */
	if (!s->is_device)
		session_unlock(s);
	for (size_t i = 0; i < count; i++)
		check_again(s, &c[i], whose[i]);
	double each_s = (double)((s->is_device ? clock_ns() : raced) - start) * 1e-9 / (double)all;
	for (size_t i = 0; i < count; i++) {
		struct fact_sink sink = { &whose[i]->evaluation, &s->arena };
		whose[i]->evaluation.measure_s = each_s;
		/* Others may have had the device meanwhile. */
		if (s->is_device)
			add_fact("raced_after_s", (double)(wall - whose[i]->evaluation.start_ns) * 1e-9, &sink);
		add_clocks(s, &whose[i]->evaluation, &c[i].clocks);
		judge_time(s, &whose[i]->evaluation, &entry[i], c[i].calls);
	}
	if (s->is_device)
		session_unlock(s);
	for (size_t i = all; i-- > 0;)
		if (order[i] < count && whose[order[i]]->evaluation.verdict == VERDICT_PASSED)
			best = order[i];
	if (has_incumbent && best < count)
		ret = record_duel(s, &c[best], &entry[best], &c[count], &entry[count], err);
	if (has_incumbent)
		contestant_end(&c[count]);
	return ret;
}

static void model_times(struct entrant **whose, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct evaluation *e = &whose[i]->evaluation;
		e->time_ns = e->time_low_ns = e->time_high_ns = model_time_ns(e->candidate);
		e->fitness = 1e6 / e->time_ns;
	}
}

/* ---- all of it ------------------------------------------------------- */

static int evaluate(struct session *s, struct entrant *x, size_t n, struct strbuf *err)
{
	struct contestant *c = ARENA_ARRAY(&s->arena, struct contestant, n + 1);
	struct entrant **whose = ARENA_ARRAY(&s->arena, struct entrant *, n + 1);
	size_t left = 0;
	int ret = -1;

	/* Compiling disturbs nobody who times on a device. */
	if (!s->is_device)
		session_lock(s, false);
	if (!compile_entrants(s, x, n, err)) {
		ret = 0;
		if (s->is_device)
			session_lock(s, false);
		if (s->can_run)
			left = check_entrants(s, x, n, c, whose);
	}
	session_unlock(s);
	if (!ret && s->is_model)
		model_times(whose, left);
	else if (!ret && left)
		ret = race(s, c, whose, left, err);
	for (size_t i = 0; i < left; i++)
		contestant_end(&c[i]);
	return ret;
}

/* The journal's memory grows with the journal: later batches of this session skip and race these. */
static void remember(struct session *s, const struct entrant *x, size_t n)
{
	struct trace *past = &s->past;
	struct evaluation *e = ARENA_ARRAY(&s->arena, struct evaluation, past->evaluation_count + n);
	struct candidate *c = ARENA_ARRAY(&s->arena, struct candidate, past->candidate_count + n);

	if (past->evaluation_count)
		memcpy(e, past->evaluation, past->evaluation_count * sizeof(*e));
	if (past->candidate_count)
		memcpy(c, past->candidate, past->candidate_count * sizeof(*c));
	for (size_t i = 0; i < n; i++) {
		e[past->evaluation_count++] = x[i].evaluation;
		c[past->candidate_count++] = *x[i].candidate;
	}
	past->evaluation = e;
	past->candidate = c;
}

/* A source that was not printed here was written elsewhere, by a person or a model: it may do anything. */
static int refuse_unsafe(struct session *s, const struct candidate *candidate, size_t count, struct strbuf *err)
{
	if (s->options.allow_unsafe || !s->can_run || strcmp(s->target->artifact, "so") || sandbox_rank() >= SANDBOX_FLOOR)
		return 0;
	s->exit_code = KM_EXIT_UNSAFE;
	if (sandbox_rank() == SANDBOX_NONE) {
		strbuf_addstr(err, "refusing to run untrusted code: this machine gives no layer of the sandbox: see 'km-evaluate doctor', or pass --allow-unsafe");
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		if (!candidate_is_printed(&candidate[i])) {
			strbuf_addf(err, "candidate '%s' (%s) was not printed by Kernelmill, and this machine's sandbox lacks uid, seccomp, or landlock and mount-namespace: see 'km-evaluate doctor', or pass --allow-unsafe",
				    candidate[i].id, candidate[i].origin);
			return -1;
		}
	s->exit_code = KM_EXIT_FATAL;
	return 0;
}

/* ---- compiling ahead ------------------------------------------------- */

/* What comes next is compiled into the cache while a device measures what is at hand. */
struct ahead {
	pthread_t thread;
	bool is_running;
	struct arena arena;
	struct compile_options options;
	const struct candidate **list;
	size_t count;
};

static void *compile_ahead(void *user)
{
	struct ahead *a = user;
	struct compiled *ignored = ARENA_ARRAY(&a->arena, struct compiled, a->count);
	struct strbuf err = STRBUF_INIT;

	/* What fails here fails again, and is told, when its turn comes. */
	compile_all(&a->arena, a->list, a->count, &a->options, ignored, &err);
	strbuf_release(&err);
	return NULL;
}

static void ahead_start(struct ahead *a, const struct session *s, const struct entrant *x, size_t n)
{
	*a = (struct ahead){ .options = { .jobs = s->options.jobs, .batch = s->options.batch }, .count = n };
	if (!n || !s->is_device || s->options.pack)
		return;
	a->list = ARENA_ARRAY(&a->arena, const struct candidate *, n);
	for (size_t i = 0; i < n; i++)
		a->list[i] = x[i].candidate;
	a->is_running = !pthread_create(&a->thread, NULL, compile_ahead, a);
}

static void ahead_end(struct ahead *a)
{
	if (a->is_running)
		pthread_join(a->thread, NULL);
	arena_release(&a->arena);
}

/* ---- beginning, trying again, giving up ------------------------------ */

/* What recording these takes at most, with room for a winner and its duels. */
static int64_t room_for(const struct entrant *x, size_t n)
{
	enum { TRIAL_BYTES = 16384, FINISH_BYTES = 1 << 18 };
	int64_t bytes = FINISH_BYTES;

	for (size_t i = 0; i < n; i++) {
		const struct candidate *c = x[i].candidate;
		bytes += TRIAL_BYTES + 2 * (int64_t)(strlen(c->source) + strlen(c->prologue) + strlen(c->tile) + strlen(c->plan));
	}
	return bytes;
}

/* On record before any work: who finds a start without a result knows what was at work when the evaluator ended. */
static int begin(struct session *s, struct entrant *x, size_t n, struct strbuf *err)
{
	if (session_reserve(s, room_for(x, n), err))
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct start start = { .candidate = x[i].candidate->id, .problem = s->problem_text, .environment = s->environment.id,
					     .attempt = ++x[i].attempts };
		if (session_append(s, RECORD_START, &start, err))
			return -1;
	}
	return session_commit(s, err);
}

/* Evaluates a group together; those that something outside ended once more, alone. */
static int try_group(struct session *s, struct entrant *x, size_t n, struct strbuf *err)
{
	if (begin(s, x, n, err) || evaluate(s, x, n, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		while ((x[i].is_interrupted || x[i].evaluation.verdict == VERDICT_HARNESS_ERROR) && x[i].attempts < most_attempts(s)) {
			warn("candidate '%s': %s: tried again", x[i].candidate->id, x[i].evaluation.detail);
			if (begin(s, &x[i], 1, err) || evaluate(s, &x[i], 1, err))
				return -1;
		}
	return 0;
}

static void give_up(struct session *s, struct entrant *x)
{
	blank(s, x);
	x->evaluation.verdict = VERDICT_HARNESS_ERROR;
	x->evaluation.state = STATE_GENERATED;
	x->evaluation.detail = arena_printf(&s->arena, "gave up: begun %lld times, and each time something ended the evaluator", (long long)x->attempts);
	warn("candidate '%s': %s", x->candidate->id, x->evaluation.detail);
}

/* Not measured again, for the reason that the journal has: no news. */
static bool is_said(const struct session *s, const struct evaluation *e)
{
	for (size_t i = 0; i < s->past.evaluation_count && e->verdict == VERDICT_NOT_MEASURED; i++) {
		const struct evaluation *old = &s->past.evaluation[i];
		if (old->verdict == e->verdict && !strcmp(old->candidate, e->candidate) && !strcmp(old->environment, e->environment) && !strcmp(old->detail, e->detail))
			return true;
	}
	return false;
}

static int record(struct session *s, struct entrant *x, size_t n, double each_s, struct strbuf *err)
{
	size_t news = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_said(s, &x[i].evaluation))
			x[news++] = x[i];
	for (size_t i = 0; i < news; i++) {
		s->elapsed_s += each_s;
		x[i].evaluation.elapsed_s = s->elapsed_s;
		if ((!is_recorded(s, x[i].candidate->id) && session_append(s, RECORD_CANDIDATE, x[i].candidate, err)) ||
		    session_append(s, RECORD_EVALUATION, &x[i].evaluation, err))
			return -1;
	}
	remember(s, x, news);
	return session_commit(s, err);
}

/* How many of those left go together. */
static size_t group_size(const struct session *s, const struct entrant *x, size_t left)
{
	/* A device's context is shared by them; and while it measures some, others are compiled. */
	enum { OF_DEVICE = 32 };
	size_t most = s->is_device && left > OF_DEVICE ? OF_DEVICE : left, n = 1;

	/* Those that were at work when the evaluator ended: each alone, so that the guilty one shows. */
	while (!x[0].attempts && n < most && !x[n].attempts)
		n++;
	return n;
}

int session_run(struct session *s, const struct candidate *candidate, size_t count, struct strbuf *err)
{
	if (refuse_unsafe(s, candidate, count, err))
		return -1;
	size_t n, together;
	struct entrant *x = fresh_ones(s, candidate, count, &n, err);
	int ret = 0;

	if (!x)
		return -1;
	if (n)
		progress_start("evaluating", (int64_t)n);
	for (size_t i = 0; i < n && !ret; i += together) {
		int64_t start = clock_ns();
		struct ahead ahead;
		together = group_size(s, &x[i], n - i);
		ahead_start(&ahead, s, &x[i + together], i + together < n ? group_size(s, &x[i + together], n - i - together) : 0);
		if (x[i].attempts >= most_attempts(s))
			give_up(s, &x[i]);
		else
			ret = try_group(s, &x[i], together, err);
		ahead_end(&ahead);
		if (!ret)
			ret = record(s, &x[i], together, s->is_model ? 0.01 : (double)(clock_ns() - start) * 1e-9 / (double)together, err);
	}
	if (n)
		progress_end();
	return ret;
}
