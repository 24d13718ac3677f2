/* A device's kernel under NVIDIA's compute-sanitizer: what no output shows. */
#include "evaluate/evaluate.h"
#include "ops/core/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its tools, what each finds, and the verdict on who has it (Compute Sanitizer 2025.3, user manual). */
static const struct tool {
	const char *name;
	enum verdict verdict;
} tool[] = {
	{ "memcheck", VERDICT_INCORRECT_OUT_OF_BOUNDS },
	{ "racecheck", VERDICT_NONDETERMINISTIC },
	{ "synccheck", VERDICT_RUNTIME_ERROR },
	{ "initcheck", VERDICT_INCORRECT_UNWRITTEN },
};
enum { FOUND = 86, MOST_SHAPES = 4, WALL_S = 120 };

static const char *find_sanitizer(void)
{
	static const char *const beside[] = { "/usr/local/cuda/bin/compute-sanitizer", "/usr/local/cuda/compute-sanitizer/compute-sanitizer" };
	struct strbuf ignored = STRBUF_INIT, out = STRBUF_INIT;
	struct proc_result result;
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(beside) && !found; i++)
		if (!access(beside[i], X_OK))
			found = beside[i];
	if (!found && !proc_run(PROC_ARGV("compute-sanitizer", "--version"), NULL, NULL, &result, &out, NULL, &ignored) && !result.exit_code)
		found = "compute-sanitizer";
	strbuf_release(&ignored);
	strbuf_release(&out);
	return found;
}

/* Check shapes that the plan accepts, of the least work: under these tools a call takes thousands of times as long. */
static size_t small_shapes(const struct contestant *c, const char *out[MOST_SHAPES])
{
	struct session *s = c->session;
	double work[MOST_SHAPES];
	size_t n = 0;

	for (size_t i = 1; i < s->stage.count; i++) {
		const struct problem *p = &s->stage.stage_case[i].problem;
		int64_t dim[OP_MAX_DIMS];
		struct strbuf text = STRBUF_INIT;
		for (size_t d = 0; d < c->plan.dim_count; d++)
			dim[d] = p->dim[c->plan_dim[d]];
		problem_print(p, &text);
		bool is_there = i == s->audit || !plan_accepts(&c->plan, dim, NULL);
		for (size_t k = 0; k < n; k++)
			is_there |= !strcmp(out[k], text.buf);
		size_t at = n;
		while (!is_there && at > 0 && problem_work(p) < work[at - 1])
			at--;
		if (!is_there && at < MOST_SHAPES) {
			n += n < MOST_SHAPES;
			memmove(out + at + 1, out + at, (n - at - 1) * sizeof(*out));
			memmove(work + at + 1, work + at, (n - at - 1) * sizeof(*work));
			out[at] = arena_strdup(&s->arena, text.buf);
			work[at] = problem_work(p);
		}
		strbuf_release(&text);
	}
	return n;
}

/* What the tool says first of what it found: its lines begin with "=========". */
static void add_finding(const char *said, struct strbuf *detail)
{
	const char *at = strstr(said, "========= Invalid"), *const other[] = { "========= Error", "========= Race", "========= Uninitialized", "========= Barrier", "========= ERROR" };

	for (size_t i = 0; i < ARRAY_SIZE(other) && !at; i++)
		at = strstr(said, other[i]);
	at = at ? at + strlen("========= ") : said;
	strbuf_addf(detail, "%.*s", (int)strcspn(at, "\n"), at);
}

enum verdict contestant_sanitize(const struct contestant *c, struct strbuf *skipped, struct strbuf *detail)
{
	const char *program = find_sanitizer(), *shape[MOST_SHAPES] = { NULL };
	char worker[4200], plan_path[] = "/tmp/km-plan.XXXXXX";
	enum verdict v = VERDICT_PASSED;

	if (!program) {
		strbuf_addstr(skipped, "no compute-sanitizer here");
		return v;
	}
	int plan = mkstemp(plan_path);
	size_t count = small_shapes(c, shape);
	snprintf(worker, sizeof(worker), "%s/km-worker", proc_self_folder());
	bool ok = plan >= 0 && write(plan, c->candidate->plan, strlen(c->candidate->plan)) == (ssize_t)strlen(c->candidate->plan);
	for (size_t t = 0; t < ARRAY_SIZE(tool) && count && ok && v == VERDICT_PASSED; t++) {
		const struct proc_limits limits = { .wall_s = WALL_S };
		/* A symbol asked for in vain is an error of the driver's, and none of the kernel's. */
		char *const *argv = PROC_ARGV(program, "--tool", tool[t].name, "--report-api-errors", "no", "--error-exitcode", "86", worker, "trial", plan_path, c->artifact, shape[0], shape[1],
					      shape[2], shape[3]);
		struct proc_result result;
		struct strbuf said = STRBUF_INIT, ignored = STRBUF_INIT;
		if (proc_run(argv, NULL, &limits, &result, &said, &said, &ignored)) {
			ok = false;
			strbuf_addstr(skipped, ignored.buf);
		} else if (result.exit_code == FOUND) {
			v = tool[t].verdict;
			strbuf_addf(detail, "compute-sanitizer, %s: ", tool[t].name);
			add_finding(said.buf, detail);
		} else if (result.exit_code || result.timed_out) {
			strbuf_addf(skipped, "%s%s: %s, exit code %d", skipped->len ? "; " : "", tool[t].name, result.timed_out ? "out of time" : "did not run", result.exit_code);
		}
		strbuf_release(&said);
		strbuf_release(&ignored);
	}
	if (plan >= 0) {
		close(plan);
		unlink(plan_path);
	}
	return v;
}
