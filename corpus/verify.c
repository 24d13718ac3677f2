#include "corpus/verify.h"
#include "evaluate/check.h"
#include "evaluate/compile.h"
#include "ops/core/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLED_ABOVE_ELEMS 65536
#define SAMPLE_ELEMS 2048
#define SECONDS 60 /* a kernel that does not come back fails */

/* The shapes to compare at: check shapes the kernel accepts; failing that, the problem itself. */
struct shapes {
	const struct entry *entry;
	const struct problem *published;
	struct problem problem[4];
	size_t count;
};

static void plan_dims(const struct plan *plan, const struct problem *p, int64_t *dim)
{
	for (size_t i = 0; i < plan->dim_count; i++) {
		int at = op_dim_index(p->op, plan->dim[i]);
		dim[i] = at < 0 ? 0 : p->dim[at];
	}
}

static int add_shape(const struct problem *p, enum op_use use, void *user)
{
	struct shapes *s = user;
	int64_t dim[ENTRY_MAX_DIMS];

	(void)use;
	if (p->dtype != s->published->dtype || s->count == ARRAY_SIZE(s->problem))
		return 0;
	for (int i = 0; i < OP_MAX_ATTRS && p->op->attr[i].name; i++)
		if (p->attr[i] != s->published->attr[i])
			return 0;
	for (size_t i = 0; i < s->entry->dim_count; i++) {
		int at = op_dim_index(p->op, s->entry->dim[i].name);
		if (s->entry->dim[i].is_static && (at < 0 || p->dim[at] != s->entry->dim[i].value))
			return 0;
	}
	plan_dims(&s->entry->plan, p, dim);
	if (plan_accepts(&s->entry->plan, dim, NULL))
		s->problem[s->count++] = *p;
	return 0;
}

/* Runs the kernel on inputs of the problem and compares.  0, or -1 with *what. */
static int compare(const struct entry *e, const struct launcher *launcher, struct kernel *kernel, const struct problem *p, struct strbuf *what)
{
	void *tensor[OP_MAX_TENSORS] = { 0 }, **buffer = calloc(e->plan.buffer_count + 1, sizeof(*buffer));
	const void *out[OP_MAX_TENSORS];
	int64_t dim[ENTRY_MAX_DIMS], outputs = 0, elems = 0;
	struct expected *expected = NULL;
	struct check_result result;
	int ret = -1;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		size_t bytes = (size_t)problem_bytes(p, t);
		tensor[t] = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
		if (!tensor[t] || !buffer) {
			strbuf_addstr(what, "out of memory");
			goto out;
		}
		memset(tensor[t], 0xff, bytes); /* NaN where nothing is written */
		if (p->op->tensor[t].role == OP_IN) {
			inputs_fill(p, t, INPUTS_normal, 1, tensor[t]);
		} else {
			out[outputs++] = tensor[t];
			elems += problem_elems(p, t);
		}
	}
	for (size_t b = 0; b < e->plan.buffer_count; b++) {
		int t = e->plan.buffer[b].role == PLAN_TMP ? -1 : op_tensor_index(p->op, e->plan.buffer[b].name);
		buffer[b] = t < 0 ? NULL : tensor[t];
	}
	plan_dims(&e->plan, p, dim);
	if (launcher->run(kernel, buffer, dim, what))
		goto out;
	expected = expected_open(p, (const void *const *)tensor, elems > SAMPLED_ABOVE_ELEMS ? SAMPLE_ELEMS : 0, (uint64_t)getpid(), what);
	if (!expected)
		goto out;
	expected_compare(expected, out, &result);
	if (result.verdict == VERDICT_PASSED)
		ret = 0;
	else
		strbuf_addf(what, "%s: %s", verdict_name(result.verdict), result.first_wrong);
out:
	if (expected)
		expected_close(expected);
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		free(tensor[t]);
	free(buffer);
	return ret;
}

static int run_all(const struct entry *e, const struct shapes *shapes, const char *artifact, struct strbuf *what)
{
	const struct launcher *launcher = launcher_find(e->plan.artifact);
	int ret = 0;

	if (!launcher) {
		strbuf_addf(what, "no launcher for artifacts of kind '%s'", e->plan.artifact);
		return -1;
	}
	struct kernel *kernel = launcher->open(&e->plan, artifact, e->threads, what);
	if (!kernel)
		return -1;
	for (size_t i = 0; i < shapes->count && !ret; i++)
		ret = compare(e, launcher, kernel, &shapes->problem[i], what);
	launcher->close(kernel);
	return ret;
}

