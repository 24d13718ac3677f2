#include "evaluate/evaluate.h"
#include "evaluate/baseline.h"
#include "evaluate/measure.h"
#include "evaluate/worker.h"
#include "generate/lang.h"
#include "ops/core/diag.h"
#include "ops/core/hash.h"
#include "ops/core/proc.h"
#include "ops/core/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { SAMPLE_LIMIT = 4000000 /* ns a timing sample should last at least, unless one call is longer */, RACE_SAMPLES = 32 };

/* ---- the device lock ------------------------------------------------- */

void session_lock(struct session *s, bool exclusive)
{
	while (s->lock_fd >= 0 && flock(s->lock_fd, exclusive ? LOCK_EX : LOCK_SH) && errno == EINTR)
		;
}

void session_unlock(struct session *s)
{
	if (s->lock_fd >= 0)
		flock(s->lock_fd, LOCK_UN);
}

int session_append(struct session *s, enum record_kind kind, const void *payload, struct strbuf *err)
{
	struct record r = { .kind = kind };
	const size_t size[] = { [RECORD_ENVIRONMENT] = sizeof(r.environment), [RECORD_CANDIDATE] = sizeof(r.candidate),
				[RECORD_EVALUATION] = sizeof(r.evaluation), [RECORD_BASELINE] = sizeof(r.baseline), [RECORD_DUEL] = sizeof(r.duel),
				[RECORD_WINNER] = sizeof(r.winner), [RECORD_STOP] = sizeof(r.stop) };

	memcpy(&r.environment, payload, size[kind]);
	return journal_append(s->journal, &r, err);
}

/* A time that is a pure function of the candidate: campaigns become deterministic. */
double model_time_ns(const char *id)
{
	uint64_t h = strtoull(id, NULL, 16);
	return 1e5 * (1 + (double)(h >> 11) * 0x1p-53 * 9);
}

/* ---- contestants ----------------------------------------------------- */

int contestant_prepare(struct session *s, const struct candidate *c, struct contestant *out, struct strbuf *detail)
{
	struct strbuf err = STRBUF_INIT;
	int ret = -1;

	*out = (struct contestant){ .candidate = c, .session = s, .calls = 1 };
	if (plan_parse(&s->arena, c->plan, c->id, &out->plan, detail))
		goto out;
	for (size_t i = 0; i < out->plan.dim_count; i++) {
		out->plan_dim[i] = op_dim_index(s->problem.op, out->plan.dim[i]);
		if (out->plan_dim[i] < 0) {
			strbuf_addf(detail, "the plan names unknown dimension '%s'", out->plan.dim[i]);
			goto out;
		}
	}
	snprintf(out->plan_path, sizeof(out->plan_path), "/tmp/km-plan.%ld.%s", (long)getpid(), c->id);
	ret = file_publish(out->plan_path, c->plan, strlen(c->plan), detail);
out:
	strbuf_release(&err);
	return ret;
}

enum verdict contestant_start(struct contestant *c, const char *artifact, struct strbuf *detail)
{
	struct session *s = c->session;
	struct worker_start start = { .plan_path = c->plan_path, .artifact = artifact, .threads = s->problem.threads, .cpu_s = 120 };

	/* Address space: the stage, scratch and temporaries, and room for the runtime. */
	start.memory_bytes = s->stage.in_bytes + s->stage.out_bytes + (INT64_C(4) << 30);
	c->worker = ARENA_ARRAY(&s->arena, struct worker, 1);
	enum verdict v = worker_open(c->worker, &s->stage, &start, detail);
	if (v != VERDICT_PASSED)
		c->worker = NULL;
	return v;
}

void contestant_end(struct contestant *c)
{
	if (c->worker)
		worker_close(c->worker);
	c->worker = NULL;
	if (c->plan_path[0])
		unlink(c->plan_path);
}

static void plan_dims(const struct contestant *c, const struct problem *p, int64_t *dim)
{
	for (size_t d = 0; d < c->plan.dim_count; d++)
		dim[d] = p->dim[c->plan_dim[d]];
}

static void keep_worst(struct evaluation *e, const struct check_result *r)
{
	e->max_abs_error = fmax(e->max_abs_error, r->max_abs_error);
	e->max_rel_error = fmax(e->max_rel_error, r->max_rel_error);
	e->max_ulp_error = fmax(e->max_ulp_error, r->max_ulp_error);
	e->tolerance_ratio = fmax(e->tolerance_ratio, r->tolerance_ratio);
}

