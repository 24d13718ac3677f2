/* A kernel or a baseline in its worker: started, checked, sampled. */
#include "evaluate/evaluate.h"
#include "ops/core/defence.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"
#include "ops/core/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DUEL_NS = 5000000,    /* a duel's sample lasts at least this long */
	SAMPLE_NS = 1000000,   /* a timing sample lasts at least this long, unless one call is longer */
	MOST_CALLS = 1 << 17,
};

/* Where in op->dims the plan's dims lie. */
static int map_dims(struct contestant *c, struct strbuf *detail)
{
	for (size_t i = 0; i < c->plan.dim_count; i++) {
		c->plan_dim[i] = op_dim_index(c->session->problem.op, c->plan.dim[i]);
		if (c->plan_dim[i] < 0) {
			strbuf_addf(detail, "the plan names unknown dimension '%s'", c->plan.dim[i]);
			return -1;
		}
	}
	return 0;
}

/*
 * What one call of case i may take [s].  Check shapes take microseconds; the problem itself is given many times what
 * the baseline needs, or, where none was timed, what its terms take at a few cycles each: prefix maxima that are
 * searched anew for each element are slow, not wrong.
 */
static double limit_s(const struct session *s, size_t i)
{
	return i ? 5 : s->baseline_ns > 0 ? 5 + 200e-9 * s->baseline_ns : 30 + 20e-9 * problem_work(&s->problem);
}

/* Address space a kernel may have: the stage, its own scratch and temporaries, room for the runtime; 0: no limit. */
static int64_t address_bytes(const struct contestant *c)
{
	const struct session *s = c->session;
	const struct launcher *launcher = launcher_find(c->plan.artifact);

	/* A device's driver reserves addresses by the terabyte. */
	if (launcher && launcher->memory)
		return 0;
	int64_t bytes = s->stage.in_bytes + s->stage.out_bytes + (INT64_C(256) << 20), dim[OP_MAX_DIMS];

	bytes += s->problem.threads * (c->plan.scratch_bytes + (INT64_C(80) << 20));
	for (size_t i = 0; i < s->stage.count; i++) {
		int64_t own = 0;
		for (size_t d = 0; d < c->plan.dim_count; d++)
			dim[d] = s->stage.stage_case[i].problem.dim[c->plan_dim[d]];
		for (size_t b = 0; b < c->plan.buffer_count; b++) {
			int64_t elems = c->plan.buffer[b].role == PLAN_TMP ? plan_buffer_elems(&c->plan, b, dim) : 0;
			own += elems > 0 && elems < INT64_C(1) << 32 ? 2 * elems * (int64_t)dtype_bytes(c->plan.buffer[b].dtype) : 0;
		}
		if (i == 0 || own > 0)
			bytes += own;
	}
	return bytes;
}

static struct worker *worker_of(struct contestant *c)
{
	return c->is_shared ? &c->session->device : &c->own;
}

/* Is it loaded in the device's worker that lives now? */
static bool is_aboard(const struct contestant *c)
{
	return c->life && c->life == c->session->life && c->session->device.box.pid;
}

/* On a device: into its worker, again where another one's fault or our suspicion ended that. */
static enum verdict board(struct contestant *c, struct strbuf *detail)
{
	struct session *s = c->session;

	if (!c->is_shared || is_aboard(c))
		return VERDICT_PASSED;
	enum verdict v = device_open(s, detail);
	if (v != VERDICT_PASSED)
		return v;
	v = worker_load(worker_of(c), c->candidate->plan, c->artifact, 20, &c->slot, detail);
	if (v == VERDICT_PASSED)
		c->life = s->life;
	else if (!worker_of(c)->box.pid)
		device_end(s);
	return v;
}

/* Asks its worker; on a device one that did not do as it was asked ends, for who comes next needs a sound one. */
static enum verdict ask(struct contestant *c, enum worker_op op, size_t i, int calls, int first_set, double limit, int64_t *ns, struct strbuf *detail)
{
	const struct worker_task task = { .i = i, .calls = calls, .first_set = first_set, .plan_dim = c->plan_dim, .plan_dims = c->plan.dim_count, .limit_s = limit };
	struct worker_task here = task;
	enum verdict v = board(c, detail);

