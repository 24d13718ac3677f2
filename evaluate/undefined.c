#include "evaluate/undefined.h"
#include "evaluate/sandbox_inside.h"
#include "generate/lang.h"
#include "ops/core/defence.h"
#include "ops/core/proc.h"

#include <string.h>
#include <unistd.h>

/* clang names its runtimes so. */
#if defined(__x86_64__)
#define RUNTIME "libclang_rt.asan-x86_64.so"
#elif defined(__aarch64__)
#define RUNTIME "libclang_rt.asan-aarch64.so"
#else
#define RUNTIME "libclang_rt.asan.so"
#endif
#define COMPILER "clang-22"

/* Where the compiler has it; NULL with the reason. */
static const char *find_runtime(struct arena *arena, struct strbuf *why_not)
{
	struct strbuf path = STRBUF_INIT;
	struct proc_result result;
	const char *runtime = NULL;

	if (IS_SANITIZED)
		strbuf_addstr(why_not, "this build has sanitizers of its own");
	else if (!proc_run(PROC_ARGV(COMPILER, "-print-file-name=" RUNTIME), NULL, NULL, &result, &path, NULL, why_not)) {
		path.buf[strcspn(path.buf, "\n")] = 0;
		/* What it does not find it names without a folder. */
		if (path.buf[0] == '/' && !access(path.buf, R_OK))
			runtime = arena_strdup(arena, path.buf);
		else
			strbuf_addstr(why_not, "no '" RUNTIME "': run 'apt-get install libclang-rt-22-dev'");
	}
	strbuf_release(&path);
	return runtime;
}

/* It reads its own mappings before all else, which takes a /proc: does a box here have one?  0, or -1 with the reason. */
static int try_runtime(const char *runtime, struct strbuf *why_not)
{
	const struct sandbox_start start = { .role = SANDBOX_KERNEL, .program = "/bin/true", .argv = PROC_ARGV("true"), .sanitizer = runtime,
					     .fd = (const int[]){ SANDBOX_NOWHERE, SANDBOX_SAID, SANDBOX_SAID }, .fd_count = 3,
					     .memory_bytes = INT64_C(1) << 30, .cpu_s = 60, .processes = 16 };
	struct sandbox box;
	struct sandbox_end end;

	if (sandbox_start(&box, &start, why_not))
		return -1;
	sandbox_watch(&box, -1, clock_ns() + INT64_C(30000000000));
	sandbox_end(&box, &end);
	sandbox_release(&box);
	if (!end.exit_code)
		return 0;
	strbuf_addstr(why_not, "their runtime does not start in a box here: it wants a mount namespace that may have a /proc of its own; run as root");
	return -1;
}

const char *undefined_runtime(struct arena *arena, struct strbuf *why_not)
{
	const char *runtime = find_runtime(arena, why_not);

	return runtime && !try_runtime(runtime, why_not) ? runtime : NULL;
}

/* A source that asks the compiler whether it is watched, or to look away. */
static bool looks_away(const struct candidate *c, struct strbuf *detail)
{
	static const char *const word[] = { "no_sanitize", "no_address_safety", "disable_sanitizer", "address_sanitizer", "undefined_behavior_sanitizer", "__SANITIZE_" };

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (strstr(c->source, word[i]) || strstr(c->prologue, word[i])) {
			strbuf_addf(detail, "its source speaks of sanitizers: '%s'", word[i]);
			return true;
		}
	return false;
}

/* Who reports, or, where nobody does, that the values changed. */
static void tell(enum verdict v, const char *words, struct strbuf *detail)
{
	bool is_report = strstr(words, "AddressSanitizer") || strstr(words, "runtime error: ");

	strbuf_addf(detail, "%s: %s", is_report ? "a sanitizer reports" : "not so with sanitizers and NaN in uninitialised variables", verdict_name(v));
	strbuf_addf(detail, ": %s", words);
}

/* In the box, on every check shape and at the edges of tiles; again where somebody else killed it. */
static enum verdict run(struct session *s, const struct candidate *c, const char *artifact, const char *runtime, int *shapes, struct strbuf *words)
{
	enum verdict v = VERDICT_PASSED;
	bool was_killed = true;

	for (int tries = 0; tries < 3 && was_killed; tries++) {
		struct contestant contestant;
		struct check_result worst = { .verdict = VERDICT_PASSED };
		strbuf_reset(words);
		v = contestant_start_sanitized(s, c, artifact, runtime, &contestant, words);
		if (v == VERDICT_PASSED)
			v = contestant_check_shapes(&contestant, &worst, shapes, words);
		if (v == VERDICT_PASSED && defence_stands(DEFENCE_EDGES))
			v = contestant_check_edges(&contestant, &worst, words);
		contestant_end(&contestant);
		was_killed = v != VERDICT_PASSED && contestant.was_killed;
	}
	return v;
}

enum verdict undefined_search(struct session *s, const struct candidate *c, struct strbuf *how, struct strbuf *detail, struct strbuf *err)
{
	struct strbuf why_not = STRBUF_INIT, words = STRBUF_INIT;
	const struct lang *lang = lang_find(c->lang);
	const char *runtime = undefined_runtime(&s->arena, &why_not);
	struct compiled compiled;
	enum verdict v = VERDICT_PASSED;
	int shapes = 0;

	if (runtime && strncmp(lang->compile, COMPILER " ", strlen(COMPILER " "))) {
		strbuf_addf(&why_not, "'%s' is not compiled by " COMPILER, c->lang);
		runtime = NULL;
	}
	if (!runtime) {
		strbuf_addf(how, "no sanitizers: %s", why_not.buf);
	} else if (looks_away(c, detail)) {
		v = VERDICT_REJECTED;
	} else if (compile_sanitized(&s->arena, c, &compiled, err)) {
		v = VERDICT_HARNESS_ERROR;
	} else if (!compiled.ok) {
		strbuf_addf(detail, "with sanitizers: %.*s", (int)strcspn(compiled.log, "\n"), compiled.log);
		v = VERDICT_COMPILE_ERROR;
	} else {
		v = run(s, c, compiled.artifact, runtime, &shapes, &words);
		/* The box could not start with the runtime: before the kernel was loaded, and so not its doing. */
		if (v == VERDICT_HARNESS_ERROR) {
			strbuf_addf(how, "no sanitizers: %s", words.buf);
			v = VERDICT_PASSED;
		} else if (v == VERDICT_PASSED) {
			strbuf_addf(how, "sanitizers: %d check shapes", shapes);
		} else {
			tell(v, words.buf, detail);
			v = VERDICT_UNDEFINED;
		}
	}
	strbuf_release(&why_not);
	strbuf_release(&words);
	return v;
}