/* Runs check case k; the inputs of its stage case are drawn when `fresh`. */
static enum verdict check_one(struct contestant *c, const struct check_case *k, struct evaluation *e, struct strbuf *detail)
{
	struct session *s = c->session;
	const void *out[OP_MAX_TENSORS];
	struct check_result result;
	char where[160] = "";

	stage_poison(&s->stage, k->stage_case, 0);
	enum verdict v = worker_run(c->worker, k->stage_case, 0, c->plan_dim, c->plan.dim_count, 30, detail);
	if (v == VERDICT_PASSED) {
		v = stage_scan(&s->stage, k->stage_case, 0, where);
		strbuf_addstr(detail, where);
	}
	if (v == VERDICT_PASSED) {
		stage_outputs(&s->stage, k->stage_case, 0, out);
		expected_compare(k->expected, out, &result);
		keep_worst(e, &result);
		v = result.verdict;
		strbuf_addstr(detail, result.first_wrong);
	}
	if (v != VERDICT_PASSED) {
		struct strbuf name = STRBUF_INIT;
		problem_print(&s->stage.stage_case[k->stage_case].problem, &name);
		strbuf_addf(detail, " (%s inputs, %s)", distribution_name(k->distribution), name.buf);
		strbuf_release(&name);
	}
	return v;
}

/* Hash of a set's outputs, to compare two runs bit by bit. */
static void outputs_hash(struct session *s, size_t i, int set, uint8_t digest[32])
{
	const struct stage_case *c = &s->stage.stage_case[i];
	struct sha256 h;
	const void *out[OP_MAX_TENSORS];
	int n = 0;

	sha256_init(&h);
	stage_outputs(&s->stage, i, set, out);
	for (int t = 0; t < OP_MAX_TENSORS && c->problem.op->tensor[t].name; t++)
		if (c->problem.op->tensor[t].role == OP_OUT) {
			/* A megabyte of each is plenty to see a race between threads. */
			int64_t bytes = problem_bytes(&c->problem, t);
			sha256_add(&h, out[n++], (size_t)(bytes < 1 << 16 ? bytes : 1 << 16));
		}
	sha256_end(&h, digest);
}

enum verdict contestant_check(struct contestant *c, struct evaluation *e, struct strbuf *detail)
{
	struct session *s = c->session;
	enum verdict v = VERDICT_PASSED;
	int64_t dim[OP_MAX_DIMS];
	uint8_t first[32], second[32];
	int served = 0;

	for (size_t k = 0; k < s->check_count && v == VERDICT_PASSED; k++) {
		const struct check_case *check = &s->check[k];
		plan_dims(c, &s->stage.stage_case[check->stage_case].problem, dim);
		if (!plan_accepts(&c->plan, dim, NULL))
			continue;
		served++;
		stage_fill(&s->stage, check->stage_case, check->distribution, check->seed);
		v = check_one(c, check, e, detail);
	}
	if (v == VERDICT_PASSED && !served) {
		strbuf_addstr(detail, "its preconditions exclude every check shape");
		v = VERDICT_REJECTED;
	}
	if (v != VERDICT_PASSED)
		return v;
	outputs_hash(s, 0, 0, first);
	stage_poison(&s->stage, 0, 0);
	v = worker_run(c->worker, 0, 0, c->plan_dim, c->plan.dim_count, 30, detail);
	if (v == VERDICT_PASSED) {
		outputs_hash(s, 0, 0, second);
		if (memcmp(first, second, sizeof(first))) {
			strbuf_addstr(detail, "two runs on equal inputs differ");
			v = VERDICT_NONDETERMINISTIC;
		}
	}
	return v;
}

double contestant_sample(struct contestant *c)
{
	struct session *s = c->session;
	struct strbuf detail = STRBUF_INIT;
	int64_t ns = 0;

	if (!c->worker)
		return NAN;
	enum verdict v = worker_time(c->worker, 0, c->calls, c->next_set, c->plan_dim, c->plan.dim_count, 60, &ns, &detail);
	c->next_set = (c->next_set + c->calls) % s->stage.stage_case[0].sets;
	if (v != VERDICT_PASSED && c->evaluation) {
		c->evaluation->verdict = v;
		c->evaluation->detail = arena_strdup(&s->arena, detail.buf);
		worker_close(c->worker);
		c->worker = NULL;
	}
	strbuf_release(&detail);
	return v == VERDICT_PASSED ? (double)ns / c->calls : NAN;
}