	if (v != VERDICT_PASSED)
		return v;
	here.slot = c->slot;
	c->made += calls;
	v = worker_ask(worker_of(c), op, &here, ns, detail);
	clocks_keep(&c->clocks, &worker_of(c)->last);
	if (v != VERDICT_PASSED) {
		c->was_killed = worker_of(c)->was_killed;
		if (c->is_shared)
			device_end(c->session);
	}
	return v;
}

/* On a device: did it leave the memory and the device as it should? */
static enum verdict settle(struct contestant *c, struct strbuf *detail)
{
	if (!c->is_shared)
		return VERDICT_PASSED;
	enum verdict v = board(c, detail);
	if (v == VERDICT_PASSED && (v = worker_settle(worker_of(c), c->slot, detail)) != VERDICT_PASSED) {
		c->was_killed = worker_of(c)->was_killed;
		device_end(c->session);
	}
	return v;
}

enum verdict contestant_start_sanitized(struct session *s, const struct candidate *c, const char *artifact, const char *runtime,
					struct contestant *out, struct strbuf *detail)
{
	*out = (struct contestant){ .session = s, .candidate = c, .artifact = artifact, .sanitizer = runtime, .calls = 1, .detail = "", .own = WORKER_INIT, .is_shared = s->is_device };
	/* A plan we cannot read is a fault of what wrote it. */
	if (plan_parse(&s->arena, c->plan, "plan", &out->plan, detail) || map_dims(out, detail))
		return VERDICT_REJECTED;
	if (out->is_shared) {
		enum verdict v = board(out, detail);
		out->is_running = v == VERDICT_PASSED;
		return v;
	}
	struct worker_start start = { .plan = c->plan, .artifact = artifact, .threads = s->problem.threads,
				      .cpu_s = 120 + (int)(4 * s->problem.threads * limit_s(s, 0)), .limit_s = 20,
				      .memory_bytes = address_bytes(out), .is_confined = !strcmp(s->target->artifact, "so"), .sanitizer = runtime };
	enum verdict v = worker_open(&out->own, &s->stage, &start, detail);
	out->was_killed = out->own.was_killed;
	out->is_running = v == VERDICT_PASSED;
	return v;
}

enum verdict contestant_start(struct session *s, const struct candidate *c, const char *artifact, struct contestant *out,
			      struct strbuf *detail)
{
	return contestant_start_sanitized(s, c, artifact, NULL, out, detail);
}

/* What the library chose when it was first timed here: duels are with that. */
static const char *known_setting(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->past.baseline_count; i++)
		if (!strcmp(s->past.baseline[i].name, name) && !strcmp(s->past.baseline[i].environment, s->environment.id))
			return s->past.baseline[i].setting;
	return NULL;
}

enum verdict contestant_start_baseline(struct session *s, const char *name, struct contestant *out, struct strbuf *detail)
{
	struct worker_start start = { .baseline = name, .setting = known_setting(s, name), .problem = s->problem_text, .target = s->target->name,
				      .threads = s->problem.threads, .limit_s = 300 };

	*out = (struct contestant){ .session = s, .baseline = name, .calls = 1, .detail = "", .own = WORKER_INIT };
	enum verdict v = worker_open(&out->own, &s->stage, &start, detail);
	out->is_running = v == VERDICT_PASSED;
	return v;
}

void contestant_end(struct contestant *c)
{
	struct strbuf ignored = STRBUF_INIT;

	if (c->is_running && !c->is_shared)
		worker_close(&c->own);
	else if (c->is_running && is_aboard(c) && worker_unload(worker_of(c), c->slot, &ignored) != VERDICT_PASSED)
		device_end(c->session);
	c->life = 0;
	c->is_running = false;
	strbuf_release(&ignored);
}

/* ---- checking -------------------------------------------------------- */

static void keep_worst(struct check_result *worst, const struct check_result *r)
{
	worst->max_abs_error = fmax(worst->max_abs_error, r->max_abs_error);
	worst->max_rel_error = fmax(worst->max_rel_error, r->max_rel_error);
	worst->max_ulp_error = fmax(worst->max_ulp_error, r->max_ulp_error);
	worst->tolerance_ratio = fmax(worst->tolerance_ratio, r->tolerance_ratio);
}

/* Poisons, runs and scans case i; `again`: only the suspects of the run before. */
static enum verdict run_scanned(struct contestant *c, size_t i, bool again, struct strbuf *detail)
{
	struct session *s = c->session;
	char where[160] = "";

	int64_t ns;

