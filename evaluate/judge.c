/* Lives of few and of many calls, in turn with a trusted kernel's; what they prove. */
#include "evaluate/judge.h"
#include "evaluate/compile.h"
#include "evaluate/judge_memory.h"
#include "evaluate/measure.h"
#include "evaluate/worker.h"
#include "ops/core/defence.h"
#include "ops/core/diag.h"
#include "ops/core/loops.h"
#include "ops/core/plan.h"
#include "ops/core/proc.h"
#include "ops/core/progress.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 32, ENOUGH_ROUNDS = 9, BOOTSTRAPS = 2000, SAMPLE = 512, FEWEST_SETS = 3 };

/* Calls of a life that take as long stand out of what else it does. */
#define CLEAR_NS 1e6

/* A kernel as a life wants it. */
struct subject {
	const char *artifact, *plan; /* plan.h text, or "entry: SYMBOL"; NULL: Python, told where its tensors lie */
	int64_t dim[OP_MAX_DIMS];
	bool is_confined, is_python;
	int64_t calls_few, calls_many;
	double call_ns;              /* about */
};
struct times {
	double total_ns, claimed_ns, processor_ns;
};
/* Lives of one subject: [0] of few calls, [1] of many. */
struct series {
	struct times life[2][MOST_ROUNDS];
	int count;
};
struct court {
	struct arena *arena;
	const struct judged *judged;
	struct judge_options options;
	struct judge_memory memory;
	struct judge_check check;
	struct rng rng;
	struct subject kernel, baseline;
	struct series of_kernel, of_baseline;
	int turn;
	struct judgement *out;
	struct strbuf *detail, *err;
};

/* ---- one life --------------------------------------------------------- */

static int64_t address_bytes(const struct court *c, const struct judge_memory *m, const struct subject *s)
{
	struct arena arena = ARENA_INIT;
	struct plan plan;
	struct strbuf ignored = STRBUF_INIT;
	int64_t bytes = m->stage.in_bytes + m->stage.out_bytes + m->control_bytes + (INT64_C(256) << 20), own = 0;

	bytes += c->judged->problem->threads * (INT64_C(80) << 20);
	if (s->plan && !plan_parse(&arena, s->plan, "plan", &plan, &ignored)) {
		bytes += 2 * c->judged->problem->threads * plan.scratch_bytes;
		for (size_t b = 0; b < plan.buffer_count; b++) {
			int64_t elems = plan.buffer[b].role == PLAN_TMP ? plan_buffer_elems(&plan, b, s->dim) : 0;
			own += elems > 0 && elems < INT64_C(1) << 32 ? 2 * elems * (int64_t)dtype_bytes(plan.buffer[b].dtype) : 0;
		}
	} else {
		/* Somebody's own code takes what it takes, within reason. */
		own = c->options.own_bytes;
	}
	strbuf_release(&ignored);
	arena_release(&arena);
	return bytes + own;
}

/* Of somebody else's child: its state is told by /proc alone. */
static void wait_until_stopped(pid_t pid, siginfo_t *info)
{
	struct strbuf text = STRBUF_INIT, ignored = STRBUF_INIT;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	for (;;) {
		strbuf_reset(&text);
		if (strbuf_read_file(&text, path, &ignored))
			break;
		const char *state = strrchr(text.buf, ')');
		if (!state || state[1] != ' ' || state[2] == 'Z' || state[2] == 'X')
			break;
		if (state[2] == 'T') {
			info->si_code = CLD_STOPPED;
			break;
		}
		nanosleep(&(struct timespec){ 0, 50000 }, NULL);
	}
	strbuf_release(&text);
	strbuf_release(&ignored);
}

static int64_t threads_of(pid_t pid)
{
	char path[64], *at;
	struct strbuf text = STRBUF_INIT, ignored = STRBUF_INIT;
	int64_t n = -1;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if (!strbuf_read_file(&text, path, &ignored) && (at = strstr(text.buf, "\nThreads:")))
		n = strtoll(at + 9, NULL, 10);
	strbuf_release(&text);
	strbuf_release(&ignored);
	return n;
}

/*
 * While a life is timed it and we go before everybody else, where we may say so: what the
 * rest of the machine does then falls into hardly any time.  A kernel that never ends holds
 * up the others by what Linux lets such processes have (95 %), until its limit.
 */
