#include "evaluate/worker.h"
#include "ops/core/defence.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- starting -------------------------------------------------------- */

/* The plan as a file without a name, so that nothing is left behind; -1 with errno. */
static int plan_file(const char *plan)
{
	int fd = memfd_create("km-plan", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, plan, strlen(plan)) != (ssize_t)strlen(plan)) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* ---- listening ------------------------------------------------------- */

enum heard { HEARD_ALL, HEARD_END, HEARD_NOTHING };

/*
 * What a limit means on a busy machine: what the process waited for a processor that others had is not
 * counted.  It is looked at when an answer has taken a second; quick ones cost nothing.
 */
struct patience {
	int64_t first_look_ns, deadline_ns, waited_ns;
};

static struct patience patience_of(double limit_s)
{
	int64_t now = clock_ns(), limit_ns = (int64_t)(limit_s * 1e9);

	return (struct patience){ now + (limit_ns < 1000000000 ? limit_ns : 1000000000), now + limit_ns, 0 };
}

static enum sandbox_event watch(struct worker *w, struct patience *p)
{
	/* Who sleeps waits for a processor too, a little, each time it wakes. */
	enum { LEAST_NS = 50000000 };

	if (p->first_look_ns) {
		enum sandbox_event event = sandbox_watch(&w->box, w->from, p->first_look_ns);
		if (event != SANDBOX_LATE)
			return event;
		p->first_look_ns = 0;
		p->waited_ns = sandbox_waited_ns(&w->box);
	}
	for (;;) {
		enum sandbox_event event = sandbox_watch(&w->box, w->from, p->deadline_ns);
		int64_t waited_ns = event == SANDBOX_LATE ? sandbox_waited_ns(&w->box) : 0;
		if (waited_ns - p->waited_ns < LEAST_NS)
			return event;
		p->deadline_ns += waited_ns - p->waited_ns;
		p->waited_ns = waited_ns;
	}
}

static enum heard read_whole(struct worker *w, void *data, size_t len, double limit_s)
{
	struct patience patience = patience_of(limit_s);
	char *p = data;

	while (len) {
		enum sandbox_event event = watch(w, &patience);
		if (event == SANDBOX_LATE)
			return HEARD_NOTHING;
		if (event != SANDBOX_READY)
			return HEARD_END;
		ssize_t n = read(w->from, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			w->error = errno;
		if (n <= 0)
			return HEARD_END;
		p += n;
		len -= (size_t)n;
	}
	return HEARD_ALL;
}

/* The first line of what it said (but rules), fit for any reader: a library's last words may help. */
static void add_words(const struct worker *w, struct strbuf *detail)
{
	enum { MOST = 160 };
	const struct strbuf *said = &w->box.said;
	const char *line = said->buf;

	while (*line == '=' && line[strspn(line, "=")] == '\n')
		line += strspn(line, "=") + 1;
	size_t len = strcspn(line, "\n");
	if (said->len)
		strbuf_addstr(detail, "; it said '");
	for (size_t i = 0; i < len && i < MOST; i++)
		strbuf_addch(detail, isprint((unsigned char)line[i]) && line[i] != '\'' ? line[i] : '?');
	if (said->len)
		strbuf_addf(detail, "'%s", len > MOST ? " and more" : "");
	if (w->box.dropped_bytes)
		strbuf_addf(detail, ", %lld bytes in all", (long long)said->len + (long long)w->box.dropped_bytes);
}

/* The process ended: why, as a verdict. */
static enum verdict judge_end(const struct worker *w, const struct sandbox_end *end, bool lingered, struct strbuf *detail)
{
	/* Killed, or dead of a failed allocation, with most of what it may have in use. */
	int64_t own_bytes = w->memory_bytes - w->stage->in_bytes - w->stage->out_bytes;

