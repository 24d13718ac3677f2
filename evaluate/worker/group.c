/*
 * A device's worker: one context and one copy of the stage for many kernels.
 *
 * What a kernel leaves behind, the next one finds.  So the memory is laid out such that
 * what none may write can be summed up: inputs, their margins and the outputs' margins never
 * change, and all outputs are poisoned when a kernel comes, so that no earlier one's
 * results can be taken for its own, and those of the problem's other sets, which only timed
 * calls write, stay so until then.  After a kernel's checks, and after all timing, SETTLE
 * looks: sums, the guards of its temporaries, and a canary, a kernel of our own whose results
 * are known.  Where something is wrong the process ends, and with it whatever is broken.
 */
#include "evaluate/worker/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SLACK_BYTES = 1 << 20, /* before and behind each copy: a wild index within it shows */
	MARGIN = 0x7ff5, LEFT_BY_NOBODY = 0x7ffb, /* patterns: of margins, and of outputs nobody wrote */
};

struct slot {
	struct arena arena;
	char *plan_text;
	struct plan plan;
	const struct launcher *launcher;
	struct kernel *kernel; /* NULL: free */
	int64_t readied[OP_MAX_DIMS];
	bool is_timed;
};

struct group {
	const struct launcher *launcher;
	struct copies copies;
	uint64_t in_sum, margin_sum[2]; /* of the inputs with both margins; of the outputs' margins */
	int64_t idle, idle_bytes;       /* outputs that only timed calls write, and their sum when nobody did */
	uint64_t idle_sum;
	struct slot **slot;
	int slot_count;
};

/* The sums of what no kernel may write. */
static int sum_up(const struct group *g, uint64_t *in, uint64_t margin[2], struct strbuf *err)
{
	const struct launcher_memory *m = g->launcher->memory;
	const struct copies *c = &g->copies;

	return m->sum(c->in - SLACK_BYTES, (size_t)inside.in_bytes + 2 * SLACK_BYTES, in, err) || m->sum(c->out - SLACK_BYTES, SLACK_BYTES, &margin[0], err) ||
	       m->sum(c->out + inside.out_bytes, SLACK_BYTES, &margin[1], err) ? -1 : 0;
}

static int poison_outputs(struct group *g, struct strbuf *err)
{
	return g->launcher->memory->fill(g->copies.out, LEFT_BY_NOBODY, (size_t)inside.out_bytes, err);
}

static int open_group(struct group *g, const char *artifact_kind, struct strbuf *err)
{
	const struct launcher_memory *m;
	int64_t ns;

	*g = (struct group){ .launcher = launcher_find(artifact_kind) };
	if (!g->launcher || !(m = g->launcher->memory)) {
		strbuf_addf(err, "no launcher for devices of artifact kind '%s'", artifact_kind);
		return -1;
	}
	if (m->begin(err) || copies_open(&g->copies, m, SLACK_BYTES, err))
		return -1;
	const struct copies *c = &g->copies;
	return m->fill(c->in - SLACK_BYTES, MARGIN, (size_t)inside.in_bytes + 2 * SLACK_BYTES, err) ||
	       m->fill(c->out - SLACK_BYTES, MARGIN, (size_t)inside.out_bytes + 2 * SLACK_BYTES, err) || copies_send_inputs(&g->copies, err) ||
	       sum_up(g, &g->in_sum, g->margin_sum, err) || m->canary(&ns, err) ? -1 : 0;
}

/* ---- slots ------------------------------------------------------------ */

static void free_slot(struct slot *s)
{
	if (s->kernel)
		s->launcher->close(s->kernel);
	free(s->plan_text);
	arena_release(&s->arena);
	*s = (struct slot){ .arena = ARENA_INIT };
}

/* A free slot's number; slots stay where they are. */
static int find_slot(struct group *g)
{
	for (int i = 0; i < g->slot_count; i++)
		if (!g->slot[i]->kernel)
			return i;
	struct slot **more = realloc(g->slot, (size_t)(g->slot_count + 1) * sizeof(*more));
	struct slot *s = more ? calloc(1, sizeof(*s)) : NULL;
	if (!s)
		abort();
	*s = (struct slot){ .arena = ARENA_INIT };
	g->slot = more;
	g->slot[g->slot_count] = s;
	return g->slot_count++;
}

