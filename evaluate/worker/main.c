/*
 * km-worker: runs kernels (or one baseline) for km-evaluate.  Requests come on
 * descriptor 0, replies go to 1; 3 is the inputs' memory, mapped read-only, 4 the
 * outputs', 5 the launch plan's text where there is one kernel.  It holds no expected value.
 */
#include "evaluate/judge.h"
#include "evaluate/sandbox.h"
#include "evaluate/worker/calls.h"
#include "ops/core/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Their runtime asks for it before it reads the environment. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return SANDBOX_SANITIZER_OPTIONS;
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

static int serve_kernel(const char *artifact, int threads)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct plan plan;
	struct worker_request q;
	struct copies copies;
	int64_t readied[OP_MAX_DIMS] = { -1 };
	const struct launcher *launcher = NULL;
	struct kernel *kernel = open_kernel(&arena, &launcher, &plan, artifact, threads, &err);

	if (!kernel || copies_open(&copies, launcher->memory, 0, &err)) {
		inside_reply(WORKER_REFUSED, 0, err.buf);
		return 1;
	}
	inside_reply(WORKER_DONE, 0, "");
	while (next_request(&q)) {
		int64_t ns = 0;
		struct callee callee = { .copies = &copies, .request = &q, .call = call_kernel, .readied = readied, .launcher = launcher, .plan = &plan, .kernel = kernel };
		if (serve_request(&callee, &ns, &err)) {
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
	if (!launcher || copies_open(copies, launcher->memory, 0, err) || copies_send_inputs(copies, err))
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
	int64_t readied[OP_MAX_DIMS] = { -1 };

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
		struct callee callee = { .copies = &copies, .request = &q, .call = call_library, .readied = readied, .baseline = baseline, .state = state, .problem = &problem };
		if (serve_request(&callee, &ns, &err))
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
	bool is_baseline = argc == 9 && !strcmp(argv[1], "baseline"), is_group = argc == 5 && !strcmp(argv[1], "group");

	diag_tool = "km-worker";
	if (argc > 4 && !strcmp(argv[1], "trial"))
		return trial_main(argv[2], argv[3], argc - 4, argv + 4);
	if (!is_kernel && !is_life && !is_baseline && !is_group) {
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
	const int sizes = is_baseline ? 5 : is_group ? 3 : 4;
	if (!inside_map(argv[sizes], argv[sizes + 1]))
		return 1;
	if (is_group)
		return group_main(argv[2]);
	if (is_life)
		return life_main(argv[2], atoi(argv[3]));
	return is_kernel ? serve_kernel(argv[2], atoi(argv[3])) : serve_baseline(argv[2], argv[3], argv[4], argv[7], argv[8]);
}
