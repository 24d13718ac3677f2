/*
 * km-worker: runs one kernel (or one baseline) for km-evaluate.  Requests come on
 * descriptor 0, replies go to 1; 3 is the inputs' memory, mapped read-only, 4 the
 * outputs'.  It knows no file format but the launch plan and holds no expected value.
 */
#include "evaluate/baseline.h"
#include "evaluate/worker.h"
#include "ops/core/diag.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *in_base, *out_base;
static int64_t in_bytes, out_bytes;
static int reply_fd;

static void reply(bool ok, int64_t ns, const char *text)
{
	struct worker_reply r = { .ok = ok, .ns = ns };

	snprintf(r.text, sizeof(r.text), "%s", text);
	if (write(reply_fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(1);
}

/* A write into the read-only inputs ends with code 77; any other fault dies of its signal. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;

	(void)context;
	if (signal == SIGSEGV && at >= in_base && at < in_base + in_bytes)
		_exit(77);
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigaction(signal, &standard, NULL);
	raise(signal);
}

static void watch_faults(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static bool map_memories(const char *in, const char *out)
{
	in_bytes = strtoll(in, NULL, 10);
	out_bytes = strtoll(out, NULL, 10);
	in_base = mmap(NULL, (size_t)in_bytes, PROT_READ, MAP_SHARED, 3, 0);
	out_base = mmap(NULL, (size_t)out_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0);
	if (in_base == MAP_FAILED || out_base == MAP_FAILED) {
		reply(false, 0, strerror(errno));
		return false;
	}
	close(3);
	close(4);
	madvise(in_base, (size_t)in_bytes, MADV_HUGEPAGE);
	madvise(out_base, (size_t)out_bytes, MADV_HUGEPAGE);
	return true;
}

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

/* ---- kernels --------------------------------------------------------- */

static void pointers(const struct plan *plan, const struct worker_request *q, int set, void **buf)
{
	/* The plan's tensors come in the operator's order; temporaries are the launcher's. */
	for (size_t b = 0; b < plan->buffer_count; b++) {
		if (plan->buffer[b].role == PLAN_IN)
			buf[b] = in_base + q->offset[b] + set * q->in_set_bytes;
		else if (plan->buffer[b].role == PLAN_OUT)
			buf[b] = out_base + q->offset[b] + set * q->out_set_bytes;
		else
			buf[b] = NULL;
	}
}

static int serve_kernel(const char *plan_path, const char *artifact, int threads)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct plan plan;
	struct worker_request q;
	void *buf[64];
	struct kernel *kernel = NULL;
	const struct launcher *launcher = NULL;

	if (!strbuf_read_file(&text, plan_path, &err) && !plan_parse(&arena, text.buf, plan_path, &plan, &err)) {
		launcher = launcher_find(plan.artifact);
		if (!launcher)
			strbuf_addf(&err, "no launcher for artifact kind '%s'", plan.artifact);
		else
			kernel = launcher->open(&plan, artifact, threads, &err);
	}
	if (!kernel) {
		reply(false, 0, err.buf);
		return 1;
	}
	reply(true, 0, "");
	while (next_request(&q)) {
		int bad = 0;
		int64_t start = clock_ns();
		for (int c = 0; c < q.calls && !bad; c++) {
			pointers(&plan, &q, (q.first_set + c) % q.sets, buf);
			bad = launcher->run(kernel, buf, q.dim, &err);
		}
		int64_t ns = clock_ns() - start;
		reply(!bad, ns, err.buf);
		if (bad)
			return 1;
	}
	return 0;
}

/* ---- baselines ------------------------------------------------------- */

static int serve_baseline(const char *name, const char *problem_text, const char *target_name, const char *offsets)
{
	const struct baseline *baseline = baseline_find(name);
	struct strbuf setting = STRBUF_INIT, err = STRBUF_INIT;
	struct problem problem;
	struct worker_request q;
	void *buf[OP_MAX_TENSORS];
	const struct target *target = target_find(target_name, &err);
	struct baseline_state *state = NULL;
	const char *extra = getenv("KM_EXTRA_OPS");

	if (extra && *extra && op_load_extra(extra, &err)) {
		reply(false, 0, err.buf);
		return 1;
	}
	if (target && baseline && !problem_parse(problem_text, &problem, &err)) {
		for (int t = 0; t < OP_MAX_TENSORS && problem.op->tensor[t].name; t++) {
			int64_t at = strtoll(offsets, (char **)(uintptr_t)&offsets, 10);
			offsets++;
			buf[t] = (problem.op->tensor[t].role == OP_IN ? in_base : out_base) + at;
		}
		state = baseline->open(&problem, target, buf, &setting, &err);
	}
	if (!state) {
		reply(false, 0, err.len ? err.buf : "unknown baseline");
		return 1;
	}
	reply(true, 0, setting.buf);
	while (next_request(&q)) {
		int bad = 0;
		int64_t start = clock_ns();
		for (int c = 0; c < q.calls && !bad; c++)
			bad = baseline->run(state);
		reply(!bad, clock_ns() - start, bad ? "the library failed" : "");
	}
	baseline->close(state);
	return 0;
}

int main(int argc, char **argv)
{
	diag_tool = "km-worker";
	/* Candidates must not reach the replies by writing to stdout. */
	reply_fd = dup(1);
	if (reply_fd < 0 || dup2(2, 1) < 0)
		return 1;
	watch_faults();
	if (argc == 7 && !strcmp(argv[1], "kernel"))
		return map_memories(argv[5], argv[6]) ? serve_kernel(argv[2], argv[3], atoi(argv[4])) : 1;
	if (argc == 8 && !strcmp(argv[1], "baseline"))
		return map_memories(argv[5], argv[6]) ? serve_baseline(argv[2], argv[3], argv[4], argv[7]) : 1;
	fprintf(stderr, "km-worker: usage: started by km-evaluate only\n");
	return KM_EXIT_USAGE;
}
