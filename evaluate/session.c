/* A session: staged memory and expected values, baselines, the journal, the device lock. */
#include "evaluate/evaluate.h"
#include "evaluate/baseline.h"
#include "evaluate/pack.h"
#include "ops/core/defence.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- the device lock ------------------------------------------------- */

int device_lock_open(const char *given, const char *device, struct strbuf *err)
{
	char path[192];

	if (!given || !*given)
		given = getenv("KM_LOCK");
	if (!given || !*given) {
		snprintf(path, sizeof(path), "/tmp/kernelmill-%ld-%s.lock", (long)getuid(), device);
		given = path;
	}
	int fd = open(given, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		strbuf_addf(err, "cannot open the device lock '%s': %s: name another with --lock=FILE", given, strerror(errno));
	return fd;
}

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

int session_compile(struct session *s, const struct candidate *const *candidate, size_t count, const struct compile_options *options,
		    struct compiled *out, struct strbuf *err)
{
	return s->options.pack ? pack_all(s->options.pack, &s->arena, candidate, count, out, err) : compile_all(&s->arena, candidate, count, options, out, err);
}

int session_append(struct session *s, enum record_kind kind, const void *payload, struct strbuf *err)
{
	struct record r = { .kind = kind };
	const size_t size[RECORD_ALL_COUNT] = { [RECORD_ENVIRONMENT] = sizeof(r.environment), [RECORD_CANDIDATE] = sizeof(r.candidate),
				[RECORD_EVALUATION] = sizeof(r.evaluation), [RECORD_BASELINE] = sizeof(r.baseline), [RECORD_DUEL] = sizeof(r.duel),
				[RECORD_WINNER] = sizeof(r.winner), [RECORD_STOP] = sizeof(r.stop), [RECORD_JUDGEMENT] = sizeof(r.judgement), [RECORD_START] = sizeof(r.start),
				[RECORD_EXCHANGE] = sizeof(r.exchange) };

	memcpy(&r.environment, payload, size[kind]);
	if (!journal_append(s->journal, &r, err))
		return 0;
	s->exit_code = KM_EXIT_NOT_DURABLE;
	return -1;
}

int session_reserve(struct session *s, int64_t bytes, struct strbuf *err)
{
	if (!journal_reserve(s->journal, bytes, err))
		return 0;
	s->exit_code = KM_EXIT_NOT_DURABLE;
	return -1;
}

int session_commit(struct session *s, struct strbuf *err)
{
	if (!journal_commit(s->journal, err))
		return 0;
	s->exit_code = KM_EXIT_NOT_DURABLE;
	return -1;
}

/* ---- staging --------------------------------------------------------- */

static bool same_compile_time(const struct problem *a, const struct problem *b)
{
	bool same = a->dtype == b->dtype;

	for (int i = 0; i < OP_MAX_ATTRS && a->op->attr[i].name; i++)
		same &= a->attr[i] == b->attr[i];
	for (int d = 0; d < op_dim_count(a->op); d++)
		same &= !op_dim_is_static(a->op, op_dim_name(a->op, d)) || a->dim[d] == b->dim[d];
	return same;
}

enum { MOST_CASES = 256 };

struct plan_of_cases {
	const struct session *session;
	struct stage_case stage_case[MOST_CASES];
	size_t count;
	uint64_t seed;
};

static void add_case(struct plan_of_cases *k, const struct problem *p, enum distribution d, int sets)
{
	if (k->count == MOST_CASES)
		return;
	k->stage_case[k->count] = (struct stage_case){ .problem = *p, .distribution = d, .seed = k->seed + k->count, .sets = sets };
	k->count++;
}

static int add_shape(const struct problem *p, enum op_use use, void *user)
{
	struct plan_of_cases *k = user;
	enum distribution d[INPUTS_COUNT];
	size_t n = 1;

	if (!same_compile_time(p, &k->session->problem))
		return 0;
	d[0] = check_distribution(p);
	if (use & OP_CHECK)
		n = check_distributions(p, d);
	for (size_t i = 0; i < n; i++)
		add_case(k, p, d[i], 1);
	/* A device's copy engine takes rows of whole 16 bytes: shapes that a kernel may demand beside those it must refuse. */
	struct problem whole = *p;
	if (k->session->target->warp > 1 && !problem_round_up(&whole, PROBLEM_ROW))
		for (size_t i = 0; i < n; i++)
			add_case(k, &whole, d[i], 1);
	return 0;
}

/* Is a dim 1 wherever the problem's is? */
static bool has_ones(const struct problem *p, const struct problem *wanted)
{
	for (int d = 0; d < op_dim_count(p->op); d++)
		if (wanted->dim[d] == 1 && p->dim[d] != 1)
			return false;
	return true;
}

/* The check shape with dims of 1 where the problem's are: a kernel may demand that. */
static int add_shape_of_ones(const struct problem *declared, enum op_use use, void *user)
{
	struct plan_of_cases *k = user;
	const struct problem *wanted = &k->session->problem;
	struct problem p = *declared;
	struct strbuf ignored = STRBUF_INIT;

	for (int d = 0; d < op_dim_count(p.op); d++)
		if (wanted->dim[d] == 1)
			problem_set_dim(&p, d, 1);
	int ret = has_ones(declared, wanted) || problem_require(&p, &ignored) ? 0 : add_shape(&p, use, k);
	strbuf_release(&ignored);
	return ret;
}

static bool some_has_ones(const struct plan_of_cases *k)
{
	for (size_t i = 1; i < k->count; i++)
		if (has_ones(&k->stage_case[i].problem, &k->session->problem))
			return true;
	return false;
}

/*
 * Where no check shape has the problem's attributes and compile-time dims (a filter of 3 by 5 by 7),
 * its check shapes are given them, and grow until the operator is content.
 */
static int add_shape_made_alike(const struct problem *declared, enum op_use use, void *user)
{
	struct plan_of_cases *k = user;
	const struct problem *wanted = &k->session->problem;
	struct problem p = *declared;
	struct strbuf ignored = STRBUF_INIT;
	int64_t least = 1;
	bool fits = false;

	if (p.dtype != wanted->dtype)
		return 0;
	/* An image no smaller than its filter. */
	for (int d = 0; d < op_dim_count(p.op); d++)
		if (op_dim_is_static(p.op, op_dim_name(p.op, d)) && wanted->dim[d] > least && wanted->dim[d] <= 64)
			least = wanted->dim[d];
	memcpy(p.attr, wanted->attr, sizeof(p.attr));
	for (int growth = 1; growth <= 16 && !fits; growth *= 2) {
		for (int d = 0; d < op_dim_count(p.op); d++)
			problem_set_dim(&p, d, op_dim_is_static(p.op, op_dim_name(p.op, d)) ? wanted->dim[d]
					      : declared->dim[d] * growth > least ? declared->dim[d] * growth : least);
		strbuf_reset(&ignored);
		fits = !problem_require(&p, &ignored);
	}
	if (fits) {
		add_shape(&p, use, k);
		add_shape_of_ones(&p, use, k);
	}
	strbuf_release(&ignored);
	return 0;
}

/*
 * A check shape with one dimension longer than two of the widest blocks that kernels cut it into:
 * what is wrong from the second block on does not show in shapes smaller than a block.
 */
static int add_shape_stretched(const struct problem *declared, enum op_use use, void *user)
{
	/*
	 * Beyond two of the widest blocks, and vectors, of 8 and of 16, that no unrolled loop takes without a rest; a vector and a
	 * tail, or two halves to be merged: a prime of each, or where groups must divide it.
	 */
	static const int64_t length[][2] = { { 571, 720 }, { 29, 32 } };
	struct plan_of_cases *k = user;
	struct strbuf ignored = STRBUF_INIT;

	(void)use;
	if (!same_compile_time(declared, &k->session->problem))
		return 0;
	for (int d = 0; d < op_dim_count(declared->op); d++) {
		bool is_static = op_dim_is_static(declared->op, op_dim_name(declared->op, d));
		for (size_t i = 0; i < ARRAY_SIZE(length) && !is_static; i++) {
			bool fits = false;
			for (size_t other = 0; other < ARRAY_SIZE(length[i]) && !fits; other++) {
				struct problem p = *declared;
				problem_set_dim(&p, d, length[i][other]);
				strbuf_reset(&ignored);
				fits = !problem_require(&p, &ignored);
				if (fits && problem_work(&p) <= 1e8)
					add_case(k, &p, check_distribution(&p), 1);
			}
		}
	}
	strbuf_release(&ignored);
	return 1;
}

/* Sets to rotate through: twice the last-level cache, at least two, within 256 MiB. */
static int rotation_sets(const struct problem *p, const struct target *target)
{
	int64_t bytes = 0, l3 = target->l3_bytes ? target->l3_bytes : probe_l3_bytes(), most = INT64_C(256) << 20;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		bytes += problem_bytes(p, t) + 2 * STAGE_GUARD_BYTES;
	int64_t wanted = 2 * (l3 > 0 ? l3 : INT64_C(32) << 20);
	int64_t sets = ((wanted < most ? wanted : most) + bytes - 1) / bytes;
	return sets < 2 ? 2 : sets > 4096 ? 4096 : (int)sets;
}

/* Elements to compare of a case; 0: all. */
static int64_t sample_of(const struct session *s, size_t i, const struct problem *p)
{
	if (!s->options.is_final)
		return i && i != s->audit ? 0 : 512;
	/* The problem itself is compared whole while that takes seconds; held-out shapes while it is cheap. */
	return problem_work(p) <= (i && i != s->audit ? 5e8 : 1e10) ? 0 : 4096;
}

/* Memory, inputs and expected values: the problem itself, the check shapes, and at the end the held-out ones. */
static int stage_session(struct session *s, struct strbuf *err)
{
	struct plan_of_cases *k = ARENA_ARRAY(&s->arena, struct plan_of_cases, 1);
	const void *in[OP_MAX_TENSORS];
	/* Campaigns on the model's clock repeat themselves, bit for bit; to others nobody can bring answers along. */
	bool is_secret = !s->is_model;
	uint64_t secret = is_secret ? (uint64_t)wall_ns() ^ (uint64_t)getpid() << 40 : 1;

	k->session = s;
	k->seed = s->options.is_final || (is_secret && defence_stands(DEFENCE_SECRET_SEEDS)) ? secret : 100;
	add_case(k, &s->problem, INPUTS_uniform, rotation_sets(&s->problem, s->target));
	unsigned uses = OP_CHECK | (s->options.is_final ? OP_HELDOUT : 0);
	if (problem_each(s->problem.op, uses, s->problem.threads, add_shape, k, err) ||
	    (k->count == 1 && problem_each(s->problem.op, OP_CHECK, s->problem.threads, add_shape_made_alike, k, err)) ||
	    (!some_has_ones(k) && problem_each(s->problem.op, OP_CHECK, s->problem.threads, add_shape_of_ones, k, err)))
		return -1;
	/* Of the first check shape that is one of this problem's. */
	if (s->options.is_final && problem_each(s->problem.op, OP_CHECK, s->problem.threads, add_shape_stretched, k, err) < 0)
		return -1;
	if (s->is_device && k->count < MOST_CASES) {
		s->audit = k->count;
		add_case(k, &s->problem, INPUTS_uniform, 1);
		k->stage_case[s->audit].seed = secret + s->audit;
	}
	if (stage_open(&s->stage, k->stage_case, k->count, err))
		return -1;
	s->expected = ARENA_ARRAY(&s->arena, struct expected *, k->count);
	for (size_t i = 0; i < k->count; i++) {
		const struct problem *p = &s->stage.stage_case[i].problem;
		stage_inputs(&s->stage, i, in);
		s->expected[i] = expected_open(p, in, sample_of(s, i, p), secret + i, err);
		if (!s->expected[i])
			return -1;
	}
	return 0;
}

/* ---- baselines ------------------------------------------------------- */

static void strongest(struct session *s, const struct baseline_record *b)
{
	if (!(b->time_ns > 0) || !baseline_is_rival(b->name))
		return;
	if (!s->baseline_ns || b->time_ns < s->baseline_ns) {
		s->baseline_ns = b->time_ns;
		s->baseline_name = b->name;
	}
	if (baseline_find(b->name) && (!s->own_baseline_ns || b->time_ns < s->own_baseline_ns)) {
		s->own_baseline_ns = b->time_ns;
		s->own_baseline_name = b->name;
	}
}

/* Its setting as the trace has it: with how fast the device ran. */
static const char *setting_of(struct session *s, const struct worker *w)
{
	const struct clocks_seen *seen = &w->clocks;
	const char *reasons = clocks_reasons(seen->reasons);

	if (!seen->looks)
		return arena_strdup(&s->arena, w->setting);
	return arena_printf(&s->arena, "%s; at %.0f MHz, at most %.0f W%s%s", w->setting, seen->sm_mhz / seen->looks, seen->most_power_mw * 1e-3,
			    *reasons ? ", slowed by " : "", reasons);
}

/* A library that computes something else, or is told something else, is no baseline. */
static bool is_right(const struct baseline *baseline, struct contestant *c)
{
	struct strbuf detail = STRBUF_INIT;
	struct check_result worst = { 0 };
	enum verdict v = baseline->is_laid_out_otherwise ? VERDICT_PASSED : contestant_check_case(c, 0, &worst, &detail);

	/* Rounded factors give other sums, by design. */
	bool is_right = v == VERDICT_PASSED || (v == VERDICT_INCORRECT_NUMERICAL && !baseline_is_rival(baseline->name));
	if (!is_right)
		warn("baseline '%s' is left out: %s: %s", baseline->name, verdict_name(v), detail.buf);
	strbuf_release(&detail);
	return is_right;
}

/* 1: *r is its time; 0: it is absent, or not for this operator. */
static int time_baseline(struct session *s, const struct baseline *baseline, struct baseline_record *r)
{
	enum { MOST_SAMPLES = 16, ENOUGH_NS = 1500000000 };
	struct contestant c;
	struct strbuf detail = STRBUF_INIT;
	double *samples = ARENA_ARRAY(&s->arena, double, MOST_SAMPLES), sorted[MOST_SAMPLES];
	size_t n = 0;
	int ret = 0;

	/* A device's library chooses by timing. */
	if (strcmp(baseline->artifact, "so"))
		session_lock(s, true);
	if (contestant_start_baseline(s, baseline->name, &c, &detail) != VERDICT_PASSED) {
		session_unlock(s);
		goto out;
	}
	session_lock(s, true);
	int64_t start = clock_ns();
	for (bool on = is_right(baseline, &c) && contestant_settle(&c); on && n < MOST_SAMPLES; n++) {
		samples[n] = contestant_sample(&c);
		if (isnan(samples[n]) || (n >= 3 && clock_ns() - start > ENOUGH_NS))
			break;
	}
	session_unlock(s);
	*r = (struct baseline_record){ .problem = s->problem_text, .environment = s->environment.id, .name = baseline->name,
				     .setting = setting_of(s, &c.own), .sample_ns = samples, .sample_count = n,
				     .calls_per_sample = c.calls };
	contestant_end(&c);
	if (!n)
		goto out;
	memcpy(sorted, samples, n * sizeof(*sorted));
	r->time_ns = median(sorted, n);
	ret = 1;
out:
	strbuf_release(&detail);
	return ret;
}

enum { BASELINES_MOST = 16 };

/* On record, and known to this session. */
static int keep_baseline(struct session *s, const struct baseline_record *r, struct strbuf *err)
{
	struct trace *past = &s->past;
	struct baseline_record *all = ARENA_ARRAY(&s->arena, struct baseline_record, past->baseline_count + 1);

	if (past->baseline_count)
		memcpy(all, past->baseline, past->baseline_count * sizeof(*all));
	all[past->baseline_count++] = *r;
	past->baseline = all;
	strongest(s, r);
	return session_append(s, RECORD_BASELINE, r, err);
}

/* Those the journal knows of this environment, or all anew. */
static int know_baselines(struct session *s, struct strbuf *err)
{
	struct baseline_record record[BASELINES_MOST];
	bool timed = s->is_model;
	size_t count = 0;

	for (size_t i = 0; i < s->past.baseline_count; i++)
		if (!strcmp(s->past.baseline[i].environment, s->environment.id)) {
			timed |= baseline_find(s->past.baseline[i].name) != NULL;
			strongest(s, &s->past.baseline[i]);
		}
	for (size_t i = 0; !timed && baseline_table[i] && count < BASELINES_MOST; i++)
		if (!strcmp(baseline_table[i]->artifact, s->target->artifact) && (!baseline_table[i]->serves || baseline_table[i]->serves(&s->problem)))
			count += (size_t)time_baseline(s, baseline_table[i], &record[count]);
	/* All at once: who finds some believes that they are all. */
	for (size_t i = 0; i < count; i++)
		if (keep_baseline(s, &record[i], err))
			return -1;
	return timed ? 0 : session_commit(s, err);
}

static bool is_known_baseline(const struct session *s, const struct baseline_record *r)
{
	for (size_t i = 0; i < s->past.baseline_count; i++) {
		const struct baseline_record *b = &s->past.baseline[i];
		if (!strcmp(b->name, r->name) && !strcmp(b->setting, r->setting) && !strcmp(b->environment, s->environment.id))
			return true;
	}
	return false;
}

/* Rows of this problem on this target, which stands where a journal has the environment, that another program timed. */
static int take_baselines(struct session *s, const char *path, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	bool is_new = false;
	int ret = -1, number = 1;

	if (strbuf_read_file(&text, path, err))
		goto out;
	for (char *line = text.buf, *end; *line; line = end, number++) {
		struct record r;
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = 0;
		if (!*line)
			continue;
		if (record_read(&s->arena, line, &r, err) || r.kind != RECORD_BASELINE || !(r.baseline.time_ns > 0) || baseline_find(r.baseline.name)) {
			strbuf_addf(err, "%s'%s':%d: no row of a baseline timed elsewhere: write it with scripts/baselines.py", err->len ? ": " : "", path, number);
			goto out;
		}
		if (strcmp(r.baseline.problem, s->problem_text) || strcmp(r.baseline.environment, s->target->name) || is_known_baseline(s, &r.baseline))
			continue;
		r.baseline.environment = s->environment.id;
		is_new = true;
		if (keep_baseline(s, &r.baseline, err))
			goto out;
	}
	ret = is_new ? session_commit(s, err) : 0;
out:
	strbuf_release(&text);
	return ret;
}

/* ---- opening and closing --------------------------------------------- */

static int know_environment(struct session *s, struct strbuf *err)
{
	if (probe_environment(&s->arena, s->target, s->options.clock, &s->environment, err))
		return -1;
	journal_describe(s->journal, arena_printf(&s->arena, "%s; sandbox: %s", s->environment.compiler, s->environment.sandbox_level));
	for (size_t i = 0; i < s->past.environment_count; i++)
		if (!strcmp(s->past.environment[i].id, s->environment.id))
			return 0;
	if (s->is_model)
		s->environment.start_ns = 0;
	return session_append(s, RECORD_ENVIRONMENT, &s->environment, err);
}

/* Why what is compiled for the target does not run here; "" where it does. */
static const char *why_not_here(struct session *s)
{
	const char *here = s->can_run || !s->target->here ? "" : s->target->here();

	return s->can_run ? "" : arena_printf(&s->arena, "this machine is no '%s'%s%s", s->target->name, *here ? ": " : "", here);
}

int session_open(struct session *s, const char *problem, const char *target, const char *journal_path,
		 const struct session_options *options, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = -1;

	*s = (struct session)SESSION_INIT;
	s->options = *options;
	s->is_model = !strcmp(options->clock, "model");
	s->target = target_find(target, err);
	if (!s->target || problem_parse(problem, &s->problem, err)) {
		s->exit_code = KM_EXIT_USAGE;
		goto out;
	}
	problem_print(&s->problem, &text);
	s->problem_text = arena_strdup(&s->arena, text.buf);
	s->can_run = probe_is_here(s->target);
	s->why_not_here = why_not_here(s);
	const struct launcher *launcher = launcher_find(s->target->artifact);
	s->is_device = launcher && launcher->memory;
	/* Opening for append first: it says what is wrong with the file, and goes on where a killed writer ended. */
	s->journal = journal_open(journal_path, &s->exit_code, err);
	if (!s->journal)
		goto out;
	s->exit_code = KM_EXIT_FATAL;
	file_sweep(journal_path);
	if (trace_from_journals(&s->arena, &journal_path, 1, &s->past, err))
		goto out;
	if ((s->lock_fd = device_lock_open(options->lock_path, s->is_device ? s->target->name : "cpu", err)) < 0)
		goto out;
	if (know_environment(s, err))
		goto out;
	for (size_t i = 0; i < s->past.evaluation_count; i++)
		s->elapsed_s = fmax(s->elapsed_s, s->past.evaluation[i].elapsed_s);
	if (s->can_run && (stage_session(s, err) || know_baselines(s, err)))
		goto out;
	const char *rows = options->baselines ? options->baselines : getenv("KM_BASELINES");
	if (s->can_run && !s->is_model && rows && *rows && take_baselines(s, rows, err))
		goto out;
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}

int session_close(struct session *s, struct strbuf *err)
{
	int ret = s->journal ? journal_close(s->journal, err) : 0;

	for (size_t i = 0; s->expected && i < s->stage.count; i++)
		expected_close(s->expected[i]);
	device_end(s);
	stage_close(&s->stage);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	arena_release(&s->arena);
	*s = (struct session)SESSION_INIT;
	if (ret)
		s->exit_code = KM_EXIT_NOT_DURABLE;
	return ret;
}

enum exit_code session_end(struct session *s, bool is_bad, enum exit_code done, struct strbuf *err)
{
	enum exit_code code = is_bad ? s->exit_code : done;

	return session_close(s, err) && !is_bad ? KM_EXIT_NOT_DURABLE : code;
}