	if (end->over_memory || (w->memory_bytes && end->signal && end->rss_bytes > own_bytes / 2)) {
		strbuf_addf(detail, "used %lld MiB of memory", (long long)end->rss_bytes >> 20);
		return VERDICT_MEMORY;
	}
	if (lingered) {
		strbuf_addstr(detail, "closed its pipe before its work was done, and had to be killed");
		return VERDICT_EARLY_EXIT;
	}
	if (end->over_cpu || end->signal == SIGXCPU) {
		strbuf_addf(detail, "used %.1f s of CPU time", end->cpu_s);
		return VERDICT_TIMEOUT;
	}
	if (end->signal == SIGSYS) {
		strbuf_addstr(detail, "made a system call that candidates may not make");
		return VERDICT_RUNTIME_ERROR;
	}
	if (end->signal) {
		strbuf_addf(detail, "ended by signal %d (%s)", end->signal, strsignal(end->signal));
		return VERDICT_RUNTIME_ERROR;
	}
	if (end->exit_code == WORKER_EXIT_MUTATED) {
		strbuf_addstr(detail, "wrote to an input");
		return VERDICT_INCORRECT_INPUT_MUTATED;
	}
	if (end->exit_code == WORKER_EXIT_BESIDE) {
		strbuf_addstr(detail, "touched memory that is not its own");
		return VERDICT_INCORRECT_OUT_OF_BOUNDS;
	}
	strbuf_addf(detail, "ended with exit code %d before its work was done", end->exit_code);
	return VERDICT_EARLY_EXIT;
}

/* It answers no more: it ended, or is ended now.  Why, as a verdict. */
static enum verdict post_mortem(struct worker *w, bool timed_out, struct strbuf *detail)
{
	struct sandbox_end end;
	/* Who closes the pipe is about to go; who does not go is killed. */
	bool lingers = !timed_out && sandbox_watch(&w->box, -1, clock_ns() + 500000000) == SANDBOX_LATE;

	sandbox_end(&w->box, &end);
	w->was_killed = !timed_out && !lingers && !end.over_memory && !end.over_cpu && end.signal == SIGKILL;
	if (w->error) {
		strbuf_addf(detail, "cannot talk with a worker: %s", strerror(w->error));
		return VERDICT_HARNESS_ERROR;
	}
	if (!w->is_up) {
		strbuf_addf(detail, "cannot start '%s/km-worker'", proc_self_folder());
		add_words(w, detail);
		return VERDICT_HARNESS_ERROR;
	}
	if (timed_out)
		strbuf_addstr(detail, "no answer within the time limit");
	enum verdict v = timed_out ? VERDICT_TIMEOUT : judge_end(w, &end, lingers, detail);
	add_words(w, detail);
	return v;
}

static enum verdict answer(struct worker *w, double limit_s, enum worker_word wanted, enum verdict refused,
			   struct worker_reply *reply, struct strbuf *detail)
{
	enum heard heard = read_whole(w, reply, sizeof(*reply), limit_s);

