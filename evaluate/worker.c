#include "evaluate/worker.h"
#include "evaluate/sandbox.h"
#include "ops/core/defence.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- starting -------------------------------------------------------- */

static void limit(int resource, int64_t value)
{
	struct rlimit l = { (rlim_t)value, (rlim_t)value };

	setrlimit(resource, &l);
}

enum { DESCRIPTORS = 7, NO_SANDBOX = 125 };
/* The child's descriptors 0..6: requests, replies, messages, inputs, outputs, plan, a confined kernel's artifact. */
struct descriptors {
	int fd[DESCRIPTORS];
};

static void take_descriptors(const struct descriptors *d)
{
	int high[DESCRIPTORS];

	/* Above all targets first, so that none is overwritten before it is moved. */
	for (int i = 0; i < DESCRIPTORS; i++)
		high[i] = d->fd[i] < 0 ? -1 : fcntl(d->fd[i], F_DUPFD, 16);
	for (int i = 0; i < DESCRIPTORS; i++)
		if (high[i] >= 0 && dup2(high[i], i) < 0)
			_exit(127);
	/* What else is open ends with exec. */
	close_range(d->fd[5] < 0 ? 5 : d->fd[6] < 0 ? 6 : 7, ~0u, CLOSE_RANGE_CLOEXEC);
}

NORETURN static void child(const struct stage *stage, const struct worker_start *s, const struct descriptors *d,
			   const struct sandbox *box, pid_t parent)
{
	char path[4200], threads[16], in_bytes[32], out_bytes[32], offsets[512];

	setsid();
	/* Before the signal below, which a change of user forgets. */
	if (s->is_confined && sandbox_enter(box))
		_exit(NO_SANDBOX);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	snprintf(path, sizeof(path), "%s/km-worker", proc_self_folder());
	snprintf(threads, sizeof(threads), "%d", s->threads);
	snprintf(in_bytes, sizeof(in_bytes), "%lld", (long long)stage->in_bytes);
	snprintf(out_bytes, sizeof(out_bytes), "%lld", (long long)stage->out_bytes);
	int n = 0;
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		n += snprintf(offsets + n, sizeof(offsets) - (size_t)n, "%lld,", (long long)stage->stage_case[0].offset[t]);
	take_descriptors(d);
	limit(RLIMIT_CORE, 0);
	if (s->memory_bytes)
		limit(RLIMIT_AS, s->memory_bytes);
	if (s->cpu_s)
		limit(RLIMIT_CPU, s->cpu_s);
	if (s->baseline) {
		execl(path, "km-worker", "baseline", s->baseline, s->problem, s->target, in_bytes, out_bytes, offsets, (char *)NULL);
	} else {
		limit(RLIMIT_FSIZE, 0);
		if (s->is_confined) {
			char *const words[] = { (char *)"km-worker", (char *)"kernel", (char *)"/proc/self/fd/6", threads, in_bytes, out_bytes, NULL }, *const environment[] = { defence_environment(), NULL };
			if (sandbox_seal(box))
				_exit(NO_SANDBOX);
			execveat(box->program, "", words, environment, AT_EMPTY_PATH);
			_exit(126);
		}
		execl(path, "km-worker", "kernel", s->artifact, threads, in_bytes, out_bytes, (char *)NULL);
	}
	_exit(126);
}

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

static enum heard read_whole(int fd, void *data, size_t len, double limit_s)
{
	int64_t deadline = clock_ns() + (int64_t)(limit_s * 1e9);
	char *p = data;

	while (len) {
		struct pollfd f = { fd, POLLIN, 0 };
		int64_t left = (deadline - clock_ns()) / 1000000;
		if (left <= 0)
			return HEARD_NOTHING;
		int ready = poll(&f, 1, left > 1000 ? 1000 : (int)left + 1);
		if (ready < 0 && errno != EINTR)
			return HEARD_END;
		if (ready <= 0)
			continue;
		ssize_t n = read(fd, p, len);
		if (n <= 0)
			return HEARD_END;
		p += n;
		len -= (size_t)n;
	}
	return HEARD_ALL;
}

/* Waits for the end of the process, which closed its pipe; kills what does not go, and says so. */
static bool reap(pid_t pid, int *status, struct rusage *usage)
{
	int64_t deadline = clock_ns() + 500000000;
	bool lingers = false;

	while (wait4(pid, status, WNOHANG, usage) == 0) {
		if (clock_ns() > deadline && !lingers)
			lingers = !kill(-pid, SIGKILL);
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
	}
	kill(-pid, SIGKILL); /* whatever it started */
	return lingers;
}

/* The process ended or hung: why, as a verdict. */
static enum verdict post_mortem(struct worker *w, bool timed_out, struct strbuf *detail)
{
	int status = 0;
	struct rusage usage = { 0 };