static void go_first(pid_t thread, bool is_first, int priority)
{
	struct sched_param p = { .sched_priority = is_first ? priority : 0 };

	sched_setscheduler(thread, is_first ? SCHED_FIFO : SCHED_OTHER, &p);
}

static void all_threads_first(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		if (f->d_name[0] != '.')
			go_first((pid_t)atol(f->d_name), true, 1);
	if (d)
		closedir(d);
}

/* Stands still: all of its threads do, and nobody else can make them go on. */
static enum verdict stop(struct worker *w, struct strbuf *detail)
{
	siginfo_t info = { 0 };
	struct worker_reply r;
	pid_t pid = w->box.pid;
	int bad = kill(pid, SIGSTOP);

	if (!bad && w->box.first == pid)
		bad = waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED | WNOWAIT);
	else if (!bad)
		wait_until_stopped(pid, &info);
	if (bad) {
		strbuf_addf(detail, "cannot stop a process: %s", strerror(errno));
		return VERDICT_HARNESS_ERROR;
	}
	if (info.si_code == CLD_STOPPED)
		return VERDICT_PASSED;
	enum verdict v = worker_hear(w, 1, &r, detail);
	if (v == VERDICT_PASSED)
		strbuf_addstr(detail, "claimed to have done its work before it was asked for any");
	return v == VERDICT_PASSED ? VERDICT_EARLY_EXIT : v;
}

/* Which tensor lies beside the gap that was touched. */
static void name_gap(const struct judge_memory *m, int64_t place, const char *how, struct strbuf *detail)
{
	bool is_input = place >= 0;
	int64_t at = is_input ? place : -1 - place, best = INT64_MAX, set_bytes = is_input ? m->in_set_bytes : m->out_set_bytes;
	const struct op *op = m->problem.op;
	int near = 0;

	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		int64_t from = at % set_bytes - m->place[t], beyond = from < 0 ? -from : from - problem_bytes(&m->problem, t);
		if ((op->tensor[t].role == OP_IN) == is_input && beyond < best) {
			best = beyond;
			near = t;
		}
	}
	strbuf_addf(detail, "%s byte %lld of '%s', which has %lld", how, (long long)(at % set_bytes - m->place[near]), op->tensor[near].name,
		    (long long)problem_bytes(&m->problem, near));
}

/* What a strict life found, which waits meanwhile: the threads it has now are its kernel's. */
static enum verdict weigh_findings(const struct worker *w, const struct worker_reply *r, int64_t threads, struct strbuf *detail)
{
	int64_t now = threads_of(w->box.pid);

	strbuf_addstr(detail, r->text);
	if (r->text[0])
		return VERDICT_INCORRECT_STATE;
	if (threads <= 0 || now <= threads)
		return VERDICT_PASSED;
	strbuf_addf(detail, "calls left %lld threads running", (long long)(now - threads));
	return VERDICT_INCORRECT_STATE;
}