	if (heard != HEARD_ALL)
		return post_mortem(w, heard == HEARD_NOTHING, detail);
	reply->text[sizeof(reply->text) - 1] = 0;
	if (reply->word == (int32_t)wanted)
		return VERDICT_PASSED;
	strbuf_addstr(detail, reply->text);
	if (reply->word == WORKER_UNSERVED)
		return VERDICT_NOT_MEASURED;
	return strstr(reply->text, "out of memory") ? VERDICT_MEMORY : refused;
}

/* ---- the conversation ------------------------------------------------ */

/* Starts km-worker on the given ends of two pipes.  0, or -1 with *err. */
static int start_box(struct worker *w, const struct stage *stage, const struct worker_start *start, int requests, int replies, struct strbuf *err)
{
	char program[4200], script[4200], threads[16], in_bytes[32], out_bytes[32], offsets[512];
	int plan = start->plan ? plan_file(start->plan) : SANDBOX_NOWHERE, artifact = -1, helper = -1, n = 0;
	/* Requests, replies, messages, inputs, outputs, plan, and what a life is to do.  A baseline is ours, and speaks for itself. */
	const int fd[] = { requests, replies, start->plan ? SANDBOX_SAID : 2, stage->in_fd, stage->out_fd, plan, start->control };
	const char *path = start->is_confined ? "./kernel" : start->artifact;
	enum sandbox_role role = !start->is_confined ? SANDBOX_TRUSTED : start->is_python ? SANDBOX_COMPILER : SANDBOX_KERNEL;

	snprintf(program, sizeof(program), "%s/km-worker", proc_self_folder());
	snprintf(script, sizeof(script), "%s/km-life.py", proc_self_folder());
	snprintf(threads, sizeof(threads), "%d", start->threads);
	snprintf(in_bytes, sizeof(in_bytes), "%lld", (long long)stage->in_bytes);
	snprintf(out_bytes, sizeof(out_bytes), "%lld", (long long)stage->out_bytes);
	for (int t = 0; t < OP_MAX_TENSORS && stage->count; t++)
		n += snprintf(offsets + n, sizeof(offsets) - (size_t)n, "%lld,", (long long)stage->stage_case[0].offset[t]);
	if ((start->plan && plan < 0) || (start->is_confined && (artifact = open(start->artifact, O_RDONLY | O_CLOEXEC)) < 0)) {
		strbuf_addf(err, "cannot open '%s': %s", plan == -1 ? "the plan" : start->artifact, strerror(errno));
		if (plan >= 0)
			close(plan);
		return -1;
	}
	/* Python may start none of the processes that its box would let a compiler start: the helper, which goes first, sees to that. */
	if (start->is_python && (helper = open(script, O_RDONLY | O_CLOEXEC)) < 0)
		strbuf_addf(err, "cannot open '%s': %s", script, strerror(errno));
	struct sandbox_start box = {
		.role = role,
		.program = start->is_python ? "/usr/bin/python3" : program,
		.argv = start->baseline ? PROC_ARGV("km-worker", "baseline", start->baseline, start->problem, start->target, in_bytes, out_bytes, offsets,
						      start->setting ? start->setting : "")
			: start->group ? PROC_ARGV("km-worker", "group", start->group, in_bytes, out_bytes)
			: start->is_python ? PROC_ARGV("python3", "-I", "-B", start->is_confined ? "./km-life.py" : script, path)
					: PROC_ARGV("km-worker", start->is_life ? "life" : "kernel", path, threads, in_bytes, out_bytes),
		.file = (const struct sandbox_file[]){ { .name = "kernel", .fd = artifact }, { .name = "km-life.py", .fd = helper } },
		.sees_machine = start->is_python,
		.file_count = !start->is_confined ? 0 : start->is_python ? 2 : 1,
		.fd = fd,
		.fd_count = ARRAY_SIZE(fd) - !start->is_life,
		.address_bytes = defence_stands(DEFENCE_MEMORY_LIMIT) && !start->is_python ? start->memory_bytes : 0,
		.memory_bytes = defence_stands(DEFENCE_MEMORY_LIMIT) ? start->memory_bytes : 0,
		.sanitizer = start->sanitizer,
		.cpu_s = start->cpu_s,
		.processes = start->threads + (start->is_python ? 64 : 8),
	};
	int bad = start->is_python && helper < 0 ? -1 : sandbox_start(&w->box, &box, err);
	if (plan >= 0)
		close(plan);
	if (artifact >= 0)
		close(artifact);
	if (helper >= 0)
		close(helper);
	return bad;
}

static int start_process(struct worker *w, const struct stage *stage, const struct worker_start *start, struct strbuf *err)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, ret = -1;

	signal(SIGPIPE, SIG_IGN);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) {
		strbuf_addstr(err, strerror(errno));
	} else if (!start_box(w, stage, start, to[0], from[1], err)) {
		w->to = to[1];
		w->from = from[0];
		to[1] = from[0] = -1;
		ret = 0;
	}
	for (int i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	return ret;
}

enum verdict worker_open(struct worker *w, const struct stage *stage, const struct worker_start *start, struct strbuf *detail)
{
	struct worker_reply reply;

	*w = (struct worker){ .box = SANDBOX_INIT, .to = -1, .from = -1, .stage = stage, .memory_bytes = start->memory_bytes };
	strbuf_addstr(detail, "cannot start a worker: ");
	if (start_process(w, stage, start, detail))
		return start->artifact && access(start->artifact, R_OK) ? VERDICT_LOAD_ERROR : VERDICT_HARNESS_ERROR;
	strbuf_reset(detail);
	enum verdict v = answer(w, 30, WORKER_HELLO, VERDICT_HARNESS_ERROR, &reply, detail);
	w->is_up = v == VERDICT_PASSED;
	if (v == VERDICT_PASSED)
		v = answer(w, start->limit_s, WORKER_DONE, VERDICT_LOAD_ERROR, &reply, detail);
	if (v == VERDICT_PASSED)
		memcpy(w->setting, reply.text, sizeof(w->setting));
	else
		worker_close(w);
	return v;
}