	stage_poison(&s->stage, i, 0);
	enum verdict v = ask(c, WORKER_RUN, i, 1, 0, limit_s(s, i), &ns, detail);
	if (v == VERDICT_PASSED)
		v = again ? stage_scan_again(&s->stage, i, 0, where) : stage_scan(&s->stage, i, 0, where);
	strbuf_addstr(detail, where);
	return v;
}

enum verdict contestant_check_case(struct contestant *c, size_t i, struct check_result *worst, struct strbuf *detail)
{
	struct session *s = c->session;
	const struct stage_case *k = &s->stage.stage_case[i];
	const void *out[OP_MAX_TENSORS];
	struct check_result result;

	enum verdict v = run_scanned(c, i, false, detail);
	if (v == VERDICT_INCORRECT_UNWRITTEN) {
		/* By right or by chance?  Another pattern tells. */
		strbuf_reset(detail);
		v = run_scanned(c, i, true, detail);
	}
	if (v == VERDICT_PASSED) {
		stage_outputs(&s->stage, i, 0, out);
		expected_compare(s->expected[i], out, &result);
		keep_worst(worst, &result);
		v = result.verdict;
		strbuf_addstr(detail, result.first_wrong);
	}
	if (v != VERDICT_PASSED) {
		struct strbuf name = STRBUF_INIT;
		problem_print(&k->problem, &name);
		strbuf_addf(detail, " (%s inputs, %s)", distribution_name(k->distribution), name.buf);
		strbuf_release(&name);
	}
	if (v != VERDICT_PASSED && !worker_of(c)->box.pid)
		contestant_end(c);
	return v;
}

static bool serves(const struct contestant *c, size_t i)
{
	int64_t dim[OP_MAX_DIMS];

	for (size_t d = 0; d < c->plan.dim_count; d++)
		dim[d] = c->session->stage.stage_case[i].problem.dim[c->plan_dim[d]];
	return plan_accepts(&c->plan, dim, NULL);
}

/*
 * Calls as they are timed, over sets that begin anywhere: each must hold what the run that was
 * compared gave, bit for bit, for their inputs are equal.  One run alone would not show a kernel
 * that knows the memory it is checked on, or works in every second call.
 */
static enum verdict check_timed(struct contestant *c, struct strbuf *detail)
{
	enum { MOST_SETS = 64, MOST_BYTES = 32 << 20 };
	struct session *s = c->session;
	const struct stage_case *k = &s->stage.stage_case[0];
	uint64_t right = stage_outputs_hash(&s->stage, 0, 0);
	struct rng rng = { (uint64_t)clock_ns(), 0 };
	int64_t affordable = MOST_BYTES / (k->out_set_bytes + 1) + 1, ns;
	int count = k->sets < MOST_SETS ? k->sets : MOST_SETS, first = (int)rng_below(&rng, k->sets);
	uint16_t pattern[MOST_SETS];
	char where[160] = "";

	count = affordable < count ? (int)affordable : count;
	for (int i = 0; i < count; i++) {
		stage_poison(&s->stage, 0, (first + i) % k->sets);
		pattern[i] = s->stage.poison;
	}
	enum verdict v = ask(c, WORKER_TIME, 0, count, first, count * limit_s(s, 0), &ns, detail);
	for (int i = 0; i < count && v == VERDICT_PASSED; i++) {
		int set = (first + i) % k->sets;
		if (stage_outputs_hash(&s->stage, 0, set) == right)
			continue;
		s->stage.poison = pattern[i];
		v = stage_scan(&s->stage, 0, set, where);
		strbuf_addstr(detail, v == VERDICT_PASSED ? "calls on equal inputs differ where they are timed" : where);
		v = v == VERDICT_PASSED ? VERDICT_NONDETERMINISTIC : v;
	}
	return v;
}

/* Integers may look like poison by right: of those that are met once the comparison must tell. */
static bool may_be_right(const struct stage *stage, size_t i)
{
	const struct problem *p = &stage->stage_case[i].problem;

	for (size_t k = 0; k < stage->suspect_count; k++)
		if (dtype_is_real(problem_tensor_dtype(p, stage->suspect[k].tensor)))
			return false;
	return true;
}

/*
 * One call on inputs that the kernel meets for the first time, over fresh poison: right, and about
 * as fast as the timed ones, whose inputs it had met.  What it kept of earlier calls helps it nothing.
 */
