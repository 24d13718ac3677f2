/*
 * The judge outside the kernel's process: honest kernels pass, and each way to seem
 * right or fast without being it ends as its verdict.
 *
 *   judge                        the classes, once each
 *   judge count HONEST FORGED    so many judgements of honest kernels and of each forged clock, as TSV:
 *                                name, count, how many ended wrong, seconds (under load: start some first)
 */
#include "evaluate/compile.h"
#include "evaluate/judge.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct arena arena;
static struct problem problem;
static const struct target *target;

#define PROBLEM "matmul/f32/M=64,N=64,K=64/t1"
/* What every source begins with; honest() computes the product. */
static const char head[] =
	"#include <stdint.h>\n#include <string.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
	"static void honest(void *const *buf, const int64_t *dim)\n"
	"{ const float *a = buf[0], *b = buf[1]; float *c = buf[2]; long m = dim[0], n = dim[1], k = dim[2];\n"
	"  for (long i = 0; i < m; i++) { for (long j = 0; j < n; j++) c[i * n + j] = 0;\n"
	"    for (long l = 0; l < k; l++) for (long j = 0; j < n; j++) c[i * n + j] += a[i * k + l] * b[l * n + j]; } }\n";
#define KERNEL "void kernel(void *const *buf, const int64_t *dim)\n"