/* ---- session --------------------------------------------------------- */

static bool same_compile_time(const struct problem *a, const struct problem *b)
{
	const struct op *op = a->op;

	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		if (a->attr[i] != b->attr[i])
			return false;
	for (int d = 0; d < op_dim_count(op); d++) {
		const char *name = op_dim_name(op, d), *at = op->static_dims ? strstr(op->static_dims, name) : NULL;
		if (at && a->dim[d] != b->dim[d])
			return false;
	}
	return true;
}

struct shapes {
	const struct session *session;
	struct problem *problem;
	size_t count;
};

static int add_shape(const struct problem *p, enum op_use use, void *user)
{
	struct shapes *shapes = user;

	(void)use;
	if (p->dtype == shapes->session->problem.dtype && same_compile_time(p, &shapes->session->problem) && shapes->count < 40)
		shapes->problem[shapes->count++] = *p;
	return 0;
}

/* Sets to rotate through: twice the last-level cache, between 2 and 16, within 256 MiB. */
static int rotation_sets(const struct problem *p)
{
	int64_t bytes = 0, l3 = probe_l3_bytes();

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		bytes += problem_bytes(p, t) + 8192;
	int64_t wanted = 2 * (l3 > 0 ? l3 : INT64_C(32) << 20), most = INT64_C(256) << 20;
	wanted = wanted < most ? wanted : most;
	int64_t sets = (wanted + bytes - 1) / (bytes > 0 ? bytes : 1);
	return sets < 2 ? 2 : sets > 16 ? 16 : (int)sets;
}

/* Stage memory and expected values: the check shapes whole, the problem itself sampled. */
static int stage_session(struct session *s, struct strbuf *err)
{
	static const enum distribution drawn[] = { INPUTS_normal, INPUTS_wide, INPUTS_positive };
	struct shapes shapes = { s, ARENA_ARRAY(&s->arena, struct problem, 41), 0 };
	int sets[41];
	bool is_map = problem_terms(&s->problem) == 1;

	shapes.problem[shapes.count++] = s->problem;
	if (problem_each(s->problem.op, OP_CHECK, s->problem.threads, add_shape, &shapes, err))
		return -1;
	for (size_t i = 0; i < shapes.count; i++)
		sets[i] = i ? 1 : rotation_sets(&s->problem);
	if (stage_open(&s->stage, shapes.problem, sets, shapes.count, err))
		return -1;
	s->check = ARENA_ARRAY(&s->arena, struct check_case, shapes.count * 4 + 1);
	uint64_t secret = (uint64_t)wall_ns() ^ (uint64_t)getpid() << 32;
	for (size_t i = 1; i < shapes.count; i++)
		for (size_t d = 0; d < ARRAY_SIZE(drawn) + is_map; d++) {
			struct check_case *k = &s->check[s->check_count++];
			*k = (struct check_case){ i, d < ARRAY_SIZE(drawn) ? drawn[d] : INPUTS_special, 100 + d, NULL };
			k->expected = expected_open(&shapes.problem[i], k->distribution, k->seed, 0, 0, err);
			if (!k->expected)
				return -1;
		}
	/* Last, so that its inputs are what timing finds in the memory. */
	struct check_case *k = &s->check[s->check_count++];
	*k = (struct check_case){ 0, INPUTS_uniform, 7, NULL };
	k->expected = expected_open(&s->problem, k->distribution, k->seed, 512, secret, err);
	if (!k->expected)
		return -1;
	return 0;
}

static void strongest(struct session *s, const struct baseline_record *b)
{
	if (b->time_ns > 0 && (!s->baseline_ns || b->time_ns < s->baseline_ns)) {
		s->baseline_ns = b->time_ns;
		s->baseline_name = b->name;
	}
}