/* Loads a kernel beside the others; its number, or -1 with *err. */
static int load(struct group *g, const struct worker_request *q, struct strbuf *err)
{
	int number = find_slot(g);
	struct slot *s = g->slot[number];

	s->plan_text = request_bytes(q->plan_bytes);
	char *path = s->plan_text ? request_bytes(q->path_bytes) : NULL;
	if (!path)
		_exit(1);
	s->readied[0] = -1;
	if (!plan_parse(&s->arena, s->plan_text, "plan", &s->plan, err) && !(s->launcher = launcher_find(s->plan.artifact)))
		strbuf_addf(err, "no launcher for artifact kind '%s'", s->plan.artifact);
	else if (!err->len && s->launcher != g->launcher)
		strbuf_addf(err, "a plan for artifact kind '%s' in a worker for '%s'", s->plan.artifact, g->launcher->kind);
	else if (!err->len)
		s->kernel = s->launcher->open(&s->plan, path, 1, err);
	free(path);
	g->idle = q->out_first + q->out_set_bytes;
	g->idle_bytes = q->out_set_bytes * (q->sets - 1);
	s->is_timed = false;
	if (s->kernel && !poison_outputs(g, err) && !g->launcher->memory->sum(g->copies.out + g->idle, (size_t)g->idle_bytes, &g->idle_sum, err))
		return number;
	free_slot(s);
	return -1;
}

/* ---- after a kernel's work -------------------------------------------- */

/* 0; -1 with *err; or ends the process as the one who wrote where it may not. */
static int settle(struct group *g, const struct slot *s, struct strbuf *err)
{
	const struct launcher_memory *m = g->launcher->memory;
	uint64_t in, margin[2], idle = g->idle_sum;
	int64_t ns;

	if (m->wait(s->kernel, err) || sum_up(g, &in, margin, err) || (!s->is_timed && m->sum(g->copies.out + g->idle, (size_t)g->idle_bytes, &idle, err)))
		return -1;
	if (in != g->in_sum)
		_exit(WORKER_EXIT_MUTATED);
	if (memcmp(margin, g->margin_sum, sizeof(margin)) || idle != g->idle_sum)
		_exit(WORKER_EXIT_BESIDE);
	if (m->intact(s->kernel, err)) {
		if (m->wait(s->kernel, err))
			return -1;
		fprintf(stderr, "%s\n", err->buf);
		_exit(WORKER_EXIT_BESIDE);
	}
	return m->canary(&ns, err);
}

/* ---- requests ---------------------------------------------------------- */

static int serve(struct group *g, const struct worker_request *q, int64_t *ns, struct clocks *clocks, struct strbuf *err)
{
	struct slot *s = q->slot >= 0 && q->slot < g->slot_count && g->slot[q->slot]->kernel ? g->slot[q->slot] : NULL;

	if (q->op == WORKER_LOAD)
		return (*ns = load(g, q, err)) < 0 ? -1 : 0;
	if (!s) {
		strbuf_addf(err, "no kernel in slot %d", q->slot);
		return -1;
	}
	if (q->op == WORKER_UNLOAD) {
		free_slot(s);
		return 0;
	}
	if (q->op == WORKER_SETTLE)
		return settle(g, s, err);
	/* No timed call finds results of others, or of its own checks. */
	if (q->op == WORKER_TIME && poison_outputs(g, err))
		return -1;
	for (int i = 0; i < g->slot_count && q->op == WORKER_TIME; i++)
		g->slot[i]->is_timed = true;
	struct callee callee = { .copies = &g->copies, .request = q, .call = call_kernel, .readied = s->readied, .launcher = s->launcher, .plan = &s->plan,
				 .kernel = s->kernel };
	int bad = serve_request(&callee, ns, err);
	*clocks = callee.clocks;
	return bad;
}

int group_main(const char *artifact_kind)
{
	struct strbuf err = STRBUF_INIT;
	struct worker_request q;
	struct group g;

	if (open_group(&g, artifact_kind, &err)) {
		bool is_unserved = g.launcher && g.launcher->memory && g.launcher->memory->is_unserved();
		inside_reply(is_unserved ? WORKER_UNSERVED : WORKER_REFUSED, 0, err.buf);
		return 1;
	}
	inside_reply(WORKER_DONE, 0, "");
	while (next_request(&q)) {
		struct clocks clocks = { 0 };
		int64_t ns = 0;
		strbuf_reset(&err);
		int bad = serve(&g, &q, &ns, &clocks, &err);
		bool is_unserved = bad && q.op == WORKER_LOAD && g.launcher->memory->is_unserved();
		if (bad)
			inside_reply(is_unserved ? WORKER_UNSERVED : WORKER_REFUSED, ns, err.buf);
		else
			inside_reply_timed(ns, &clocks);
		/* What cannot be loaded harmed nobody; after anything else that failed nothing here is trusted. */
		if (bad && q.op != WORKER_LOAD)
			return 1;
	}
	return 0;
}
