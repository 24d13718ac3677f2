/*
 * km-worker: runs one kernel (or one baseline) for km-evaluate.  Requests come on
 * descriptor 0, replies go to 1; 3 is the inputs' memory, mapped read-only, 4 the
 * outputs', 5 the launch plan's text.  It holds no expected value.
 */
#include "evaluate/baseline.h"
#include "evaluate/judge.h"
#include "evaluate/worker/inside.h"
#include "ops/core/diag.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool next_request(struct worker_request *q)
{
	char *p = (char *)q;

	for (size_t left = sizeof(*q); left;) {
		ssize_t n = read(0, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		left -= (size_t)n;
	}
	return q->op != WORKER_QUIT;
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Maps every page of a case's sets, so that no page fault falls into a timing. */
static void touch_sets(const struct worker_request *q)
{
	static int64_t touched = -1;
	char *in = inside.in + q->in_first, *out = inside.out + q->out_first;
	size_t in_len = (size_t)(q->in_set_bytes * q->sets), out_len = (size_t)(q->out_set_bytes * q->sets);
	volatile char seen = 0;

	if (touched == q->out_first)
		return;
	touched = q->out_first;
	if (madvise(in, in_len, MADV_POPULATE_READ))
		for (size_t i = 0; i < in_len; i += 4096)
			seen = (char)(seen + in[i]);
	if (madvise(out, out_len, MADV_POPULATE_WRITE))
		for (size_t i = 0; i < out_len; i += 4096)
			out[i] = *(volatile char *)(out + i);
}

/* ---- kernels --------------------------------------------------------- */

static struct kernel *open_kernel(struct arena *arena, const struct launcher **launcher, struct plan *plan, const char *artifact,
				  int threads, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	struct kernel *kernel = NULL;

	if (strbuf_read_fd(&text, 5))
		strbuf_addf(err, "cannot read the plan: %s", strerror(errno));
	else if (!plan_parse(arena, text.buf, "plan", plan, err) && !(*launcher = launcher_find(plan->artifact)))
		strbuf_addf(err, "no launcher for artifact kind '%s'", plan->artifact);
	else if (!err->len)
		kernel = (*launcher)->open(plan, artifact, threads, err);
	close(5);
	strbuf_release(&text);
	return kernel;
}

/* ---- a device's own copy of both memories ---------------------------- */

struct copies {
	const struct launcher_memory *memory; /* NULL: the kernel uses the host's */
	struct kernel *kernel;
	char *in, *out;
	int64_t placed;                       /* where the case lies whose inputs were copied last, or -1 */
	char *back;                           /* room for one set of inputs, read back */
	int64_t back_bytes;
};

static int open_copies(struct copies *c, const struct launcher *launcher, struct kernel *kernel, struct strbuf *err)
{
	*c = (struct copies){ .memory = launcher->memory, .kernel = kernel, .in = inside.in, .out = inside.out, .placed = -1 };
	if (!c->memory)
		return 0;
	c->in = c->memory->allocate(kernel, (size_t)inside.in_bytes, err);
	c->out = c->in ? c->memory->allocate(kernel, (size_t)inside.out_bytes, err) : NULL;
	return c->out ? 0 : -1;
}

/* All sets of a case's inputs, once; before a checked run, that set of the outputs with its poison and guards. */
static int send_case(struct copies *c, const struct worker_request *q, struct strbuf *err)
{
	if (!c->memory)
		return 0;
	int64_t out = q->out_first + q->first_set * q->out_set_bytes;
	if (c->placed != q->in_first &&
	    c->memory->write(c->kernel, c->in + q->in_first, inside.in + q->in_first, (size_t)(q->in_set_bytes * q->sets), err))
		return -1;
	c->placed = q->in_first;
	return q->op != WORKER_RUN ? 0 : c->memory->write(c->kernel, c->out + out, inside.out + out, (size_t)q->out_set_bytes, err);
}

/* After a checked run: the outputs; and no process but this one can tell whether the inputs are what they were. */
static int receive_case(struct copies *c, const struct worker_request *q, struct strbuf *err)
{
	int64_t out = q->out_first + q->first_set * q->out_set_bytes, in = q->in_first + q->first_set * q->in_set_bytes;

	if (!c->memory || q->op != WORKER_RUN)
		return 0;
	if (c->back_bytes < q->in_set_bytes) {
		free(c->back);
		c->back = malloc((size_t)q->in_set_bytes);
		c->back_bytes = c->back ? q->in_set_bytes : 0;
	}
	if (!c->back) {
		strbuf_addstr(err, "out of memory for inputs read back");
		return -1;
	}
	if (c->memory->read(c->kernel, inside.out + out, c->out + out, (size_t)q->out_set_bytes, err) ||
	    c->memory->read(c->kernel, c->back, c->in + in, (size_t)q->in_set_bytes, err))
		return -1;
	if (memcmp(c->back, inside.in + in, (size_t)q->in_set_bytes))
		_exit(WORKER_EXIT_MUTATED);
	return 0;
}

static void *pointer(const struct copies *c, const struct worker_request *q, int t, bool is_input, int set)
{
	return (is_input ? c->in : c->out) + q->offset[t] + set * (is_input ? q->in_set_bytes : q->out_set_bytes);
}

/* ---- timing ---------------------------------------------------------- */

/* What is called over and over: the kernel, or a library's function. */
struct callee {
	struct copies *copies;
	const struct worker_request *request;
	int (*call)(struct callee *c, int number, struct strbuf *err);
	int first, count; /* of the request's calls, those that start() makes */
	struct clocks clocks; /* seen during the request */
	/* of a kernel */
	const struct launcher *launcher;
	const struct plan *plan;
	/* of a library */
	const struct baseline *baseline;
	struct baseline_state *state;
	const struct problem *problem;
};

static int call_kernel(struct callee *c, int number, struct strbuf *err)
{
	const struct worker_request *q = c->request;
	void *buf[PLAN_MAX_NAMES] = { NULL };

	/* The plan's tensors come in the operator's order; temporaries, which follow, are the launcher's. */
	for (size_t b = 0; b < c->plan->buffer_count && b < PLAN_MAX_NAMES && c->plan->buffer[b].role != PLAN_TMP; b++)
		buf[b] = pointer(c->copies, q, (int)b, c->plan->buffer[b].role == PLAN_IN, (q->first_set + number) % q->sets);
	return c->launcher->run(c->copies->kernel, buf, q->dim, err);
}

static int call_library(struct callee *c, int number, struct strbuf *err)
{
	const struct worker_request *q = c->request;
	void *buf[OP_MAX_TENSORS];

	for (int t = 0; t < OP_MAX_TENSORS && c->problem->op->tensor[t].name; t++)
		buf[t] = pointer(c->copies, q, t, c->problem->op->tensor[t].role == OP_IN, (q->first_set + number) % q->sets);
	c->baseline->bind(c->state, buf);
	if (!c->baseline->run(c->state))
		return 0;
	strbuf_addstr(err, "the library failed");
	return -1;
}

static void look(void *user)
{
	struct callee *c = user;
	struct clocks now;

	clocks_look(&now);
	if (now.sm_mhz)
		c->clocks = now;
}

static int start_calls(void *user, struct strbuf *err)
{
	struct callee *c = user;
	int bad = 0;

	for (int i = 0; i < c->count && !bad; i++)
		bad = c->call(c, c->first + i, err);
	return bad;
}

/* All calls of a request; *ns is the time from the first's start to the last's end, the device's own where it has a clock. */
static int run_calls(struct callee *c, int64_t *ns, struct strbuf *err)
{
	enum { QUEUED = 256 }; /* launches at once: more than a device's queue takes would wait for what waits */
	static int64_t readied[OP_MAX_DIMS] = { -1 };
	const struct worker_request *q = c->request;
	const struct launcher_memory *memory = c->copies->memory;
	int64_t start = clock_ns();

	c->first = 0;
	c->count = q->calls;
	if (q->op != WORKER_TIME || !memory) {
		int bad = start_calls(c, err) || (memory && memory->wait(c->copies->kernel, err));
		*ns = clock_ns() - start;
		return bad;
	}
	/* What a first call allocates, it allocates now. */
	if (memcmp(readied, q->dim, sizeof(readied))) {
		if (c->call(c, 0, err) || memory->wait(c->copies->kernel, err))
			return -1;
		memcpy(readied, q->dim, sizeof(readied));
	}
	int most = c->plan && c->plan->step_count > 1 ? QUEUED / (int)c->plan->step_count : QUEUED;
	*ns = 0;
	for (c->first = 0; c->first < q->calls; c->first += c->count) {
		int64_t some = 0;
		c->count = q->calls - c->first < most ? q->calls - c->first : most;
		if (memory->timed(&(struct launcher_timing){ start_calls, look, c, .is_replayed = c->count > 1 }, &some, err))
			return -1;
		*ns += some;
	}
	return 0;
}

static int serve_kernel(const char *artifact, int threads)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct plan plan;
	struct worker_request q;
	struct copies copies;
	const struct launcher *launcher = NULL;
	struct kernel *kernel = open_kernel(&arena, &launcher, &plan, artifact, threads, &err);

	if (!kernel || open_copies(&copies, launcher, kernel, &err)) {
		inside_reply(WORKER_REFUSED, 0, err.buf);
		return 1;
	}
	inside_reply(WORKER_DONE, 0, "");
	while (next_request(&q)) {
		int64_t ns = 0;
		if (q.op == WORKER_TIME && !copies.memory)
			touch_sets(&q);
		struct callee callee = { .copies = &copies, .request = &q, .call = call_kernel, .launcher = launcher, .plan = &plan };
		if (send_case(&copies, &q, &err) || run_calls(&callee, &ns, &err) || receive_case(&copies, &q, &err)) {
			inside_reply(WORKER_REFUSED, ns, err.buf);
			return 1;
		}
		inside_reply_timed(ns, &callee.clocks);
	}
	return 0;
}

/* ---- baselines ------------------------------------------------------- */

static struct baseline_state *open_baseline(const struct baseline *baseline, const char *problem_text, const char *target_name,
					    const char *offsets, struct copies *copies, struct problem *problem, struct strbuf *setting, struct strbuf *err)
{
	const struct target *target = target_find(target_name, err);
	const struct launcher *launcher = launcher_find(baseline->artifact);
	void *buf[OP_MAX_TENSORS];

	if (launcher && launcher->memory && launcher->memory->begin(err))
		return NULL;
	/* Libraries choose by timing on what is there: real data. */
	if (!launcher || open_copies(copies, launcher, NULL, err) ||
	    (copies->memory && copies->memory->write(NULL, copies->in, inside.in, (size_t)inside.in_bytes, err)))
		return NULL;
	if (op_load_extra(NULL, err))
		return NULL;
	if (!target || problem_parse(problem_text, problem, err))
		return NULL;
	for (int t = 0; t < OP_MAX_TENSORS && problem->op->tensor[t].name; t++) {
		int64_t at = strtoll(offsets, (char **)(uintptr_t)&offsets, 10);
		offsets++;
		buf[t] = (problem->op->tensor[t].role == OP_IN ? copies->in : copies->out) + at;
	}
	return baseline->open(problem, target, buf, setting, err);
}

static int serve_baseline(const char *name, const char *problem_text, const char *target_name, const char *offsets, const char *earlier)
{
	const struct baseline *baseline = baseline_find(name);
	struct strbuf setting = STRBUF_INIT, err = STRBUF_INIT;
	struct problem problem;
	struct worker_request q;
	struct copies copies;

	strbuf_addstr(&setting, earlier);
	struct baseline_state *state =
		baseline ? open_baseline(baseline, problem_text, target_name, offsets, &copies, &problem, &setting, &err) : NULL;

	if (!state) {
		inside_reply(WORKER_REFUSED, 0, err.len ? err.buf : "unknown baseline");
		return 1;
	}
	inside_reply(WORKER_DONE, 0, setting.buf);
	while (next_request(&q)) {
		int64_t ns = 0;
		if (q.op == WORKER_TIME && !copies.memory)
			touch_sets(&q);
		struct callee callee = { .copies = &copies, .request = &q, .call = call_library, .baseline = baseline, .state = state, .problem = &problem };
		if (send_case(&copies, &q, &err) || run_calls(&callee, &ns, &err) || receive_case(&copies, &q, &err))
			inside_reply(WORKER_REFUSED, ns, err.buf);
		else
			inside_reply_timed(ns, &callee.clocks);
	}
	baseline->close(state);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_kernel = argc == 6 && !strcmp(argv[1], "kernel"), is_life = argc == 6 && !strcmp(argv[1], "life");
	bool is_baseline = argc == 9 && !strcmp(argv[1], "baseline");

	diag_tool = "km-worker";
	if (!is_kernel && !is_life && !is_baseline) {
		fprintf(stderr, "km-worker: usage: started by km-evaluate only\n");
		return KM_EXIT_USAGE;
	}
	/* What is written to stdout must not reach the replies. */
	inside.reply_fd = fcntl(1, F_DUPFD_CLOEXEC, 8);
	if (inside.reply_fd < 0 || dup2(2, 1) < 0)
		return 1;
	inside_watch_faults();
	/* Its memory is nobody's to read or write through /proc; exec forgets what was set before. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	inside_reply(WORKER_HELLO, 0, "");
	if (!inside_map(argv[is_baseline ? 5 : 4], argv[is_baseline ? 6 : 5]))
		return 1;
	if (is_life)
		return life_main(argv[2], atoi(argv[3]));
	return is_kernel ? serve_kernel(argv[2], atoi(argv[3])) : serve_baseline(argv[2], argv[3], argv[4], argv[7], argv[8]);
}
