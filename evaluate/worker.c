#include "evaluate/worker.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char last_setting[256];

const char *worker_setting(const struct worker *worker)
{
	(void)worker;
	return last_setting;
}

static void limit(int resource, int64_t value)
{
	struct rlimit l = { (rlim_t)value, (rlim_t)value };

	if (value > 0)
		setrlimit(resource, &l);
}

/* In the child: limits, then the worker program with the stage's memory as descriptors 3 and 4. */
NORETURN static void child(const struct stage *stage, const struct worker_start *s, int in, int out, pid_t parent)
{
	char path[4200], threads[16], in_bytes[32], out_bytes[32], stage_case[512];
	const struct stage_case *c = &stage->stage_case[s->stage_case];

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	snprintf(path, sizeof(path), "%s/km-worker", proc_self_folder());
	snprintf(threads, sizeof(threads), "%d", s->threads);
	snprintf(in_bytes, sizeof(in_bytes), "%lld", (long long)stage->in_bytes);
	snprintf(out_bytes, sizeof(out_bytes), "%lld", (long long)stage->out_bytes + 4096);
	int n = 0;
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		n += snprintf(stage_case + n, sizeof(stage_case) - (size_t)n, "%lld,", (long long)c->offset[t]);
	/* Descriptors: 0 requests, 1 replies, 2 is left as it is; then the memories. */
	dup2(in, 0);
	dup2(out, 1);
	if (dup2(stage->in_fd, 20) < 0 || dup2(stage->out_fd, 21) < 0)
		_exit(127);
	dup2(20, 3);
	dup2(21, 4);
	for (int fd = 5; fd < 1024; fd++)
		close(fd);
	limit(RLIMIT_CORE, 0);
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	limit(RLIMIT_AS, s->memory_bytes);
	limit(RLIMIT_CPU, s->cpu_s);
	limit(RLIMIT_FSIZE, INT64_C(1) << 20);
	if (s->baseline) {
		struct rlimit free_size = { RLIM_INFINITY, RLIM_INFINITY };
		setrlimit(RLIMIT_FSIZE, &free_size);
		execl(path, "km-worker", "baseline", s->baseline, s->problem, s->target, in_bytes, out_bytes, stage_case, (char *)NULL);
	} else {
		execl(path, "km-worker", "kernel", s->plan_path, s->artifact, threads, in_bytes, out_bytes, (char *)NULL);
	}
	_exit(126);
}

static int read_whole(int fd, void *data, size_t len, double limit_s)
{
	int64_t deadline = clock_ns() + (int64_t)(limit_s * 1e9);
	char *p = data;

	while (len) {
		struct pollfd f = { fd, POLLIN, 0 };
		int64_t left = (deadline - clock_ns()) / 1000000;
		if (left <= 0)
			return -2;
		int ready = poll(&f, 1, left > 1000 ? 1000 : (int)left + 1);
		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready <= 0)
			continue;
		ssize_t n = read(fd, p, len);
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The process ended or hung: why, as a verdict. */
static enum verdict post_mortem(struct worker *w, bool timed_out, struct strbuf *detail)
{
	int status = 0;

	if (timed_out)
		kill(-w->pid, SIGKILL);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	kill(-w->pid, SIGKILL);
	w->pid = 0;
	if (timed_out) {
		strbuf_addstr(detail, "no answer within the time limit");
		return VERDICT_TIMEOUT;
	}
	if (WIFSIGNALED(status)) {
		int signal = WTERMSIG(status);
		strbuf_addf(detail, "ended by signal %d (%s)", signal, strsignal(signal));
		return signal == SIGXCPU ? VERDICT_TIMEOUT : VERDICT_RUNTIME_ERROR;
	}
	if (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127) {
		strbuf_addf(detail, "cannot start '%s/km-worker'", proc_self_folder());
		return VERDICT_HARNESS_ERROR;
	}
	if (WEXITSTATUS(status) == 77) {
		strbuf_addstr(detail, "wrote to an input");
		return VERDICT_INCORRECT_INPUT_MUTATED;
	}
	strbuf_addf(detail, "ended with exit code %d before its work was done", WEXITSTATUS(status));
	return VERDICT_EARLY_EXIT;
}

static enum verdict answer(struct worker *w, double limit_s, enum verdict refused, struct worker_reply *reply, struct strbuf *detail)
{
	int got = read_whole(w->from, reply, sizeof(*reply), limit_s);

	if (got)
		return post_mortem(w, got == -2, detail);
	reply->text[sizeof(reply->text) - 1] = 0;
	if (!reply->ok) {
		strbuf_addstr(detail, reply->text);
		if (strstr(reply->text, "memory"))
			return VERDICT_MEMORY;
		return refused;
	}
	return VERDICT_PASSED;
}

enum verdict worker_open(struct worker *w, const struct stage *stage, const struct worker_start *start, struct strbuf *detail)
{
	int to[2], from[2];
	struct worker_reply reply;

	*w = (struct worker){ .to = -1, .from = -1, .stage = stage };
	signal(SIGPIPE, SIG_IGN);
	if (pipe(to))
		goto fail;
	if (pipe(from)) {
		close(to[0]);
		close(to[1]);
		goto fail;
	}
	pid_t parent = getpid();
	w->pid = fork();
	if (w->pid < 0) {
		w->pid = 0;
		goto fail;
	}
	if (!w->pid)
		child(stage, start, to[0], from[1], parent);
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
	enum verdict v = answer(w, start->baseline ? 120 : 20, VERDICT_LOAD_ERROR, &reply, detail);
	if (v == VERDICT_PASSED)
		snprintf(last_setting, sizeof(last_setting), "%s", reply.text);
	else
		worker_close(w);
	return v;
fail:
	strbuf_addf(detail, "cannot start a worker: %s", strerror(errno));
	return VERDICT_HARNESS_ERROR;
}

static enum verdict ask(struct worker *w, size_t i, int op, int calls, int first_set, const int *plan_dim, size_t plan_dims, double limit_s,
			struct worker_reply *reply, struct strbuf *detail)
{
	const struct stage_case *c = &w->stage->stage_case[i];
	struct worker_request q = { .op = op, .calls = calls, .sets = c->sets, .first_set = first_set, .in_set_bytes = c->in_set_bytes,
				    .out_set_bytes = c->out_set_bytes };

	memset(reply, 0, sizeof(*reply));
	if (!w->pid)
		return VERDICT_EARLY_EXIT;
	for (size_t d = 0; d < plan_dims; d++)
		q.dim[d] = c->problem.dim[plan_dim[d]];
	memcpy(q.offset, c->offset, sizeof(q.offset));
	if (write(w->to, &q, sizeof(q)) != (ssize_t)sizeof(q))
		return post_mortem(w, false, detail);
	return answer(w, limit_s, VERDICT_RUNTIME_ERROR, reply, detail);
}

enum verdict worker_run(struct worker *w, size_t i, int set, const int *plan_dim, size_t plan_dims, double limit_s, struct strbuf *detail)
{
	struct worker_reply reply;
	return ask(w, i, WORKER_RUN, 1, set, plan_dim, plan_dims, limit_s, &reply, detail);
}

enum verdict worker_time(struct worker *w, size_t i, int calls, int first_set, const int *plan_dim, size_t plan_dims, double limit_s,
			 int64_t *ns, struct strbuf *detail)
{
	struct worker_reply reply;
	enum verdict v = ask(w, i, WORKER_TIME, calls, first_set, plan_dim, plan_dims, limit_s, &reply, detail);

	*ns = reply.ns;
	return v;
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
