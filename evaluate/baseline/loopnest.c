/* The plain C loop nest of the body, -O3 for the target's ISA: the better of gcc and clang. */
#include "evaluate/baseline.h"
#include "evaluate/compile.h"
#include "ops/core/loops.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <stdlib.h>

struct baseline_state {
	void (*run)(void *const *buf, const int64_t *dim);
	void *buf[OP_MAX_TENSORS];
	int tensors;
	int64_t dim[OP_MAX_DIMS];
};

static double seconds_of_one(const struct baseline_state *s)
{
	double best = 1e30;

	for (int i = 0; i < 3; i++) {
		int64_t start = clock_ns();
		s->run(s->buf, s->dim);
		double t = (double)(clock_ns() - start) * 1e-9;
		best = t < best ? t : best;
		if (t > 0.5)
			break;
	}
	return best;
}

static struct baseline_state *open_loopnest(const struct problem *p, const struct target *target, void *const *buf,
					    struct strbuf *setting, struct strbuf *why_not)
{
	static const char *const compiler[] = { "clang-22", "gcc" };
	struct arena arena = ARENA_INIT;
	struct strbuf source = STRBUF_INIT, err = STRBUF_INIT;
	struct baseline_state *state = calloc(1, sizeof(*state));
	double best = 0;

	if (!state || loops_print(p, LOOPS_NATIVE, false, "km_loopnest", &source, why_not))
		goto fail;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		state->buf[state->tensors++] = buf[t];
	for (int d = 0; d < OP_MAX_DIMS; d++)
		state->dim[d] = p->dim[d];
	for (size_t i = 0; i < ARRAY_SIZE(compiler); i++) {
		struct strbuf flags = STRBUF_INIT;
		const char *artifact;
		struct baseline_state trial = *state;
		strbuf_addf(&flags, "%s -O3 -march=%s %s -w", compiler[i], target->march, target->compiler_flags ? target->compiler_flags : "");
		strbuf_reset(&err);
		void *library = compile_trusted(&arena, source.buf, flags.buf, &artifact, &err) ? NULL : dlopen(artifact, RTLD_NOW | RTLD_LOCAL);
		if (library)
			*(void **)&trial.run = dlsym(library, "km_loopnest");
		double t = trial.run ? seconds_of_one(&trial) : 0;
		if (t > 0 && (!state->run || t < best)) {
			state->run = trial.run;
			best = t;
			strbuf_reset(setting);
			strbuf_addstr(setting, flags.buf);
		}
		strbuf_release(&flags);
	}
	if (!state->run) {
		strbuf_addstr(why_not, err.buf);
		goto fail;
	}
	strbuf_release(&source);
	strbuf_release(&err);
	arena_release(&arena);
	return state;
fail:
	strbuf_release(&source);
	strbuf_release(&err);
	arena_release(&arena);
	free(state);
	return NULL;
}

static void bind(struct baseline_state *state, void *const *buf)
{
	for (int t = 0; t < state->tensors; t++)
		state->buf[t] = buf[t];
}

static int run(struct baseline_state *state)
{
	state->run(state->buf, state->dim);
	return 0;
}

static void close_loopnest(struct baseline_state *state)
{
	free(state);
}

const struct baseline baseline_loopnest = {
	.name = "loopnest",
	.summary = "the plain C loop nest, -O3 for the target's ISA",
	.artifact = "so",
	.open = open_loopnest,
	.bind = bind,
	.run = run,
	.close = close_loopnest,
};
