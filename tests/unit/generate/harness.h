/*
 * harness.h: prints programs for a target, compiles them as one translation
 * unit, and runs a program's steps on buffers that end at an unmapped page.
 */
#ifndef TESTS_UNIT_GENERATE_HARNESS_H
#define TESTS_UNIT_GENERATE_HARNESS_H

#include "generate/lang.h"
#include "ops/core/proc.h"
#include "ops/core/rng.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static char *folder; /* where sources and objects go */

/* `$L`, `$2L`, `$4L` of a text by the target's f32 lanes. */
__attribute__((unused)) static char *for_target(struct arena *arena, const char *text, const struct target *target)
{
	struct strbuf s = STRBUF_INIT;
	char n[24];

	strbuf_addstr(&s, text);
	for (int i = 0; i < 3; i++) {
		snprintf(n, sizeof(n), "%d", (target->vector_bytes / 4) << i);
		strbuf_replace(&s, ((const char *[]){ "$L", "$2L", "$4L" })[i], n);
	}
	char *kept = arena_strdup(arena, s.buf);
	strbuf_release(&s);
	return kept;
}

/* Compiles path.c into path.so with the language's command; keeps what is there when there is no compiler. */
__attribute__((unused)) static int compile(const struct lang *lang, const struct target *target, const char *path, double *cpu_s, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct strbuf command = STRBUF_INIT;
	char *argv[64], *save;
	struct proc_result result = { 0 };
	int n = 0;

	strbuf_addstr(&command, lang->compile);
	strbuf_replace(&command, "%in", arena_printf(&arena, "%s.%s", path, lang->suffix));
	strbuf_replace(&command, "%out", arena_printf(&arena, "%s.so", path));
	strbuf_replace(&command, "%march", target->march);
	strbuf_replace(&command, "%flags", target->compiler_flags ? target->compiler_flags : "");
	for (char *w = strtok_r(command.buf, " ", &save); w && n < 63; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	int ret = proc_run(argv, NULL, NULL, &result, NULL, err, err);
	*cpu_s = result.cpu_s;
	if (ret && !access(arena_printf(&arena, "%s.so", path), R_OK))
		ret = 0;
	else if (!ret && result.exit_code)
		ret = -1;
	strbuf_release(&command);
	arena_release(&arena);
	return ret;
}

/* `bytes` that end at, or (`at_start`) begin behind, an unmapped page. */
static void *guarded(size_t bytes, bool at_start)
{
	size_t whole = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
	char *base = mmap(NULL, whole + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(base, PAGE, PROT_NONE);
	mprotect(base + whole, PAGE, PROT_NONE);
	return at_start ? base + PAGE : base + whole - bytes;
}

__attribute__((unused)) static void guarded_free(void *p, size_t bytes, bool at_start)
{
	size_t whole = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
	munmap(at_start ? (char *)p - PAGE : (char *)p + bytes - whole, whole + PAGE);
}

/* A program that was printed: its plan and where its symbols are. */
struct runnable {
	struct plan plan;
	int64_t scratch_bytes;
};

/* Runs every step over all instances, in two pieces; 0, or -1 when a symbol is missing. */
__attribute__((unused)) static int run_steps(void *library, const struct plan *plan, void *const *buf, const int64_t *dim, void *scratch)
{
	for (size_t s = 0; s < plan->step_count; s++) {
		void (*step)(void *const *, const int64_t *, int64_t, int64_t, void *);
		*(void **)&step = dlsym(library, plan->step[s].symbol);
		int64_t n = plan_step_instances(plan, s, dim);
		if (!step || n < 0)
			return -1;
		step(buf, dim, 0, n / 3, scratch);
		step(buf, dim, n / 3, n, scratch);
	}
	return 0;
}

#endif