static int time_baseline(struct session *s, const struct baseline *baseline, struct strbuf *err)
{
	struct worker w;
	struct strbuf detail = STRBUF_INIT;
	struct worker_start start = { .baseline = baseline->name, .problem = s->problem_text, .target = s->target->name, .threads = s->problem.threads };
	double samples[16], sorted[16];
	int64_t ns = 0;
	int calls = 1, n = 0, ret = 0;

	if (worker_open(&w, &s->stage, &start, &detail) != VERDICT_PASSED)
		goto out; /* not installed, or not its operator: normal */
	struct baseline_record r = { .problem = s->problem_text, .environment = s->environment.id, .name = baseline->name,
				     .setting = arena_strdup(&s->arena, worker_setting(&w)) };
	session_lock(s, true);
	for (int i = 0; i < 9; i++) {
		if (worker_time(&w, 0, calls, 0, NULL, 0, 120, &ns, &detail) != VERDICT_PASSED)
			break;
		if (!i) {
			while ((double)ns * calls < SAMPLE_LIMIT && calls < 1000)
				calls *= 2;
			continue;
		}
		samples[n++] = (double)ns / calls;
		if ((double)ns > 5e8 && n >= 3)
			break;
	}
	session_unlock(s);
	worker_close(&w);
	if (!n)
		goto out;
	memcpy(sorted, samples, sizeof(sorted));
	r.time_ns = median(sorted, (size_t)n);
	r.sample_ns = ARENA_ARRAY(&s->arena, double, n);
	memcpy(r.sample_ns, samples, (size_t)n * sizeof(double));
	r.sample_count = (size_t)n;
	r.calls_per_sample = calls;
	strongest(s, &r);
	ret = session_append(s, RECORD_BASELINE, &r, err);
out:
	strbuf_release(&detail);
	return ret;
}

static const char *lock_path(const struct session_options *o)
{
	static char path[128];
	const char *given = o->lock_path ? o->lock_path : getenv("KM_LOCK");

	if (given && *given)
		return given;
	snprintf(path, sizeof(path), "/tmp/kernelmill-%ld-cpu.lock", (long)getuid());
	return path;
}

