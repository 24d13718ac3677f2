/*
 * A kernel alone on a device, for tools that watch every access (sanitize.c): each tensor in an
 * allocation of its own of exactly its size, outputs uninitialised, one call a problem.
 */
#include "evaluate/worker/calls.h"
#include "ops/core/inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One call; 0, or -1 with *err. */
static int call_once(const struct launcher *launcher, const struct plan *plan, struct kernel *kernel, const char *text, struct strbuf *err)
{
	struct problem p;
	void *buf[PLAN_MAX_NAMES] = { NULL };
	int64_t dim[OP_MAX_DIMS] = { 0 };

	if (problem_parse(text, &p, err))
		return -1;
	for (size_t d = 0; d < plan->dim_count; d++) {
		int at = op_dim_index(p.op, plan->dim[d]);
		if (at < 0) {
			strbuf_addf(err, "the plan names unknown dimension '%s'", plan->dim[d]);
			return -1;
		}
		dim[d] = p.dim[at];
	}
	for (int t = 0; t < OP_MAX_TENSORS && p.op->tensor[t].name; t++) {
		size_t bytes = (size_t)problem_bytes(&p, t);
		void *host = malloc(bytes + 8);
		if (!host || !(buf[t] = launcher->memory->allocate(kernel, bytes ? bytes : 1, err)))
			return -1;
		if (p.op->tensor[t].role == OP_IN) {
			inputs_fill(&p, t, INPUTS_normal, 1, host);
			if (launcher->memory->write(kernel, buf[t], host, bytes, err))
				return -1;
		}
		free(host);
	}
	return launcher->run(kernel, buf, dim, err) || launcher->memory->wait(kernel, err) ? -1 : 0;
}

int trial_main(const char *plan_path, const char *artifact, int count, char **problem)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	const struct launcher *launcher = NULL;
	struct kernel *kernel = NULL;
	struct plan plan;
	int bad = strbuf_read_file(&text, plan_path, &err) || plan_parse(&arena, text.buf, "plan", &plan, &err) || op_load_extra(NULL, &err);

	if (!bad && (!(launcher = launcher_find(plan.artifact)) || !launcher->memory))
		strbuf_addf(&err, "artifact kind '%s' is of no device", plan.artifact);
	else if (!bad)
		kernel = launcher->open(&plan, artifact, 1, &err);
	for (int i = 0; i < count && kernel && !err.len; i++)
		bad = call_once(launcher, &plan, kernel, problem[i], &err);
	if (kernel && !err.len)
		launcher->close(kernel);
	if (err.len)
		fprintf(stderr, "km-worker: %s\n", err.buf);
	return err.len ? 1 : 0;
}