static enum verdict audit(struct contestant *c, struct check_result *worst, struct strbuf *detail)
{
	enum { TIMES = 3, SPARE_NS = 30000 }; /* alone, its code and its pages not yet at hand */
	struct session *s = c->session;
	const void *out[OP_MAX_TENSORS];
	struct check_result result;
	char where[160] = "";
	int64_t ns = 0;

	stage_poison(&s->stage, s->audit, 0);
	enum verdict v = ask(c, WORKER_AUDIT, s->audit, 1, 0, limit_s(s, 0), &ns, detail);
	if (v == VERDICT_PASSED)
		v = stage_scan(&s->stage, s->audit, 0, where);
	if (v == VERDICT_INCORRECT_UNWRITTEN && may_be_right(&s->stage, s->audit))
		v = VERDICT_PASSED;
	if (v != VERDICT_PASSED) {
		strbuf_addstr(detail, where);
		return v;
	}
	stage_outputs(&s->stage, s->audit, 0, out);
	expected_compare(s->expected[s->audit], out, &result);
	keep_worst(worst, &result);
	strbuf_addstr(detail, result.first_wrong);
	if (result.verdict == VERDICT_PASSED && c->last_ns > 0 && (double)ns > TIMES * c->last_ns + SPARE_NS) {
		strbuf_addf(detail, "a call on inputs it never met took %lld ns, calls on those it had met %.0f ns", (long long)ns, c->last_ns);
		return VERDICT_TIMING_FORGED;
	}
	return result.verdict;
}

/* After a race in one worker: who of them left its memory changed shows where each is timed alone. */
static enum verdict check_alone(struct contestant *c, struct strbuf *detail)
{
	struct session *s = c->session;
	int64_t ns;

	if (s->is_suspect)
		device_end(s);
	enum verdict v = settle(c, detail);
	if (v != VERDICT_PASSED && v != VERDICT_NOT_MEASURED && !s->is_suspect) {
		s->is_suspect = true;
		strbuf_reset(detail);
		v = VERDICT_PASSED;
	}
	/* As often as it was called: it may have begun late. */
	for (int64_t left = c->made; v == VERDICT_PASSED && s->is_suspect && left > 0; left -= c->calls)
		v = ask(c, WORKER_TIME, 0, c->calls, 0, 120, &ns, detail);
	return v == VERDICT_PASSED && s->is_suspect ? settle(c, detail) : v;
}

enum verdict contestant_check_again(struct contestant *c, struct check_result *worst, struct strbuf *detail)
{
	struct session *s = c->session;
	enum verdict v = s->is_device ? check_alone(c, detail) : VERDICT_PASSED;

	if (v == VERDICT_PASSED)
		v = contestant_check_case(c, 0, worst, detail);
	if (v != VERDICT_PASSED)
		return v;
	/* A device's outputs come back from checked runs alone. */
	if (!s->is_device)
		return check_timed(c, detail);
	return s->audit && defence_stands(DEFENCE_AUDIT) ? audit(c, worst, detail) : v;
}

enum verdict contestant_check_shapes(struct contestant *c, struct check_result *worst, int *served, struct strbuf *detail)
{
	const struct session *s = c->session;
	enum verdict v = VERDICT_PASSED;

	*served = 0;
	for (size_t i = 1; i < s->stage.count && v == VERDICT_PASSED; i++)
		if (i != s->audit && serves(c, i)) {
			++*served;
			v = defence_stands(DEFENCE_CHECK_SHAPES) ? contestant_check_case(c, i, worst, detail) : v;
		}
	return v;
}

static enum verdict check_cases(struct contestant *c, struct check_result *worst, struct strbuf *detail)
{
	struct session *s = c->session;
	int served = 0;
	enum verdict v = contestant_check_shapes(c, worst, &served, detail);

	if (v == VERDICT_PASSED && (!served || !serves(c, 0))) {
		strbuf_addstr(detail, served ? "its preconditions exclude the problem" : "its preconditions exclude every check shape");
		v = VERDICT_REJECTED;
	}
	if (v == VERDICT_PASSED)
		v = contestant_check_case(c, 0, worst, detail);
	if (v != VERDICT_PASSED || !defence_stands(DEFENCE_REPEAT))
		return v;
	/* Once more, over other poison: equal inputs give equal bits. */
	uint64_t first = stage_outputs_hash(&s->stage, 0, 0);
	v = run_scanned(c, 0, false, detail);
	if (v == VERDICT_INCORRECT_UNWRITTEN) {
		/* It was written the first time: data that happens to look like this poison. */
		strbuf_reset(detail);
		v = VERDICT_PASSED;
	}
	if (v == VERDICT_PASSED && stage_outputs_hash(&s->stage, 0, 0) != first) {
		strbuf_addstr(detail, "two runs on equal inputs differ");
		v = VERDICT_NONDETERMINISTIC;
	}
	return v;
}