static const struct attack {
	const char *name;
	enum verdict verdict;
	const char *source;
	enum {
		CONFINED,
		UNCONFINED, /* what the judge does where the sandbox does not help */
		OF_MEMORY,  /* AddressSanitizer's own memory in a worker hides what this does with memory, or how it ends */
	} kind;
} attacks[] = {
	{ "does what it says", VERDICT_PASSED, KERNEL "{ honest(buf, dim); }\n", CONFINED },
	{ "zeros", VERDICT_INCORRECT_NUMERICAL, KERNEL "{ memset(buf[2], 0, dim[0] * dim[1] * 4); }\n", CONFINED },
	{ "the first result again", VERDICT_INCORRECT_NUMERICAL,
	  "static float kept[1 << 16]; static int has;\n" KERNEL
	  "{ if (!has) { honest(buf, dim); memcpy(kept, buf[2], dim[0] * dim[1] * 4); has = 1; } memcpy(buf[2], kept, dim[0] * dim[1] * 4); }\n", CONFINED },
	{ "results kept by the inputs' address", VERDICT_PASSED, /* of which no two calls have one: nothing gained */
	  "static const void *key[4096]; static float kept[4096][4096]; static int n;\n" KERNEL
	  "{ for (int i = 0; i < n; i++) if (key[i] == buf[0]) { memcpy(buf[2], kept[i], dim[0] * dim[1] * 4); return; }\n"
	  "  honest(buf, dim); if (n < 4096) { key[n] = buf[0]; memcpy(kept[n++], buf[2], dim[0] * dim[1] * 4); } }\n", CONFINED },
	{ "half precision", VERDICT_INCORRECT_NUMERICAL,
	  KERNEL "{ const float *a = buf[0], *b = buf[1]; float *c = buf[2]; long m = dim[0], n = dim[1], k = dim[2];\n"
	  "  for (long i = 0; i < m; i++) for (long j = 0; j < n; j++) { float s = 0;\n"
	  "    for (long l = 0; l < k; l++) s += (float)(_Float16)a[i * k + l] * (float)(_Float16)b[l * n + j]; c[i * n + j] = s; } }\n", CONFINED },
	{ "every second element", VERDICT_INCORRECT_NUMERICAL,
	  KERNEL "{ honest(buf, dim); float *c = buf[2]; for (long i = 1; i < dim[0] * dim[1]; i += 2) c[i] = c[i - 1]; }\n", CONFINED },
	{ "a skipped tail", VERDICT_INCORRECT_UNWRITTEN, KERNEL "{ const int64_t fewer[] = { dim[0] - 1, dim[1], dim[2] }; honest(buf, fewer); }\n", CONFINED },
	{ "honest for the first 100 calls", VERDICT_INCORRECT_NUMERICAL,
	  "static int calls;\n" KERNEL "{ if (calls++ < 100) honest(buf, dim); else memset(buf[2], 0, dim[0] * dim[1] * 4); }\n", CONFINED },
	{ "honest for the first 1000 calls", VERDICT_INCORRECT_NUMERICAL,
	  "static int calls;\n" KERNEL "{ if (calls++ < 1000) honest(buf, dim); else memset(buf[2], 0, dim[0] * dim[1] * 4); }\n", CONFINED },
	{ "honest only after the first 100 calls", VERDICT_INCORRECT_NUMERICAL,
	  "static int calls;\n" KERNEL "{ if (calls++ >= 100) honest(buf, dim); else memset(buf[2], 0, dim[0] * dim[1] * 4); }\n", CONFINED },
	{ "all the work in every 15th call", VERDICT_INCORRECT_UNWRITTEN,
	  "static int calls;\n" KERNEL "{ if (calls++ % 15 == 14) honest(buf, dim); }\n", CONFINED },
	{ "computed before it was asked", VERDICT_INCORRECT_NUMERICAL,
	  /* The inputs' memory, as the kernel's process has it: empty until it stands still. */
	  "static float kept[64 * 64];\n__attribute__((constructor)) static void before(void)\n"
	  "{ static float a[64 * 64], b[64 * 64]; void *buf[] = { a, b, kept }; int64_t dim[] = { 64, 64, 64 }; honest(buf, dim); }\n" KERNEL
	  "{ memcpy(buf[2], kept, dim[0] * dim[1] * 4); }\n", CONFINED },
	{ "a fault handler that goes on", VERDICT_INCORRECT_UNWRITTEN,
	  "#include <setjmp.h>\n#include <signal.h>\nstatic sigjmp_buf back;\nstatic void jump(int s) { siglongjmp(back, s); }\n" KERNEL
	  "{ (void)dim; (void)buf; signal(SIGSEGV, jump); if (!sigsetjmp(back, 1)) *(volatile int *)0 = 1; }\n", CONFINED },
	{ "nothing at all", VERDICT_INCORRECT_UNWRITTEN, KERNEL "{ (void)buf; (void)dim; }\n", CONFINED },
	{ "a thread that works on after the return", VERDICT_INCORRECT_UNWRITTEN,
	  "#include <pthread.h>\nstatic struct { void *buf[3]; int64_t dim[3]; } job[1 << 16]; static volatile long asked, done; static int is_up;\n"
	  "static void *work(void *x) { for (;;) { while (done == asked) ; honest(job[done & 65535].buf, job[done & 65535].dim); done++; } return x; }\n" KERNEL
	  "{ pthread_t t; if (!is_up++) pthread_create(&t, 0, work, 0); memcpy(job[asked & 65535].buf, buf, sizeof(job->buf)); memcpy(job[asked & 65535].dim, dim, sizeof(job->dim)); asked++; }\n",
	  CONFINED },
	{ "_exit(0) while it is loaded, having said PASS", VERDICT_EARLY_EXIT,
	  "__attribute__((constructor)) static void leave(void) { static const char pass[] = \"{\\\"verdict\\\":\\\"PASS\\\"}\"; if (write(1, pass, sizeof(pass))) { } _exit(0); }\n" KERNEL
	  "{ honest(buf, dim); }\n", CONFINED },
	{ "_exit(0) in a call", VERDICT_EARLY_EXIT, KERNEL "{ (void)buf; (void)dim; _exit(0); }\n", CONFINED },
	{ "a reply of its own, then waiting", VERDICT_INCORRECT_UNWRITTEN,
	  /* struct worker_reply: DONE, a time, no clocks, no text; whichever descriptor takes it. */
	  KERNEL "{ struct { int32_t word; int64_t ns; char rest[496]; } r = { 2, 1000 }; (void)buf; (void)dim;\n"
	  "  for (int fd = 3; fd < 64; fd++) if (write(fd, &r, sizeof(r)) > 0) break;\n  for (;;) pause(); }\n", CONFINED },
	{ "a reply of its own, then the work", VERDICT_INCORRECT_UNWRITTEN,
	  "static int calls;\n" KERNEL "{ struct { int32_t word; int64_t ns; char rest[496]; } r = { 2, 1000 };\n"
	  "  for (int fd = 3; fd < 64 && !calls; fd++) if (write(fd, &r, sizeof(r)) > 0) calls = 1;\n  usleep(1000); honest(buf, dim); }\n", CONFINED },
	{ "writing to an input", VERDICT_INCORRECT_INPUT_MUTATED, KERNEL "{ honest(buf, dim); ((float *)buf[0])[5] = 0; }\n", CONFINED },
	{ "one float beyond the end", VERDICT_INCORRECT_OUT_OF_BOUNDS, KERNEL "{ honest(buf, dim); ((float *)buf[2])[dim[0] * dim[1]] = 0; }\n", CONFINED },
	{ "one float before the first", VERDICT_INCORRECT_OUT_OF_BOUNDS, KERNEL "{ honest(buf, dim); ((float *)buf[2])[-1] = 0; }\n", CONFINED },
	{ "reading beyond the end", VERDICT_INCORRECT_OUT_OF_BOUNDS,
	  "static volatile float sink;\n" KERNEL "{ honest(buf, dim); sink = ((float *)buf[1])[dim[1] * dim[2]]; }\n", CONFINED },
	{ "reading before the first", VERDICT_INCORRECT_OUT_OF_BOUNDS, "static volatile float sink;\n" KERNEL "{ honest(buf, dim); sink = ((float *)buf[0])[-1]; }\n", CONFINED },
	{ "a register not kept", VERDICT_INCORRECT_STATE,
	  "__attribute__((noinline)) static void apart(void *const *buf, const int64_t *dim) { honest(buf, dim); }\n" KERNEL "{ apart(buf, dim); __asm__ volatile(\"xor %%r13d, %%r13d\" : : : \"memory\"); }\n", CONFINED },
	{ "denormals flushed from now on", VERDICT_INCORRECT_STATE, KERNEL
	  "{ honest(buf, dim); unsigned m; __asm__ volatile(\"stmxcsr %0\" : \"=m\"(m)); m |= 0x8040; __asm__ volatile(\"ldmxcsr %0\" : : \"m\"(m)); }\n", CONFINED },
	{ "the direction flag set", VERDICT_INCORRECT_STATE, KERNEL "{ honest(buf, dim); __asm__ volatile(\"std\"); }\n", CONFINED },
	{ "memory kept by every call", VERDICT_INCORRECT_STATE,
	  "static void *volatile last;\n" KERNEL "{ honest(buf, dim); last = malloc(100); }\n", OF_MEMORY },
	{ "a descriptor kept by every call", VERDICT_INCORRECT_STATE, KERNEL "{ honest(buf, dim); if (dup(2) < 0) return; }\n", CONFINED },
	{ "a thread that stays", VERDICT_INCORRECT_STATE,
	  "#include <pthread.h>\nstatic int is_up; static void *rest(void *x) { for (;;) pause(); return x; }\n" KERNEL
	  "{ pthread_t t; if (!is_up++) pthread_create(&t, 0, rest, 0); honest(buf, dim); }\n", CONFINED },
	{ "more threads than the problem has", VERDICT_INCORRECT_STATE,
	  "#include <pthread.h>\n#include <sched.h>\nstatic struct { void *buf[3]; int64_t dim[3]; } job; static volatile long asked, done; static int is_up;\n"
	  "static void *work(void *x) { cpu_set_t all; memset(&all, 255, sizeof(all)); sched_setaffinity(0, sizeof(all), &all);\n"
	  "  for (;;) { while (done == asked) sched_yield(); honest(job.buf, job.dim); done++; } return x; }\n" KERNEL
	  "{ static float spare[1 << 16]; pthread_t t; if (!is_up++) { pthread_create(&t, 0, work, 0); usleep(2000); }\n"
	  "  job.buf[0] = buf[0]; job.buf[1] = buf[1]; job.buf[2] = spare; memcpy(job.dim, dim, sizeof(job.dim)); asked++; honest(buf, dim); while (done != asked) sched_yield(); }\n", CONFINED },
	{ "a loop without end", VERDICT_TIMEOUT, KERNEL "{ honest(buf, dim); for (volatile int i = 0;; i++) ; }\n", CONFINED },
	{ "all memory it can get", VERDICT_MEMORY, KERNEL "{ honest(buf, dim); for (;;) { char *p = malloc(1 << 20); memset(p, 1, 1 << 20); } }\n", OF_MEMORY },
	{ "processes without end", VERDICT_RUNTIME_ERROR, KERNEL "{ honest(buf, dim); for (;;) fork(); }\n", OF_MEMORY },
	{ "killing all it can", VERDICT_RUNTIME_ERROR, "#include <signal.h>\n" KERNEL "{ honest(buf, dim); kill(-1, SIGKILL); kill(0, SIGKILL); kill(getppid(), SIGKILL); }\n", OF_MEMORY },
	{ "a null pointer", VERDICT_RUNTIME_ERROR, KERNEL "{ honest(buf, dim); *(volatile int *)0 = 1; }\n", OF_MEMORY },
	{ "a function nobody has", VERDICT_LOAD_ERROR, "void no_such_function(void);\n" KERNEL "{ honest(buf, dim); no_such_function(); }\n", CONFINED },
	{ "another name", VERDICT_LOAD_ERROR, "void colonel(void) { }\n", CONFINED },
};

