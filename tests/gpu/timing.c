/*
 * The time of one call of a compiled kernel, by each of our ways to ask the device; for t0140-timing.sh.
 *   timing PLAN CUBIN DIM...     prints "step SYMBOL BLOCKS THREADS SHARED" for each step of plans that
 *                                need no more than that to be launched, then nanoseconds:
 *                                "event NS" of single calls, "queued NS" of calls one after another,
 *                                "replayed NS" of the same as one graph
 */
#include "ops/core/launch.h"
#include "ops/core/proc.h"
#include "ops/core/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 2, SAMPLES = 25, MOST_BUFFERS = 32 };

struct calls {
	const struct launcher *launcher;
	struct kernel *kernel;
	const int64_t *dim;
	void *set[SETS][MOST_BUFFERS];
	int count;
};

static int start(void *user, struct strbuf *err)
{
	struct calls *c = user;

	for (int i = 0; i < c->count; i++)
		if (c->launcher->run(c->kernel, c->set[i % SETS], c->dim, err))
			return -1;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The median of samples, a call's share of each. */
static int show(const char *name, struct calls *c, int count, bool is_replayed, struct strbuf *err)
{
	int64_t ns[SAMPLES];

	c->count = count;
	for (int i = 0; i < SAMPLES; i++)
		if (c->launcher->memory->timed(&(struct launcher_timing){ .start = start, .user = c, .is_replayed = is_replayed }, &ns[i], err))
			return -1;
	qsort(ns, SAMPLES, sizeof(ns[0]), by_value);
	printf("%s %.1f\n", name, (double)ns[SAMPLES / 2] / count);
	return 0;
}

/* The same values for all sets, uniform in [-1,1]. */
static int fill(struct calls *c, const struct plan_buffer *b, size_t at, int64_t elems, struct strbuf *err)
{
	size_t bytes = (size_t)elems * dtype_bytes(b->dtype);
	char *data = malloc(bytes);

	if (!data)
		abort();
	for (int64_t i = 0; i < elems; i++)
		dtype_store(b->dtype, data, i, 2 * rng_uniform_at(1, 0, (uint64_t)i) - 1);
	int bad = 0;
	for (int s = 0; s < SETS && !bad; s++)
		bad = c->launcher->memory->write(c->kernel, c->set[s][at], data, bytes, err);
	free(data);
	return bad;
}

static int prepare(struct calls *c, const struct plan *plan, struct strbuf *err)
{
	for (size_t b = 0; b < plan->buffer_count; b++) {
		int64_t elems = plan_buffer_elems(plan, b, c->dim);
		for (int s = 0; s < SETS && plan->buffer[b].role != PLAN_TMP; s++) {
			c->set[s][b] = c->launcher->memory->allocate(c->kernel, (size_t)elems * dtype_bytes(plan->buffer[b].dtype), err);
			if (!c->set[s][b])
				return -1;
		}
		if (plan->buffer[b].role == PLAN_IN && fill(c, &plan->buffer[b], b, elems, err))
			return -1;
	}
	c->count = SETS;
	return start(c, err) || c->launcher->memory->wait(c->kernel, err);
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct plan plan;
	struct calls c = { .launcher = launcher_find("cubin") };
	int64_t dim[PLAN_MAX_NAMES] = { 0 };

	if (argc < 4 || strbuf_read_file(&text, argv[1], &err) || plan_parse(&arena, text.buf, argv[1], &plan, &err))
		goto failed;
	for (int i = 3; i < argc && i - 3 < PLAN_MAX_NAMES; i++)
		dim[i - 3] = strtoll(argv[i], NULL, 10);
	c.dim = dim;
	c.kernel = c.launcher->open(&plan, argv[2], 1, &err);
	if (!c.kernel || prepare(&c, &plan, &err))
		goto failed;
	for (size_t s = 0; s < plan.step_count; s++)
		if (!plan.step[s].tensor_count && !plan.step[s].cluster && !plan.step[s].resident)
			printf("step %s %lld %d %lld\n", plan.step[s].symbol, (long long)plan_step_instances(&plan, s, dim), plan.step[s].threads,
			       (long long)plan.step[s].shared_bytes);
	if (!show("event", &c, 1, false, &err) && !show("queued", &c, 16, false, &err) && !show("replayed", &c, 16, true, &err))
		return 0;
failed:
	fprintf(stderr, "timing: error: %s\n", err.buf);
	return 3;
}