enum verdict contestant_check(struct contestant *c, struct check_result *worst, struct strbuf *detail)
{
	struct strbuf why = STRBUF_INIT;

	*worst = (struct check_result){ .verdict = VERDICT_PASSED };
	enum verdict v = check_cases(c, worst, detail);
	/* Also after a wrong one: the next is to come into the same worker. */
	if (c->is_running && is_aboard(c)) {
		enum verdict left = settle(c, &why);
		if (v == VERDICT_PASSED) {
			v = left;
			strbuf_addstr(detail, why.buf);
		}
	}
	strbuf_release(&why);
	return v;
}

/* ---- timing ---------------------------------------------------------- */

double contestant_sample(struct contestant *c)
{
	struct session *s = c->session;
	struct strbuf detail = STRBUF_INIT;
	int64_t ns = 0;

	if (!c->is_running)
		return NAN;
	enum verdict v = ask(c, WORKER_TIME, 0, c->calls, c->next_set, 120 + limit_s(s, 0), &ns, &detail);
	c->next_set = (c->next_set + c->calls) % s->stage.stage_case[0].sets;
	if (v != VERDICT_PASSED) {
		c->verdict = v;
		c->detail = arena_strdup(&s->arena, detail.buf);
		contestant_end(c);
	}
	strbuf_release(&detail);
	c->last_ns = v == VERDICT_PASSED ? (double)ns / c->calls : NAN;
	return c->last_ns;
}

double contestant_sampler(size_t i, void *contestants)
{
	return contestant_sample((struct contestant *)contestants + i);
}

static void stay(struct contestant *c)
{
	if (c->session->problem.threads == 1 && !c->is_shared)
		worker_stay(worker_of(c), c->session->turn);
}

static bool renew(struct contestant *c)
{
	struct session *s = c->session;
	struct contestant fresh;
	struct strbuf detail = STRBUF_INIT;

	contestant_end(c);
	enum verdict v = c->baseline ? contestant_start_baseline(s, c->baseline, &fresh, &detail)
				     : contestant_start(s, c->candidate, c->artifact, &fresh, &detail);
	if (v != VERDICT_PASSED) {
		c->verdict = v;
		c->detail = arena_strdup(&s->arena, detail.buf);
	} else {
		stay(&fresh);
		fresh.calls = c->calls;
		fresh.next_set = c->next_set;
		fresh.first_ns = c->first_ns;
		*c = fresh;
	}
	strbuf_release(&detail);
	/* Its pages and its code come in once. */
	return v == VERDICT_PASSED && !isnan(contestant_sample(c));
}

bool contestants_renew(void *contestants)
{
	struct contestant *c = contestants;

	c->session->turn++;
	return renew(&c[0]) && renew(&c[1]);
}

bool contestant_settle(struct contestant *c)
{
	stay(c);
	/* The first call pays for its pages and its code. */
	c->calls = 1;
	double ns = contestant_sample(c);
	if (ns < SAMPLE_NS)
		ns = contestant_sample(c);
	while (ns * c->calls < SAMPLE_NS && c->calls < MOST_CALLS) {
		c->calls *= 2;
		if (ns * c->calls >= SAMPLE_NS / 4)
			ns = contestant_sample(c);
	}
	c->first_ns = ns;
	return !isnan(ns);
}

/* A time that is a pure function of the candidate: campaigns become deterministic. */
double model_time_ns(const char *id)
{
	uint64_t h = strtoull(id, NULL, 16);
	return 1e5 * (1 + (double)(h >> 11) * 0x1p-53 * 9);
}

void contestants_apart(struct contestant *a, struct contestant *b)
{
	/* Longer samples than a race's: a burst of somebody else's work must not fill one. */
	while (a->first_ns * a->calls < DUEL_NS && a->calls < MOST_CALLS)
		a->calls *= 2;
	while (b->first_ns * b->calls < DUEL_NS && b->calls < MOST_CALLS)
		b->calls *= 2;
	a->next_set = 0;
	b->next_set = a->session->stage.stage_case[0].sets / 2;
}