/*
 * A clock that runs slower by FACTOR: the loaded kernel puts a function of its own into the
 * table by which km-worker calls clock_gettime(), made writable again.
 */
static const char forger[] =
	"#include <link.h>\n#include <time.h>\n#include <dlfcn.h>\n#include <sys/mman.h>\n"
	"static int64_t first;\n"
	"static int slow(clockid_t id, struct timespec *t) { int bad = clock_gettime(id, t); int64_t ns = t->tv_sec * 1000000000L + t->tv_nsec;\n"
	"  if (!first) first = ns; ns = first + (int64_t)((ns - first) * FACTOR); t->tv_sec = ns / 1000000000; t->tv_nsec = ns % 1000000000; return bad; }\n"
	"__attribute__((constructor)) static void patch(void)\n"
	"{ struct link_map *m = _r_debug.r_map; ElfW(Rela) *rel = 0; ElfW(Sym) *sym = 0; const char *str = 0; long bytes = 0;\n"
	"  for (ElfW(Dyn) *d = m->l_ld; d->d_tag; d++) { if (d->d_tag == DT_JMPREL) rel = (void *)d->d_un.d_ptr; if (d->d_tag == DT_PLTRELSZ) bytes = d->d_un.d_val;\n"
	"    if (d->d_tag == DT_SYMTAB) sym = (void *)d->d_un.d_ptr; if (d->d_tag == DT_STRTAB) str = (void *)d->d_un.d_ptr; }\n"
	"  for (long i = 0; i < bytes / (long)sizeof(*rel); i++) if (!strcmp(str + sym[ELF64_R_SYM(rel[i].r_info)].st_name, \"clock_gettime\")) {\n"
	"    void **slot = (void **)(m->l_addr + rel[i].r_offset); mprotect((void *)((uintptr_t)slot & -4096L), 4096, 3); *slot = (void *)slow; } }\n" KERNEL "{ honest(buf, dim); }\n";