	if (timed_out)
		kill(-w->pid, SIGKILL);
	bool lingered = reap(w->pid, &status, &usage);
	w->pid = 0;
	if (!w->is_up && WIFEXITED(status) && WEXITSTATUS(status) == NO_SANDBOX) {
		strbuf_addstr(detail, "the sandbox refused a layer it had before: see 'km-evaluate doctor'");
		return VERDICT_HARNESS_ERROR;
	}
	if (!w->is_up) {
		strbuf_addf(detail, "cannot start '%s/km-worker'", proc_self_folder());
		return VERDICT_HARNESS_ERROR;
	}
	if (timed_out) {
		strbuf_addstr(detail, "no answer within the time limit");
		return VERDICT_TIMEOUT;
	}
	/* Killed, or dead of a failed allocation, with most of what it may have in use. */
	int64_t own_bytes = w->memory_bytes - w->stage->in_bytes - w->stage->out_bytes;
	if (w->memory_bytes && WIFSIGNALED(status) && (int64_t)usage.ru_maxrss * 1024 > own_bytes / 2) {
		strbuf_addf(detail, "used %ld MiB of memory", usage.ru_maxrss >> 10);
		return VERDICT_MEMORY;
	}
	if (lingered) {
		strbuf_addstr(detail, "closed its pipe before its work was done, and had to be killed");
		return VERDICT_EARLY_EXIT;
	}
	if (WIFSIGNALED(status)) {
		int signal = WTERMSIG(status);
		if (signal == SIGSYS) {
			strbuf_addstr(detail, "made a system call that candidates may not make");
			return VERDICT_RUNTIME_ERROR;
		}
		strbuf_addf(detail, "ended by signal %d (%s)", signal, strsignal(signal));
		return signal == SIGXCPU ? VERDICT_TIMEOUT : VERDICT_RUNTIME_ERROR;
	}
	if (WEXITSTATUS(status) == 77) {
		strbuf_addstr(detail, "wrote to an input");
		return VERDICT_INCORRECT_INPUT_MUTATED;
	}
	strbuf_addf(detail, "ended with exit code %d before its work was done", WEXITSTATUS(status));
	return VERDICT_EARLY_EXIT;
}

static enum verdict answer(struct worker *w, double limit_s, enum worker_word wanted, enum verdict refused,
			   struct worker_reply *reply, struct strbuf *detail)
{
	enum heard heard = read_whole(w->from, reply, sizeof(*reply), limit_s);

	if (heard != HEARD_ALL)
		return post_mortem(w, heard == HEARD_NOTHING, detail);
	reply->text[sizeof(reply->text) - 1] = 0;
	if (reply->word == (int32_t)wanted)
		return VERDICT_PASSED;
	strbuf_addstr(detail, reply->text);
	return strstr(reply->text, "out of memory") ? VERDICT_MEMORY : refused;
}

/* ---- the conversation ------------------------------------------------ */

static int start_process(struct worker *w, const struct stage *stage, const struct worker_start *start, struct strbuf *err)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, plan = -1, nowhere = -1, ret = -1;
	struct sandbox box = { .ruleset = -1, .program = -1, .artifact = -1 };
	char program[4200];

	snprintf(program, sizeof(program), "%s/km-worker", proc_self_folder());
	if (start->is_confined && sandbox_prepare(&box, program, start->artifact, err))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC) || (start->plan && (plan = plan_file(start->plan)) < 0))
		goto out;
	/* A candidate has nothing to say; a library's words may help. */
	nowhere = start->plan ? open("/dev/null", O_WRONLY | O_CLOEXEC) : 2;
	pid_t parent = getpid();
	w->pid = fork();
	if (w->pid < 0) {
		w->pid = 0;
		goto out;
	}
	if (!w->pid)
		child(stage, start, &(struct descriptors){ { to[0], from[1], nowhere, stage->in_fd, stage->out_fd, plan, box.artifact } }, &box, parent);
	w->to = to[1];
	w->from = from[0];
	to[1] = from[0] = -1;
	ret = 0;
out:
	if (ret)
		strbuf_addstr(err, strerror(errno));
	sandbox_release(&box);
	for (int i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	if (plan >= 0)
		close(plan);
	if (nowhere > 2)
		close(nowhere);
	return ret;
}

enum verdict worker_open(struct worker *w, const struct stage *stage, const struct worker_start *start, struct strbuf *detail)
{
	struct worker_reply reply;

	*w = (struct worker){ .to = -1, .from = -1, .stage = stage, .memory_bytes = start->memory_bytes };
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

static enum verdict ask(struct worker *w, size_t i, enum worker_op op, int calls, int first_set, const int *plan_dim,
			size_t plan_dims, double limit_s, struct worker_reply *reply, struct strbuf *detail)
{
	const struct stage_case *c = &w->stage->stage_case[i];
	struct worker_request q = { .op = op, .calls = calls, .sets = c->sets, .first_set = first_set, .in_first = c->in_first,
				    .out_first = c->out_first, .in_set_bytes = c->in_set_bytes, .out_set_bytes = c->out_set_bytes };

	memset(reply, 0, sizeof(*reply));
	if (!w->pid)
		return VERDICT_EARLY_EXIT;
	for (size_t d = 0; d < plan_dims; d++)
		q.dim[d] = c->problem.dim[plan_dim[d]];
	memcpy(q.offset, c->offset, sizeof(q.offset));
	if (write(w->to, &q, sizeof(q)) != (ssize_t)sizeof(q))
		return post_mortem(w, false, detail);
	return answer(w, limit_s, WORKER_DONE, VERDICT_RUNTIME_ERROR, reply, detail);
}

enum verdict worker_run(struct worker *w, size_t i, int set, const int *plan_dim, size_t plan_dims, double limit_s,
			struct strbuf *detail)
{
	struct worker_reply reply;
	return ask(w, i, WORKER_RUN, 1, set, plan_dim, plan_dims, limit_s, &reply, detail);
}

enum verdict worker_time(struct worker *w, size_t i, int calls, int first_set, const int *plan_dim, size_t plan_dims,
			 double limit_s, int64_t *ns, struct strbuf *detail)
{
	struct worker_reply reply;
	enum verdict v = ask(w, i, WORKER_TIME, calls, first_set, plan_dim, plan_dims, limit_s, &reply, detail);

	*ns = reply.ns;
	return v;
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
			sched_setaffinity(worker->pid, sizeof(one), &one);
			return;
		}
}

void worker_close(struct worker *w)
{
	if (w->to >= 0)
		close(w->to);
	if (w->from >= 0)
		close(w->from);
	if (w->pid > 0) {
		kill(-w->pid, SIGKILL);
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*w = (struct worker){ .to = -1, .from = -1 };
}