int session_open(struct session *s, const char *problem, const char *target, const char *journal_path,
		 const struct session_options *options, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = -1;

	*s = (struct session){ .options = *options, .lock_fd = -1, .stage = { .in_fd = -1, .out_fd = -1 } };
	s->target = target_find(target, err);
	if (!s->target || problem_parse(problem, &s->problem, err))
		goto out;
	problem_print(&s->problem, &text);
	s->problem_text = arena_strdup(&s->arena, text.buf);
	s->can_run = probe_is_here(s->target);
	if (access(journal_path, F_OK) == 0 && trace_from_journals(&s->arena, &journal_path, 1, &s->past, err))
		goto out;
	if (probe_environment(&s->arena, s->target, options->clock, &s->environment, err))
		goto out;
	s->journal = journal_open(journal_path, err);
	if (!s->journal)
		goto out;
	s->lock_fd = open(lock_path(options), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	bool known = false;
	for (size_t i = 0; i < s->past.environment_count; i++)
		known |= !strcmp(s->past.environment[i].id, s->environment.id);
	if (!known && session_append(s, RECORD_ENVIRONMENT, &s->environment, err))
		goto out;
	for (size_t i = 0; i < s->past.evaluation_count; i++)
		s->elapsed_s = fmax(s->elapsed_s, s->past.evaluation[i].elapsed_s);
	if (s->can_run) {
		if (stage_session(s, err))
			goto out;
		bool timed = false;
		for (size_t i = 0; i < s->past.baseline_count; i++)
			if (!strcmp(s->past.baseline[i].environment, s->environment.id)) {
				timed = true;
				strongest(s, &s->past.baseline[i]);
			}
		stage_fill(&s->stage, 0, INPUTS_uniform, 7);
		for (size_t i = 0; !timed && strcmp(options->clock, "model") && baseline_table[i]; i++)
			if (time_baseline(s, baseline_table[i], err))
				goto out;
	}
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}

int session_close(struct session *s, struct strbuf *err)
{
	int ret = s->journal ? journal_close(s->journal, err) : 0;

	for (size_t i = 0; i < s->check_count; i++)
		expected_close(s->check[i].expected);
	if (s->stage.in_fd >= 0)
		stage_close(&s->stage);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	arena_release(&s->arena);
	return ret;
}

/* ---- a batch --------------------------------------------------------- */

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

static bool is_evaluated(const struct session *s, const char *id)
{
	for (size_t i = 0; i < s->past.evaluation_count; i++)
		if (!strcmp(s->past.evaluation[i].candidate, id) && s->past.evaluation[i].verdict != VERDICT_HARNESS_ERROR)
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

static void inspect(struct session *s, const struct candidate *c, const struct compiled *compiled, struct evaluation *e)
{
	const struct lang *lang = lang_find(c->lang);
	struct fact_sink sink = { e, &s->arena };
	struct strbuf err = STRBUF_INIT, symbol = STRBUF_INIT;

	strbuf_addf(&symbol, "km_%s", c->id);
	if (lang && lang->inspect && lang->inspect(compiled->artifact, symbol.buf, add_fact, &sink, &err)) {
		e->verdict = VERDICT_REJECTED;
		e->detail = arena_strdup(&s->arena, err.buf);
	}
	strbuf_release(&err);
	strbuf_release(&symbol);
}

/* Time the memory or the arithmetic units need at least [ns]; 0: unknown. */
static double light_ns(const struct session *s)
{
	const struct environment *e = &s->environment;
	double bytes = (double)problem_least_bytes(&s->problem), flop = problem_flop(&s->problem);
	double peak = s->problem.dtype == DTYPE_bf16 && e->matrix_flop_per_s > 0 ? e->matrix_flop_per_s : e->peak_flop_per_s;
	double by_bytes = e->peak_bytes_per_s > 0 ? bytes / e->peak_bytes_per_s : 0, by_flop = peak > 0 ? flop / peak : 0;

	return 1e9 * fmax(by_bytes, by_flop) / s->problem.threads;
}

/* Fills times, ratios and the verdict of what the race left in `entry`. */
static void judge_time(struct session *s, struct evaluation *e, const struct race_entry *entry, int calls)
{
	double sorted[RACE_SAMPLES], floor_ns = 0;

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
	/*
	 * Impossible: compulsory bytes faster than the datasheet, or, where none is
	 * known, than eight times what one core was measured to stream.
	 */
	double fastest = s->environment.datasheet_bytes_per_s > 0 ? s->environment.datasheet_bytes_per_s : 8 * s->environment.peak_bytes_per_s;
	if (fastest > 0)
		floor_ns = 1e9 * (double)problem_least_bytes(&s->problem) / fastest;
	if (e->time_ns < floor_ns) {
		e->verdict = VERDICT_BELOW_PHYSICS_FLOOR;
		e->detail = arena_printf(&s->arena, "%.0f ns, but the memory needs %.0f ns", e->time_ns, floor_ns);
		e->fitness = 0;
		return;
	}
	e->fitness = s->baseline_ns > 0 ? s->baseline_ns / e->time_ns : 1e6 / e->time_ns;
}

struct racers {
	struct contestant *contestant;
};

static double take_sample(size_t i, void *user)
{
	struct racers *f = user;
	return contestant_sample(&f->contestant[i]);
}

/* Calls per sample, so that one lasts long enough for the clock; warms up too. */
static void calibrate(struct contestant *c)
{
	double ns = contestant_sample(c);

	if (isnan(ns))
		return;
	while (ns * c->calls < SAMPLE_LIMIT / 4 && c->calls < 100000)
		c->calls *= 2;
}

static void race(struct session *s, struct contestant *c, size_t count)
{
	struct race_entry *entry = ARENA_ARRAY(&s->arena, struct race_entry, count);
	size_t *order = ARENA_ARRAY(&s->arena, size_t, count);
	struct racers field = { c };
	struct rng rng = { 17, 0 };

	for (size_t i = 0; i < count; i++)
		entry[i] = (struct race_entry){ .sample_ns = ARENA_ARRAY(&s->arena, double, RACE_SAMPLES), .capacity = RACE_SAMPLES };
	stage_fill(&s->stage, 0, INPUTS_uniform, 7);
	session_lock(s, true);
	int64_t start = clock_ns();
	for (size_t i = 0; i < count; i++)
		calibrate(&c[i]);
	measure_race(entry, count, 2, take_sample, &field, &rng, order);
	double each = (double)(clock_ns() - start) * 1e-9 / (double)(count ? count : 1);
	session_unlock(s);
	for (size_t i = 0; i < count; i++) {
		c[i].evaluation->measure_s = each;
		judge_time(s, c[i].evaluation, &entry[i], c[i].calls);
	}
}

static void check_all(struct session *s, const struct compiled *compiled, struct evaluation *e, struct contestant *c, size_t count, size_t *left)
{
	*left = 0;
	for (size_t i = 0; i < count; i++) {
		struct strbuf detail = STRBUF_INIT;
		struct contestant *k = &c[*left];
		int64_t start = clock_ns();
		progress_update((int64_t)i, "checking");
		if (e[i].verdict != VERDICT_PASSED)
			goto next;
		const struct candidate *candidate = k->candidate = c[i].candidate;
		e[i].verdict = contestant_prepare(s, candidate, k, &detail) ? VERDICT_HARNESS_ERROR : contestant_start(k, compiled[i].artifact, &detail);
		if (e[i].verdict == VERDICT_PASSED)
			e[i].verdict = contestant_check(k, &e[i], &detail);
		e[i].check_s = (double)(clock_ns() - start) * 1e-9;
		if (e[i].verdict == VERDICT_PASSED) {
			k->evaluation = &e[i];
			++*left;
		} else {
			e[i].detail = arena_strndup(&s->arena, detail.buf, strcspn(detail.buf, "\n") < 400 ? strcspn(detail.buf, "\n") : 400);
			contestant_end(k);
		}
next:
		strbuf_release(&detail);
	}
}

int session_run(struct session *s, const struct candidate *candidate, size_t count, struct strbuf *err)
{
	const struct candidate **fresh = ARENA_ARRAY(&s->arena, const struct candidate *, count);
	struct compile_options options = { .jobs = s->options.jobs, .batch = s->options.batch };
	size_t n = 0, left = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(candidate[i].problem, s->problem_text)) {
			strbuf_addf(err, "candidate '%s' is of problem '%s', not '%s'", candidate[i].id, candidate[i].problem, s->problem_text);
			return -1;
		}
		if (!is_evaluated(s, candidate[i].id))
			fresh[n++] = &candidate[i];
	}
	if (!n)
		return 0;
	struct compiled *compiled = ARENA_ARRAY(&s->arena, struct compiled, n);
	struct evaluation *e = ARENA_ARRAY(&s->arena, struct evaluation, n);
	struct contestant *c = ARENA_ARRAY(&s->arena, struct contestant, n + 1);
	int64_t start = clock_ns();
	progress_start("evaluating", (int64_t)n);
	session_lock(s, false);
	if (compile_all(&s->arena, fresh, n, &options, compiled, err)) {
		session_unlock(s);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		struct strbuf reproduce = STRBUF_INIT;
		candidate_reproduce(fresh[i], &reproduce);
		e[i] = (struct evaluation){ .candidate = fresh[i]->id, .problem = s->problem_text, .environment = s->environment.id,
					    .verdict = VERDICT_PASSED, .detail = "", .state = s->can_run ? STATE_MEASURED : STATE_COMPILED,
					    .compile_s = compiled[i].compile_s, .time_ns = NAN, .time_low_ns = NAN, .time_high_ns = NAN, .start_ns = wall_ns(),
					    .reproduce = arena_strdup(&s->arena, reproduce.buf) };
		strbuf_release(&reproduce);
		c[i].candidate = fresh[i];
		if (!compiled[i].ok) {
			e[i].verdict = VERDICT_COMPILE_ERROR;
			e[i].detail = arena_strndup(&s->arena, compiled[i].log, strlen(compiled[i].log) < 600 ? strlen(compiled[i].log) : 600);
			e[i].state = STATE_GENERATED;
		} else {
			inspect(s, fresh[i], &compiled[i], &e[i]);
			if (!s->can_run && e[i].verdict == VERDICT_PASSED)
				e[i].verdict = VERDICT_NOT_MEASURED;
		}
	}
	if (s->can_run)
		check_all(s, compiled, e, c, n, &left);
	session_unlock(s);
	if (s->can_run && !strcmp(s->options.clock, "model")) {
		for (size_t i = 0; i < left; i++) {
			struct evaluation *x = c[i].evaluation;
			x->time_ns = x->time_low_ns = x->time_high_ns = model_time_ns(x->candidate);
			x->fitness = 1e6 / x->time_ns;
			x->compile_s = x->check_s = 0;
			x->start_ns = 0;
		}
	} else if (left) {
		race(s, c, left);
	}
	for (size_t i = 0; i < left; i++)
		contestant_end(&c[i]);
	double spent = !strcmp(s->options.clock, "model") ? 0.01 * (double)n : (double)(clock_ns() - start) * 1e-9;
	progress_end();
	for (size_t i = 0; i < n; i++) {
		s->elapsed_s += spent / (double)n;
		e[i].elapsed_s = s->elapsed_s;
		if ((!is_recorded(s, fresh[i]->id) && session_append(s, RECORD_CANDIDATE, fresh[i], err)) || session_append(s, RECORD_EVALUATION, &e[i], err))
			return -1;
	}
	return journal_commit(s->journal, err);
}