static enum verdict judge_source(const char *source, const char *flags, bool is_confined, bool is_quick, struct judgement *j)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT, command = STRBUF_INIT;
	struct judged judged = { .problem = &problem, .target = target, .symbol = "kernel", .is_confined = is_confined };
	struct judge_options options = { .secret = (uint64_t)clock_ns(), .window_s = 0.02, .limit_s = 1.5, .own_bytes = INT64_C(128) << 20, .alignment = 64,
					 .no_baseline = is_quick };

	strbuf_addf(&text, "%s%s", head, source);
	strbuf_addf(&command, "gcc -O2 -w -march=x86-64-v3 %s", flags);
	*j = (struct judgement){ .detail = "" };
	if (compile_trusted(&arena, text.buf, command.buf, &judged.artifact, &err) || judge(&arena, &judged, &options, j, &err)) {
		j->verdict = VERDICT_HARNESS_ERROR;
		j->detail = arena_strdup(&arena, err.buf);
	}
	strbuf_release(&text);
	strbuf_release(&err);
	strbuf_release(&command);
	return j->verdict;
}

static void test_attacks(const char *only)
{
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		const struct attack *a = &attacks[i];
		struct judgement j;
		if ((only && !strstr(a->name, only)) || (IS_SANITIZED && a->kind == OF_MEMORY))
			continue;
		int64_t start = clock_ns();
		enum verdict v = judge_source(a->source, "", a->kind != UNCONFINED, true, &j);
		ok(v == a->verdict, "%s: %s (%s) in %.1f s", a->name, verdict_name(v), j.detail, (double)(clock_ns() - start) * 1e-9);
	}
}