/* In a child, so that a kernel that crashes or hangs costs its own entry only. */
static int recheck(const struct entry *e, const struct shapes *shapes, const char *artifact, struct strbuf *what)
{
	int fd[2], status = 0;

	if (pipe(fd)) {
		strbuf_addf(what, "cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		struct strbuf why = STRBUF_INIT;
		close(fd[0]);
		alarm(SECONDS);
		int ret = run_all(e, shapes, artifact, &why);
		if (write(fd[1], why.buf, why.len) < 0)
			_exit(3);
		_exit(ret ? 1 : 0);
	}
	close(fd[1]);
	if (pid < 0 || strbuf_read_fd(what, fd[0]) || waitpid(pid, &status, 0) < 0) {
		strbuf_addf(what, "cannot run a process: %s", strerror(errno));
		status = -1;
	} else if (WIFSIGNALED(status)) {
		strbuf_addf(what, "ended by signal %d", WTERMSIG(status));
	}
	close(fd[0]);
	return status ? -1 : 0;
}

/* Compiles the source beside the entry as it was compiled.  1 built, 0 cannot be here, -1 with *what. */
static int rebuild_source(struct arena *arena, const struct entry *e, const char **artifact, struct strbuf *what, struct strbuf *why_not)
{
	struct strbuf path = STRBUF_INIT, source = STRBUF_INIT, plan = STRBUF_INIT;
	struct compile_options options = { .jobs = 1, .batch = 1, .wall_s = 120 };
	const char *name = kv_find(&e->kv, "source"), *id = kv_find(&e->kv, "trace.candidate");
	struct candidate c = { .problem = e->problem, .target = e->target, .lang = e->lang, .skeleton = "", .knobs = "", .tile = "",
			       .prologue = "", .parent = "", .edge = "", .policy = "" };
	const struct candidate *list[] = { &c };
	struct compiled compiled = { 0 };
	int ret = -1;

	if (!name || strchr(name, '/') || !id || strlen(id) != 16 || !lang_find(e->lang)) {
		strbuf_addf(why_not, "language '%s' is unknown here", e->lang);
		return 0;
	}
	memcpy(c.id, id, 17);
	strbuf_addf(&path, "%s/%s", e->folder, name);
	if (strbuf_read_file(&source, path.buf, what))
		goto out;
	strbuf_reset(&path);
	strbuf_addf(&path, "%s/plan", e->folder);
	if (strbuf_read_file(&plan, path.buf, what))
		goto out;
	c.source = source.buf;
	c.plan = plan.buf;
	if (compile_all(arena, list, 1, &options, &compiled, why_not)) {
		ret = 0;
	} else if (!compiled.ok) {
		strbuf_addf(what, "its source does not compile: %.*s", (int)strcspn(compiled.log, "\n"), compiled.log);
	} else {
		*artifact = compiled.artifact;
		ret = 1;
	}
out:
	strbuf_release(&path);
	strbuf_release(&source);
	strbuf_release(&plan);
	return ret;
}

static enum verify_outcome verify_here(struct arena *arena, const struct entry *e, bool rebuild, struct strbuf *what)
{
	struct strbuf why_not = STRBUF_INIT;
	struct problem published;
	struct shapes shapes = { .entry = e, .published = &published };
	const char *built;
	enum verify_outcome outcome = VERIFY_PARTLY;

	if (entry_target_rank(e, target_of_this_machine()) < 0) {
		strbuf_addf(what, "hashes and plan only: this machine is no '%s'", e->target);
		return VERIFY_PARTLY;
	}
	if (!op_find(e->op)) {
		strbuf_addf(what, "hashes and plan only: operator '%s' is not declared here", e->op);
		return VERIFY_PARTLY;
	}
	if (problem_parse(e->problem, &published, what) || problem_each(published.op, OP_CHECK, published.threads, add_shape, &shapes, what))
		return VERIFY_FAULT;
	if (!shapes.count)
		shapes.problem[shapes.count++] = published;
	const char *artifact = arena_printf(arena, "%s/%s", e->folder, e->artifact);
	if (recheck(e, &shapes, artifact, what)) {
		outcome = VERIFY_FAULT;
	} else if (!rebuild) {
		strbuf_addf(what, "hashes, plan, right on %zu shapes", shapes.count);
		outcome = VERIFY_OK;
	} else {
		int got = rebuild_source(arena, e, &built, what, &why_not);
		if (got < 0 || (got > 0 && recheck(e, &shapes, built, what))) {
			outcome = VERIFY_FAULT;
		} else {
			strbuf_addf(what, "hashes, plan, right on %zu shapes%s%s", shapes.count,
				    got ? ", rebuilt from source and right again" : "; not rebuilt: ", why_not.buf);
			outcome = got ? VERIFY_OK : VERIFY_PARTLY;
		}
	}
	strbuf_release(&why_not);
	return outcome;
}

enum verify_outcome verify_entry(const char *folder, bool rebuild, struct strbuf *what)
{
	struct arena arena = ARENA_INIT;
	struct entry e;
	enum verify_outcome outcome = VERIFY_FAULT;

	if (!entry_read(&arena, folder, &e, what) && !entry_check_files(&e, what))
		outcome = verify_here(&arena, &e, rebuild, what);
	arena_release(&arena);
	return outcome;
}