/* false: it has gone, or w->error. */
static bool say(struct worker *w, const void *data, size_t len)
{
	for (const char *p = data; len;) {
		ssize_t n = write(w->to, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			w->error = errno == EPIPE ? 0 : errno;
			return false;
		}
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Sends a request and what belongs to it; the answer, or why there was none. */
static enum verdict ask(struct worker *w, const struct worker_request *q, const char *plan, const char *path, double limit_s, enum verdict refused,
			struct worker_reply *reply, struct strbuf *detail)
{
	memset(reply, 0, sizeof(*reply));
	if (!w->box.pid)
		return VERDICT_EARLY_EXIT;
	if (!say(w, q, sizeof(*q)) || !say(w, plan, (size_t)q->plan_bytes) || !say(w, path, (size_t)q->path_bytes))
		return post_mortem(w, false, detail);
	return answer(w, limit_s, WORKER_DONE, refused, reply, detail);
}

enum verdict worker_ask(struct worker *w, enum worker_op op, const struct worker_task *task, int64_t *ns, struct strbuf *detail)
{
	const struct stage_case *c = &w->stage->stage_case[task->i];
	struct worker_request q = { .op = op, .calls = task->calls, .sets = c->sets, .first_set = task->first_set, .slot = task->slot,
				    .in_first = c->in_first, .out_first = c->out_first, .in_set_bytes = c->in_set_bytes, .out_set_bytes = c->out_set_bytes };
	struct worker_reply reply;

	for (size_t d = 0; d < task->plan_dims; d++)
		q.dim[d] = c->problem.dim[task->plan_dim[d]];
	memcpy(q.offset, c->offset, sizeof(q.offset));
	for (int t = 0; t < OP_MAX_TENSORS && c->problem.op->tensor[t].name; t++)
		q.bytes[t] = problem_bytes(&c->problem, t);
	enum verdict v = ask(w, &q, NULL, NULL, task->limit_s, VERDICT_RUNTIME_ERROR, &reply, detail);
	*ns = reply.ns;
	w->last = reply.clocks;
	clocks_keep(&w->clocks, &w->last);
	return v;
}

enum verdict worker_load(struct worker *w, const char *plan, const char *artifact, double limit_s, int *slot, struct strbuf *detail)
{
	const struct stage_case *c = &w->stage->stage_case[0];
	const struct worker_request q = { .op = WORKER_LOAD, .sets = c->sets, .out_first = c->out_first, .out_set_bytes = c->out_set_bytes, .plan_bytes = (int32_t)strlen(plan), .path_bytes = (int32_t)strlen(artifact) };
	struct worker_reply reply;
	enum verdict v = ask(w, &q, plan, artifact, limit_s, VERDICT_LOAD_ERROR, &reply, detail);

	*slot = (int)reply.ns;
	return v;
}

enum verdict worker_unload(struct worker *w, int slot, struct strbuf *detail)
{
	const struct worker_request q = { .op = WORKER_UNLOAD, .slot = slot };
	struct worker_reply reply;

	return ask(w, &q, NULL, NULL, 30, VERDICT_RUNTIME_ERROR, &reply, detail);
}

enum verdict worker_settle(struct worker *w, int slot, struct strbuf *detail)
{
	const struct worker_request q = { .op = WORKER_SETTLE, .slot = slot };
	struct worker_reply reply;

	return ask(w, &q, NULL, NULL, 30, VERDICT_RUNTIME_ERROR, &reply, detail);
}

enum verdict worker_hear(struct worker *w, double limit_s, struct worker_reply *reply, struct strbuf *detail)
{
	return answer(w, limit_s, WORKER_DONE, VERDICT_RUNTIME_ERROR, reply, detail);
}

void worker_stay(const struct worker *worker, int turn)
{
	cpu_set_t allowed, one;
	int count, nth;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) || !(count = CPU_COUNT(&allowed)))
		return;
	/* The last one first: interrupts tend to go to the first. */
	nth = turn % count;
	for (int cpu = CPU_SETSIZE; cpu-- > 0;)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			sched_setaffinity(worker->box.pid, sizeof(one), &one);
			return;
		}
}

void worker_close(struct worker *w)
{
	if (w->to >= 0)
		close(w->to);
	if (w->from >= 0)
		close(w->from);
	sandbox_release(&w->box);
	*w = (struct worker){ .box = SANDBOX_INIT, .to = -1, .from = -1, .was_killed = w->was_killed };
}