static void test_times(void)
{
	struct judgement j;

	judge_source(KERNEL "{ honest(buf, dim); }\n", "", true, false, &j);
	ok(j.verdict == VERDICT_PASSED && j.low_ns <= j.judged_ns && j.judged_ns <= j.high_ns && j.ratio > 0, "an honest kernel's time: %.0f ns (%.0f..%.0f), claims %.3f of it, %.2f times the loop nest's speed",
	   j.judged_ns, j.low_ns, j.high_ns, j.claim_ratio, j.ratio);
	for (int percent = 50; percent <= 85; percent += 35) {
		char flags[32];
		snprintf(flags, sizeof(flags), "-DFACTOR=0.%d", percent);
		judge_source(forger, flags, true, true, &j);
		ok(j.verdict == VERDICT_TIMING_FORGED, "a clock slowed to 0.%d: %s (%s)", percent, verdict_name(j.verdict), j.detail);
	}
	judge_source(forger, "-DFACTOR=1.0", true, true, &j);
	ok(j.verdict == VERDICT_PASSED, "the same clock, not slowed: %s (%s)", verdict_name(j.verdict), j.detail);
}

/* Where the judge cannot come to an end it says so: never a time that it did not see. */
static void test_gives_up(void)
{
	static const char relu[] = "void kernel(void *const *buf, const long long *dim)\n"
				   "{ const float *x = buf[0]; float *y = buf[1]; for (long long i = 0; i < dim[0] * dim[1]; i++) y[i] = x[i] < 0 ? 0 : x[i]; }\n";
	struct strbuf err = STRBUF_INIT;
	struct problem tiny;
	struct judged judged = { .target = target, .symbol = "kernel", .is_confined = true };
	/* Three calls a life, of some nanoseconds each. */
	struct judge_options options = { .secret = (uint64_t)clock_ns(), .memory_bytes = 4096, .alignment = 64, .no_baseline = true, .no_strict = true };
	struct judgement j = { .detail = "" };
	int given_up = 0;

	if (problem_parse("relu/f32/M=3,N=5/t1", &tiny, &err) ||
	    compile_trusted(&arena, relu, "gcc -O2 -w", &judged.artifact, &err)) {
		ok(false, "%s", err.buf);
		return;
	}
	judged.problem = &tiny;
	/* What is noise has an interval above nothing now and then, and may even be narrow. */
	for (int i = 0; i < 3; i++)
		given_up += !judge(&arena, &judged, &options, &j, &err) && j.verdict == VERDICT_NOT_MEASURED && strstr(j.detail, "cannot be timed");
	ok(given_up >= 2, "calls that a life is too short for: %s (%s)", verdict_name(j.verdict), j.detail);
	options.memory_bytes = 0;
	int bad = judge(&arena, &judged, &options, &j, &err);
	ok(!bad && j.verdict == VERDICT_PASSED && j.low_ns > 0 && (j.judged_ns * (double)(j.calls_many - j.calls_few) > 2e5 || strstr(j.labels, "not audited")),
	   "as many as memory holds: %.1f ns (%s%s)", j.judged_ns, j.detail, j.labels);
	ok(!j.baseline[0] && isnan(j.ratio) && isnan(j.ratio_low) && isnan(j.baseline_ns), "without a baseline there is no ratio");
	/* Lives too long for the limit. */
	judged.problem = &problem;
	struct strbuf text = STRBUF_INIT;
	strbuf_addf(&text, "%s%s", head, KERNEL "{ honest(buf, dim); usleep(300000); }\n");
	options.limit_s = 0.2;
	bad = compile_trusted(&arena, text.buf, "gcc -O2 -w", &judged.artifact, &err) || judge(&arena, &judged, &options, &j, &err);
	ok(!bad && j.verdict == VERDICT_TIMEOUT && isnan(j.judged_ns), "a call beyond the limit: %s (%s%s)", verdict_name(j.verdict), j.detail, err.buf);
	/* No memory for the inputs: the machine's fault, and said so. */
	options = (struct judge_options){ .secret = 1 };
	struct rlimit old, few = { 3, 3 };
	getrlimit(RLIMIT_NOFILE, &old);
	few.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	strbuf_reset(&err);
	bad = judge(&arena, &judged, &options, &j, &err);
	setrlimit(RLIMIT_NOFILE, &old);
	ok(bad < 0 && err.len && !strchr(err.buf, '\n'), "no descriptor left: %s", err.buf);
	strbuf_release(&text);
	strbuf_release(&err);
}