/* Processor time of all its threads, those that ended too [ns]. */
static int64_t processor_ns(pid_t pid)
{
	struct timespec t;
	clockid_t id;

	return clock_getcpuclockid(pid, &id) || clock_gettime(id, &t) ? 0 : t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* From the moment it goes on until it has said that it is done and was killed, so that nothing goes on behind that. */
static enum verdict run_life(const struct judge_memory *m, struct worker *w, double limit_s, struct times *times, struct worker_reply *said,
			     struct strbuf *detail)
{
	struct worker_reply r = { 0 }, more;
	int64_t threads = m->control->is_strict ? threads_of(w->box.pid) : 0;

	if (write(w->to, "g", 1) != 1)
		return worker_hear(w, 1, &r, detail);
	all_threads_first(w->box.pid);
	go_first(0, true, 2);
	int64_t used = processor_ns(w->box.pid), begin = clock_ns();
	kill(w->box.pid, SIGCONT);
	enum verdict v = worker_hear(w, limit_s, &r, detail);
	if (v == VERDICT_PASSED && said)
		*said = r;
	else if (v == VERDICT_PASSED && m->control->is_strict)
		v = weigh_findings(w, &r, threads, detail);
	if (v == VERDICT_RUNTIME_ERROR && !strncmp(r.text, "TypeError: shape: ", 18))
		v = VERDICT_INCORRECT_SHAPE;
	if (v == VERDICT_RUNTIME_ERROR && !strncmp(r.text, "TypeError: dtype: ", 18))
		v = VERDICT_INCORRECT_DTYPE;
	/* Before it is killed: to give its memory back takes processors too, and the longer the more calls it was. */
	times->processor_ns = w->box.pid ? (double)(processor_ns(w->box.pid) - used) : 0;
	if (w->box.pid)
		kill(w->box.pid, SIGKILL);
	times->total_ns = (double)(clock_ns() - begin);
	go_first(0, false, 0);
	times->claimed_ns = (double)r.ns;
	if (v == VERDICT_RUNTIME_ERROR && (!strcmp(r.text, "read") || !strcmp(r.text, "wrote"))) {
		strbuf_reset(detail);
		name_gap(m, r.ns, r.text, detail);
		return VERDICT_INCORRECT_OUT_OF_BOUNDS;
	}
	if (v == VERDICT_PASSED && read(w->from, &more, sizeof(more)) == (ssize_t)sizeof(more)) {
		strbuf_addstr(detail, "claimed more than once to have done its work");
		return VERDICT_TIMING_FORGED;
	}
	return v;
}

/* One process, from its start to its end; its outputs are still to be checked.  *said (may be NULL): its reply, not judged. */
static enum verdict live_saying(struct court *c, struct judge_memory *m, const struct subject *s, const int64_t *set, int64_t calls,
				struct times *times, struct worker_reply *said, struct strbuf *detail)
{
	const struct problem *p = c->judged->problem;
	struct worker w;
	struct worker_start start = { .plan = s->plan ? s->plan : judge_describe_python(c->arena, c->judged, m), .artifact = s->artifact, .is_python = s->is_python, .threads = p->threads, .cpu_s = 600, .limit_s = 60, .is_life = true,
				      .control = m->control_fd, .is_confined = s->is_confined, .memory_bytes = address_bytes(c, m, s) };

	judge_memory_clear(m, s->dim);
	enum verdict v = worker_open(&w, &m->stage, &start, detail);
	if (v != VERDICT_PASSED)
		return v;
	if (p->threads == 1)
		worker_stay(&w, c->turn);
	v = stop(&w, detail);
	if (v == VERDICT_PASSED) {
		judge_memory_fill(m, set, calls);
		v = run_life(m, &w, c->options.limit_s + 100e-9 * s->call_ns * (double)calls, times, said, detail);
	}
	worker_close(&w);
	return v;
}

static enum verdict live(struct court *c, struct judge_memory *m, const struct subject *s, const int64_t *set, int64_t calls,
			 struct times *times, struct strbuf *detail)
{
	return live_saying(c, m, s, set, calls, times, NULL, detail);
}

/* `calls` of the memory's sets, in an order nobody knows. */
static int64_t *draw_sets(struct court *c, const struct judge_memory *m)
{
	int64_t *set = ARENA_ARRAY(c->arena, int64_t, m->sets);

	for (int64_t i = 0; i < m->sets; i++) {
		int64_t k = rng_below(&c->rng, i + 1);
		set[i] = set[k];
		set[k] = i;
	}
	return set;
}

/* A life of the kernel, its outputs checked. */
static enum verdict live_checked(struct court *c, struct judge_memory *m, int64_t calls, struct times *times)
{
	int64_t *set = draw_sets(c, m);
	enum verdict v = live(c, m, &c->kernel, set, calls, times, c->detail);

	return v == VERDICT_PASSED ? judge_memory_check(m, set, calls, &c->check, c->detail) : v;
}

/* ---- how many calls --------------------------------------------------- */

static int64_t most_sets(const struct court *c)
{
	int64_t in, out, least = FEWEST_SETS;

	judge_memory_set_bytes(c->judged->problem, &in, &out);
	int64_t larger = in > out ? in : out, most = c->options.memory_bytes / (larger > 0 ? larger : 1);
	/* Of huge tensors two are enough. */
	if (in + out > INT64_C(1) << 30)
		least = 2;
	return most < least ? least : most > 1 << 18 ? 1 << 18 : most;
}

/* The quickest of a few lives of so many calls: the load disturbs some. */
static enum verdict quickest(struct court *c, int64_t calls, double *total_ns)
{
	/* Python takes a second to start. */
	const int lives = c->judged->is_python ? 1 : 3;
	enum verdict v = VERDICT_PASSED;

	*total_ns = INFINITY;
	for (int i = 0; i < lives && v == VERDICT_PASSED; i++) {
		struct times times = { 0 };
		c->turn++;
		v = live_checked(c, &c->memory, calls, &times);
		*total_ns = fmin(*total_ns, times.total_ns);
		/* Nothing disturbs long lives much. */
		if (times.total_ns > 2e8)
			break;
	}
	return v;
}

/* Sets for lives that take the window, from short ones of growing length.  The kernel's verdict. */
static enum verdict choose_calls(struct court *c, int64_t most)
{
	const double window_ns = c->options.window_s * 1e9;
	int64_t sets = FEWEST_SETS < most ? FEWEST_SETS : most;

	for (;;) {
		double one_ns, all_ns;
		judge_memory_close(&c->memory);
		if (judge_memory_open(&c->memory, c->judged->problem, LAYOUT_TIMED, 0, sets, rng_next(&c->rng), c->err))
			return VERDICT_HARNESS_ERROR;
		enum verdict v = quickest(c, 1, &one_ns);
		if (v == VERDICT_PASSED)
			v = quickest(c, sets, &all_ns);
		if (v != VERDICT_PASSED)
			return v;
		double spent = all_ns - one_ns;
		c->kernel.call_ns = fmax(spent, 1e3) / (double)(sets - 1);
		bool is_long = spent > window_ns / 8 || sets == most;
		double wanted = is_long ? fmin(window_ns / c->kernel.call_ns, (double)most) : fmin(8 * (double)sets, (double)most);
		int64_t next = (int64_t)fmax(wanted, (double)(FEWEST_SETS < most ? FEWEST_SETS : most));
		if (is_long && next > sets) {
			judge_memory_close(&c->memory);
			if (judge_memory_open(&c->memory, c->judged->problem, LAYOUT_TIMED, 0, next, rng_next(&c->rng), c->err))
				return VERDICT_HARNESS_ERROR;
		}
		if (is_long)
			break;
		sets = next;
	}
	c->kernel.calls_many = c->memory.sets;
	c->kernel.calls_few = c->kernel.calls_many > 10 ? c->kernel.calls_many / 10 : 1;
	return VERDICT_PASSED;
}

/* The compiled loop nest of the body, and its calls a life; without one where it would take too long. */
static void choose_baseline(struct court *c)
{
	const double MOST_NS = 2e9;
	const struct problem *p = c->judged->problem;
	const struct target *target = c->judged->target;
	struct strbuf source = STRBUF_INIT, flags = STRBUF_INIT, ignored = STRBUF_INIT;
	struct subject *b = &c->baseline;
	struct times one = { 0 }, two = { 0 };
	int64_t *set = draw_sets(c, &c->memory);

	strbuf_addf(&flags, "clang-22 -O3 -march=%s %s -w", target->march, target->compiler_flags ? target->compiler_flags : "");
	if (c->options.no_baseline || loops_print(p, LOOPS_NATIVE, false, "km_loopnest", &source, &ignored) ||
	    compile_trusted(c->arena, source.buf, flags.buf, &b->artifact, &ignored))
		goto out;
	b->plan = "entry: km_loopnest\n";
	b->is_confined = c->judged->is_confined;
	memcpy(b->dim, p->dim, sizeof(b->dim));
	if (live(c, &c->memory, b, set, 1, &one, &ignored) != VERDICT_PASSED || one.total_ns > MOST_NS ||
	    live(c, &c->memory, b, set, 2, &two, &ignored) != VERDICT_PASSED)
		goto out;
	b->call_ns = fmax(two.total_ns - one.total_ns, 200);
	double many = fmin(c->options.window_s * 1e9 / b->call_ns, (double)c->memory.sets);
	b->calls_many = many < 2 ? 2 : (int64_t)many;
	b->calls_few = b->calls_many > 10 ? b->calls_many / 10 : 1;
	c->out->baseline = "loopnest";
out:
	strbuf_release(&source);
	strbuf_release(&flags);
	strbuf_release(&ignored);
}

/* ---- statistics ------------------------------------------------------- */

enum part { PART_TOTAL, PART_CLAIM, PART_REST /* of the total, what was not claimed */, PART_PROCESSOR };

static double part_of(const struct times *t, enum part part)
{
	return part == PART_PROCESSOR ? t->processor_ns : part == PART_TOTAL ? t->total_ns : part == PART_CLAIM ? t->claimed_ns : t->total_ns - t->claimed_ns;
}

/* One call, from the lives picked (NULL: all); q: which of them count. */
static double slope(const struct subject *s, const struct series *x, int pick[2][MOST_ROUNDS], enum part part, double q)
{
	double value[2][MOST_ROUNDS], at[2];

	for (int side = 0; side < 2; side++) {
		for (int i = 0; i < x->count; i++)
			value[side][i] = part_of(&x->life[side][pick ? pick[side][i] : i], part);
		at[side] = quantile(value[side], (size_t)x->count, q);
	}
	return (at[1] - at[0]) / (double)(s->calls_many - s->calls_few);
}

/* Somebody else's work only adds to a life's time: the quieter lives tell. */
static double time_of(const struct subject *s, const struct series *x, int pick[2][MOST_ROUNDS])
{
	return slope(s, x, pick, PART_TOTAL, 0.25);
}

/*
 * What of a call's time its own clock saw.  By what it did not see, life for life: the
 * load disturbs calls and claims alike, and little else.
 */
static double claim_of(const struct subject *s, const struct series *x, int pick[2][MOST_ROUNDS])
{
	return 1 - slope(s, x, pick, PART_REST, 0.5) / slope(s, x, pick, PART_TOTAL, 0.5);
}

enum { OF_TIME, OF_CLAIM, OF_RATIO, STATISTICS };

/* Percentiles of bootstrap samples: rounds drawn again, the same for kernel and baseline, since they shared the load. */
static void intervals(struct court *c, double low[STATISTICS], double high[STATISTICS])
{
	static double value[STATISTICS][BOOTSTRAPS];
	int pick[2][MOST_ROUNDS];
	const struct series *k = &c->of_kernel, *b = &c->of_baseline;

	for (int n = 0; n < BOOTSTRAPS; n++) {
		for (int side = 0; side < 2; side++)
			for (int i = 0; i < k->count; i++)
				pick[side][i] = (int)rng_below(&c->rng, k->count);
		double time = time_of(&c->kernel, k, pick);
		value[OF_TIME][n] = time;
		value[OF_CLAIM][n] = claim_of(&c->kernel, k, pick);
		value[OF_RATIO][n] = b->count ? time_of(&c->baseline, b, pick) / time : NAN;
	}
	for (int s = 0; s < STATISTICS; s++) {
		low[s] = quantile(value[s], BOOTSTRAPS, (1 - JUDGE_CONFIDENCE) / 2);
		high[s] = quantile(value[s], BOOTSTRAPS, (1 + JUDGE_CONFIDENCE) / 2);
	}
}

/* ---- the rounds ------------------------------------------------------- */

static enum verdict round_of_baseline(struct court *c, int round)
{
	int64_t *set = draw_sets(c, &c->memory);
	struct subject *b = &c->baseline;

	for (int side = 0; side < 2; side++) {
		enum verdict v = live(c, &c->memory, b, set, side ? b->calls_many : b->calls_few, &c->of_baseline.life[side][round], c->detail);
		if (v != VERDICT_PASSED) {
			strbuf_addstr(c->err, "the trusted loop nest failed: ");
			strbuf_addstr(c->err, c->detail->buf);
			return VERDICT_HARNESS_ERROR;
		}
	}
	c->of_baseline.count = round + 1;
	return VERDICT_PASSED;
}

static enum verdict round_of_kernel(struct court *c, int round)
{
	enum verdict v = VERDICT_PASSED;

	for (int side = 0; side < 2 && v == VERDICT_PASSED; side++)
		v = live_checked(c, &c->memory, side ? c->kernel.calls_many : c->kernel.calls_few, &c->of_kernel.life[side][round]);
	c->of_kernel.count = round + (v == VERDICT_PASSED);
	return v;
}

/* What calls make a long life longer than a short one by. */
static double calls_of_life_ns(const struct court *c)
{
	return slope(&c->kernel, &c->of_kernel, NULL, PART_TOTAL, 0.5) * (double)(c->kernel.calls_many - c->kernel.calls_few);
}

/* Fills the times of *out; true when more rounds would tell nothing new. */
static bool weigh(struct court *c)
{
	struct judgement *j = c->out;
	double low[STATISTICS], high[STATISTICS];

	intervals(c, low, high);
	j->rounds = c->of_kernel.count;
	j->judged_ns = time_of(&c->kernel, &c->of_kernel, NULL);
	j->claim_ratio = claim_of(&c->kernel, &c->of_kernel, NULL);
	j->claimed_ns = j->claim_ratio * j->judged_ns;
	j->low_ns = low[OF_TIME];
	j->high_ns = high[OF_TIME];
	if (c->of_baseline.count) {
		j->baseline_ns = time_of(&c->baseline, &c->of_baseline, NULL);
		j->ratio = j->baseline_ns / j->judged_ns;
		j->ratio_low = low[OF_RATIO];
		j->ratio_high = high[OF_RATIO];
	}
	/* Those hardly longer than what disturbs them tell nothing of claims. */
	bool is_clear = calls_of_life_ns(c) > CLEAR_NS && low[OF_TIME] > 0;
	bool is_forged = is_clear && high[OF_CLAIM] < 1 - JUDGE_UNSEEN && defence_stands(DEFENCE_OUTSIDE_CLOCK), is_honest = low[OF_CLAIM] > 1 - JUDGE_UNSEEN;
	if (is_forged && j->rounds >= c->options.least_rounds) {
		strbuf_addf(c->detail, "claims %.0f ns a call, takes %.0f (a ratio of %.3f, surely below %.3f)", j->claimed_ns, j->judged_ns, j->claim_ratio,
			    high[OF_CLAIM]);
		j->verdict = VERDICT_TIMING_FORGED;
	}
	/* A time that the load blurs stays blurred, and says so by its interval. */
	bool is_sharp = j->judged_ns > 0 && j->high_ns - j->low_ns < 0.1 * j->judged_ns;
	return is_forged || (is_honest && (is_sharp || j->rounds >= ENOUGH_ROUNDS));
}

/* A problem of so many threads is not to be computed by more. */
static enum verdict count_processors(struct court *c)
{
	const double MOST = 1.5; /* a second thread makes it 2; what one does beside its calls varies from life to life */
	int threads = c->judged->problem->threads;
	double used = slope(&c->kernel, &c->of_kernel, NULL, PART_PROCESSOR, 0.5), total = slope(&c->kernel, &c->of_kernel, NULL, PART_TOTAL, 0.5);

	if (!(total > 0) || used <= MOST * threads * total)
		return VERDICT_PASSED;
	strbuf_addf(c->detail, "a call of %.0f ns used %.0f ns of processors: more than %d thread%s", total, used, threads, threads > 1 ? "s" : "");
	return VERDICT_INCORRECT_STATE;
}

/*
 * Calls too short for their lives, or lost in the load, have no time to publish; those that hardly stand
 * out have one, but what they claim of it was not held against them.
 */
static enum verdict conclude(struct court *c)
{
	const double MOST_SPREAD = 10;
	struct judgement *j = c->out;

	if (!(j->low_ns > 0) || j->high_ns > MOST_SPREAD * j->low_ns) {
		strbuf_addf(c->detail, "cannot be timed from outside here: %lld calls more make a life longer by %.0f ns each, surely between %.0f and %.0f",
			    (long long)(c->kernel.calls_many - c->kernel.calls_few), j->judged_ns, j->low_ns, j->high_ns);
		return VERDICT_NOT_MEASURED;
	}
	if (calls_of_life_ns(c) <= CLEAR_NS)
		j->labels = arena_printf(c->arena, "its own clock was not audited: its calls take %.0f us of a life", 1e-3 * calls_of_life_ns(c));
	return VERDICT_PASSED;
}

static enum verdict run_rounds(struct court *c)
{
	enum verdict v = VERDICT_PASSED;
	int64_t begin = clock_ns();
	int round = 0;

	for (bool enough = false; !enough && round < c->options.most_rounds && v == VERDICT_PASSED; round++) {
		/* AB, BA; each round on another processor. */
		c->turn++;
		bool first = round & 1;
		if (c->out->baseline[0] && first)
			v = round_of_baseline(c, round);
		if (v == VERDICT_PASSED)
			v = round_of_kernel(c, round);
		if (v == VERDICT_PASSED && c->out->baseline[0] && !first)
			v = round_of_baseline(c, round);
		if (v == VERDICT_PASSED && round + 1 >= c->options.least_rounds)
			enough = weigh(c);
		/* Long lives tell much each. */
		if (v == VERDICT_PASSED && round >= 2 && clock_ns() - begin > INT64_C(20000000000)) {
			weigh(c);
			break;
		}
	}
	if (v == VERDICT_PASSED)
		v = c->out->verdict;
	if (v == VERDICT_PASSED)
		v = conclude(c);
	return v == VERDICT_PASSED && calls_of_life_ns(c) > CLEAR_NS ? count_processors(c) : v;
}

/* ---- strict lives ----------------------------------------------------- */

static enum verdict run_strict(struct court *c)
{
	static const char *const name[] = { [LAYOUT_FLUSH_RIGHT] = "tensors that end at a forbidden page",
					    [LAYOUT_FLUSH_LEFT] = "tensors that begin at a forbidden page", [LAYOUT_ODD] = "tensors aligned as their elements" };
	enum verdict v = VERDICT_PASSED;
	int64_t in, out, sets;

	judge_memory_set_bytes(c->judged->problem, &in, &out);
	sets = (INT64_C(256) << 20) / (in + out + 8192);
	sets = sets < 2 ? 2 : sets > 8 ? 8 : sets;
	for (int layout = LAYOUT_FLUSH_RIGHT; layout <= LAYOUT_ODD && v == VERDICT_PASSED; layout++) {
		struct judge_memory m;
		struct times times = { 0 };
		if (layout == LAYOUT_ODD && c->options.alignment >= 32)
			continue;
		if (judge_memory_open(&m, c->judged->problem, (enum judge_layout)layout, c->options.alignment, sets, rng_next(&c->rng), c->err))
			return VERDICT_HARNESS_ERROR;
		v = live_checked(c, &m, sets, &times);
		judge_memory_close(&m);
		if (v != VERDICT_PASSED)
			strbuf_addf(c->detail, " (%s)", name[layout]);
	}
	return v;
}

/*
 * One life of very many calls, round and round the sets: is it still honest then?  Where
 * outputs are overwritten, those of the last calls are seen.
 */
static enum verdict run_long(struct court *c)
{
	const double MOST_NS = 1e9;
	int64_t calls = (int64_t)fmin(JUDGE_LONG, MOST_NS / c->out->judged_ns), *set = ARENA_ARRAY(c->arena, int64_t, JUDGE_LONG);
	struct judge_memory *m = &c->memory;
	struct times times;

	if (calls <= c->kernel.calls_many)
		return VERDICT_PASSED;
	for (int64_t k = 0; k < calls; k += m->sets) {
		const int64_t *order = draw_sets(c, m);
		memcpy(set + k, order, (size_t)(calls - k < m->sets ? calls - k : m->sets) * sizeof(*set));
	}
	enum verdict v = live(c, m, &c->kernel, set, calls, &times, c->detail);
	if (v == VERDICT_PASSED)
		v = judge_memory_check(m, set, calls, &c->check, c->detail);
	if (v != VERDICT_PASSED)
		strbuf_addf(c->detail, " (a life of %lld calls)", (long long)calls);
	return v;
}

/* What of PyTorch a Python kernel calls: no fault, but who reads a speed-up over PyTorch wants to know. */
static enum verdict name_operations(struct court *c)
{
	struct judge_memory *m = &c->memory;
	struct worker_reply r = { 0 };
	int64_t *set = draw_sets(c, m);
	struct times times;

	m->control->is_strict = 1;
	enum verdict v = live_saying(c, m, &c->kernel, set, 1, &times, &r, c->detail);
	m->control->is_strict = 0;
	c->out->labels = arena_strdup(c->arena, r.text);
	return v == VERDICT_PASSED ? judge_memory_check(m, set, 1, &c->check, c->detail) : v;
}

/* ---- judging ----------------------------------------------------------- */

static int open_kernel(struct court *c)
{
	const struct judged *j = c->judged;
	struct plan plan;

	c->kernel = (struct subject){ .artifact = j->artifact, .plan = j->plan, .is_confined = j->is_confined };
	memcpy(c->kernel.dim, j->problem->dim, sizeof(c->kernel.dim));
	c->kernel.is_python = j->is_python;
	if (j->is_python)
		return 0;
	if (!j->plan) {
		c->kernel.plan = arena_printf(c->arena, "entry: %s\n", j->symbol);
		return 0;
	}
	/* A plan we cannot read is a fault of what wrote it. */
	if (plan_parse(c->arena, j->plan, "plan", &plan, c->detail)) {
		c->out->verdict = VERDICT_REJECTED;
		return 0;
	}
	for (size_t d = 0; d < plan.dim_count; d++) {
		int at = op_dim_index(j->problem->op, plan.dim[d]);
		if (at < 0) {
			strbuf_addf(c->detail, "the plan names unknown dimension '%s'", plan.dim[d]);
			c->out->verdict = VERDICT_REJECTED;
			return 0;
		}
		c->kernel.dim[d] = j->problem->dim[at];
	}
	return 0;
}

static void settle(struct judge_options *o, bool is_python)
{
	if (!(o->window_s > 0))
		o->window_s = 0.03;
	if (!(o->limit_s > 0))
		o->limit_s = 10;
	if (!o->own_bytes)
		o->own_bytes = INT64_C(2) << 30;
	if (!o->memory_bytes)
		o->memory_bytes = INT64_C(96) << 20;
	/* Python takes a second to start. */
	if (!o->least_rounds)
		o->least_rounds = is_python ? 3 : 5;
	if (!o->most_rounds)
		o->most_rounds = 15;
	if (o->most_rounds > MOST_ROUNDS)
		o->most_rounds = MOST_ROUNDS;
}

int judge(struct arena *arena, const struct judged *judged, const struct judge_options *options, struct judgement *out, struct strbuf *err)
{
	struct strbuf detail = STRBUF_INIT, ignored = STRBUF_INIT;
	struct court c = { .arena = arena, .judged = judged, .options = *options, .memory = { .stage = STAGE_INIT, .control_fd = -1 }, .out = out,
			   .rng = { options->secret, 0 }, .detail = &detail, .err = err };
	double load[1] = { NAN };

	settle(&c.options, judged->is_python);
	*out = (struct judgement){ .problem = "", .environment = "", .candidate = "", .detail = "", .baseline = "", .memory_pass = "", .labels = "",
				   .claimed_ns = NAN, .judged_ns = NAN, .low_ns = NAN, .high_ns = NAN, .claim_ratio = NAN, .baseline_ns = NAN,
				   .ratio = NAN, .ratio_low = NAN, .ratio_high = NAN };
	c.check = (struct judge_check){ .whole_work = 2e9, .sample = SAMPLE, .secret = rng_next(&c.rng) };
	if (problem_work(judged->problem) <= 1e10)
		c.check.whole_work = fmax(c.check.whole_work, problem_work(judged->problem));
	c.check.loops = expected_loops_open(judged->problem, &ignored);
	open_kernel(&c);
	enum verdict v = out->verdict == VERDICT_PASSED ? choose_calls(&c, most_sets(&c)) : out->verdict;
	if (v == VERDICT_PASSED) {
		choose_baseline(&c);
		v = run_rounds(&c);
	}
	if (v == VERDICT_PASSED && out->high_ns < c.options.floor_ns) {
		strbuf_addf(&detail, "%.0f ns, but the memory needs %.0f ns", out->judged_ns, c.options.floor_ns);
		v = VERDICT_BELOW_PHYSICS_FLOOR;
	}
	if (v == VERDICT_PASSED)
		v = run_long(&c);
	if (v == VERDICT_PASSED && judged->is_python)
		v = name_operations(&c);
	else if (v == VERDICT_PASSED && !c.options.no_strict && defence_stands(DEFENCE_STRICT_LIVES)) {
		out->memory_pass = "guard pages";
		v = run_strict(&c);
	}
	judge_memory_close(&c.memory);
	expected_loops_close(c.check.loops);
	out->verdict = v;
	out->calls_few = c.kernel.calls_few;
	out->calls_many = c.kernel.calls_many;
	out->load = getloadavg(load, 1) == 1 ? load[0] : NAN;
	out->tolerance_ratio = c.check.worst.tolerance_ratio;
	out->whole_sets = c.check.whole_sets;
	out->sampled_sets = c.check.sampled_sets;
	out->scanned_elements = c.check.scanned_elements;
	out->detail = arena_strdup(arena, detail.buf);
	int ret = v == VERDICT_HARNESS_ERROR ? -1 : 0;
	if (ret && !err->len)
		strbuf_addstr(err, detail.len ? detail.buf : "a life could not be run");
	strbuf_release(&detail);
	strbuf_release(&ignored);
	return ret;
}