/* ---- many ------------------------------------------------------------- */

static int count_many(const char *name, const char *source, const char *flags, enum verdict want, int count)
{
	int64_t start = clock_ns();
	int bad = 0;

	for (int i = 0; i < count; i++) {
		struct judgement j;
		if (judge_source(source, flags, true, true, &j) != want) {
			bad++;
			fprintf(stderr, "%s: %s: %s (claims %.3f)\n", name, verdict_name(j.verdict), j.detail, j.claim_ratio);
		}
	}
	printf("%s under load\t%d\t%d\t%.1f\n", name, count, bad, (double)(clock_ns() - start) * 1e-9);
	fflush(stdout);
	return bad;
}

static int run_many(int honest, int forged)
{
	static const int percent[] = { 50, 60, 70, 80, 85 };
	int bad = count_many("honest kernels judged", KERNEL "{ honest(buf, dim); }\n", "", VERDICT_PASSED, honest);

	for (size_t i = 0; i < ARRAY_SIZE(percent); i++) {
		char name[64], flags[32];
		snprintf(name, sizeof(name), "clocks slowed to 0.%d", percent[i]);
		snprintf(flags, sizeof(flags), "-DFACTOR=0.%d", percent[i]);
		bad += count_many(name, forger, flags, VERDICT_TIMING_FORGED, forged);
	}
	return bad > 0;
}

/* km-worker lies in bin/ of the build this test is in; the evaluator looks beside itself. */
static bool has_worker(void)
{
	char self[4200], beside[4200];

	snprintf(self, sizeof(self), "%s/../../../bin/km-worker", proc_self_folder());
	snprintf(beside, sizeof(beside), "%s/km-worker", proc_self_folder());
	if (!access(beside, X_OK))
		return true;
	unlink(beside);
	return !symlink(self, beside);
}

int main(int argc, char **argv)
{
	struct strbuf err = STRBUF_INIT;

	target = target_find("native", &err);
	if (!target || !has_worker()) {
		skip(1, "this CPU is none of the targets, or km-worker cannot be linked beside the test");
		return done_testing();
	}
	if (problem_parse(PROBLEM, &problem, &err)) {
		ok(false, "%s", err.buf);
		return done_testing();
	}
	if (argc == 4 && !strcmp(argv[1], "count"))
		return run_many(atoi(argv[2]), atoi(argv[3]));
	if (argc > 1 && !strcmp(argv[1], "gives-up")) {
		test_gives_up();
		return done_testing();
	}
	test_attacks(argc > 1 ? argv[1] : NULL);
	if (argc == 1) {
		test_times();
		test_gives_up();
	}
	arena_release(&arena);
	return done_testing();
}
