/* Workers: a kernel runs in its own process; whatever it does ends as a verdict and nothing else. */
#include "evaluate/compile.h"
#include "evaluate/worker.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static struct problem problem;
static struct stage stage;
static const int plan_dim[] = { 0, 1 };
static bool stays; /* the worker, on the last processor */

static const char plan[] = "plan: so\ndim: M N\nbuffer: x in f32 M*N\nbuffer: y out f32 M*N\nscratch: 64\nstep: km_f grid=M threads=1 shared=0\n";
static const char head[] = "void km_f(void *const *buf, const long *dim, long first, long last, void *scratch)\n"
			   "{ const float *x = buf[0]; float *y = buf[1]; long n = dim[1]; (void)x; (void)y; (void)n; (void)scratch;\n"
			   "for (long i = first * n; i < last * n; i++) y[i] = x[i] > 0 ? x[i] : 0;\n";

/* Loads and runs a kernel whose body ends with `tail`. */
static enum verdict run(const char *before, const char *tail, int64_t memory_bytes, double limit_s, struct strbuf *detail)
{
	struct strbuf source = STRBUF_INIT;
	struct worker w;
	struct worker_start start = { .plan = plan, .threads = 1, .memory_bytes = memory_bytes, .cpu_s = 20, .limit_s = 5, .is_confined = true };

	strbuf_addf(&source, "%s%s%s }\n", before, head, tail);
	strbuf_reset(detail);
	if (compile_trusted(&arena, source.buf, "gcc -O1 -w", &start.artifact, detail))
		return VERDICT_HARNESS_ERROR;
	strbuf_release(&source);
	stage_poison(&stage, 0, 0);
	enum verdict v = worker_open(&w, &stage, &start, detail);
	if (v == VERDICT_PASSED) {
		int64_t ns;
		if (stays)
			worker_stay(&w, 0);
		v = worker_ask(&w, WORKER_RUN, &(struct worker_task){ .calls = 1, .plan_dim = plan_dim, .plan_dims = 2, .limit_s = limit_s }, &ns, detail);
		worker_close(&w);
	}
	return v;
}

static void expect(enum verdict want, const char *what, const char *before, const char *tail)
{
	struct strbuf detail = STRBUF_INIT;
	int64_t start = clock_ns();
	/* Filling memory takes its time; the rest is quick or never ends. */
	enum verdict got = run(before, tail, INT64_C(128) << 20, want == VERDICT_MEMORY ? 20 : 0.5, &detail);

	ok(got == want, "%s: %s (%s) in %.1f s", what, verdict_name(got), detail.buf, (double)(clock_ns() - start) * 1e-9);
	strbuf_release(&detail);
}

static void test_ends(void)
{
	expect(VERDICT_PASSED, "an honest kernel", "", "");
	char where[160] = "";
	ok(stage_scan(&stage, 0, 0, where) == VERDICT_PASSED, "has written all and no more %s", where);
	expect(VERDICT_RUNTIME_ERROR, "a null pointer", "", "*(volatile int *)0 = 1;");
	expect(VERDICT_RUNTIME_ERROR, "a trap", "", "__builtin_trap();");
	expect(VERDICT_INCORRECT_INPUT_MUTATED, "a write to an input", "", "((volatile float *)x)[3] = 1;");
	expect(VERDICT_EARLY_EXIT, "_exit(0) in the kernel", "#include <unistd.h>\n", "_exit(0);");
	expect(VERDICT_EARLY_EXIT, "_exit(127), as if it had never started", "#include <unistd.h>\n", "_exit(127);");
	expect(VERDICT_EARLY_EXIT, "_exit(0) in a constructor", "#include <unistd.h>\n__attribute__((constructor)) static void c(void) { _exit(0); }\n", "");
	expect(VERDICT_TIMEOUT, "a loop without end", "", "for (volatile int i = 0;; i++);");
	expect(VERDICT_EARLY_EXIT, "closing every descriptor, then sleeping", "#include <unistd.h>\n", "for (int i = 0; i < 64; i++) close(i); sleep(60);");
	expect(VERDICT_MEMORY, "all memory it can get", "#include <stdlib.h>\n#include <string.h>\n",
	       "for (;;) { char *p = malloc(1 << 20); memset(p, 1, 1 << 20); }");
	expect(VERDICT_LOAD_ERROR, "a symbol nobody has", "void no_such_function(void);\n", "no_such_function();");
	expect(VERDICT_RUNTIME_ERROR, "kill(0)", "#include <signal.h>\n", "kill(0, SIGSTOP);");
	expect(VERDICT_RUNTIME_ERROR, "kill(0, SIGKILL)", "#include <signal.h>\n", "kill(0, SIGKILL);");
	expect(VERDICT_RUNTIME_ERROR, "a file it may not write", "#include <stdio.h>\n",
	       "FILE *f = fopen(\"/tmp/km-test-worker-file\", \"w\"); fputs(\"x\", f); fflush(f);");
	unlink("/tmp/km-test-worker-file");
}

/* Where a candidate was loaded nothing can be trusted any more: the next trial must find nothing of it. */
static void test_apart(void)
{
	for (int i = 0; i < 2; i++)
		expect(VERDICT_PASSED, "a process of its own for each trial", "static int km_loaded_before;\n", "if (km_loaded_before) __builtin_trap(); km_loaded_before = 1;");
}

static void test_start(void)
{
	struct strbuf detail = STRBUF_INIT;
	struct worker w;
	struct worker_start start = { .plan = plan, .threads = 1, .limit_s = 5, .artifact = "/no/such.so" };

	enum verdict v = worker_open(&w, &stage, &start, &detail);
	ok(v == VERDICT_LOAD_ERROR && strstr(detail.buf, "/no/such.so"), "a missing artifact: %s", detail.buf);
	start.plan = "plan: so\nnonsense\n";
	strbuf_reset(&detail);
	v = worker_open(&w, &stage, &start, &detail);
	ok(v == VERDICT_LOAD_ERROR && detail.len, "a broken plan: %s", detail.buf);
	strbuf_release(&detail);
}

static void test_time(void)
{
	struct strbuf detail = STRBUF_INIT, source = STRBUF_INIT;
	struct worker w;
	struct worker_start start = { .plan = plan, .threads = 1, .limit_s = 5 };
	int64_t one = 0, many = 0;

	/* Sleeps a millisecond a call. */
	strbuf_addf(&source, "#include <unistd.h>\n%s usleep(1000 / dim[0]); }\n", head);
	int bad = compile_trusted(&arena, source.buf, "gcc -O1 -w", &start.artifact, &detail);
	enum verdict v = bad ? VERDICT_HARNESS_ERROR : worker_open(&w, &stage, &start, &detail);
	if (v == VERDICT_PASSED)
		v = worker_ask(&w, WORKER_TIME, &(struct worker_task){ .calls = 1, .plan_dim = plan_dim, .plan_dims = 2, .limit_s = 5 }, &one, &detail);
	if (v == VERDICT_PASSED)
		v = worker_ask(&w, WORKER_TIME, &(struct worker_task){ .calls = 16, .first_set = 1, .plan_dim = plan_dim, .plan_dims = 2, .limit_s = 5 }, &many, &detail);
	ok(v == VERDICT_PASSED && many > 8 * 1000000 / 8, "16 calls take at least as long as they sleep: %.2f ms %s", (double)many * 1e-6, detail.buf);
	const void *first[OP_MAX_TENSORS], *other[OP_MAX_TENSORS];
	bool all = true;
	stage_outputs(&stage, 0, 0, first);
	for (int s = 1; s < stage.stage_case[0].sets; s++) {
		stage_outputs(&stage, 0, s, other);
		all &= !memcmp(first[0], other[0], 3200);
	}
	ok(all, "timing went through every set");
	worker_close(&w);
	strbuf_release(&source);
	strbuf_release(&detail);
}

/* A limit is a kernel's own: others that keep its processor busy do not use it up, and do not save one that never ends. */
static void test_busy(void)
{
	enum { OTHERS = 3 };
	static const char spins[] = "clock_t end = clock() + CLOCKS_PER_SEC * 6 / 10; while (clock() < end);";
	struct strbuf detail = STRBUF_INIT;
	cpu_set_t all, last;
	pid_t other[OTHERS];

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&last);
	for (int cpu = CPU_SETSIZE; cpu-- > 0 && !CPU_COUNT(&last);)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &last);
	for (int i = 0; i < OTHERS; i++)
		if (!(other[i] = fork())) {
			sched_setaffinity(0, sizeof(last), &last);
			/* Sessions share a processor equally, however many processes they have. */
			for (setsid();;)
				;
		}
	stays = true;
	enum verdict v = run("#include <time.h>\n", spins, INT64_C(128) << 20, 1.7, &detail);
	ok(v == VERDICT_PASSED, "0.6 s of work, a limit of 1.7 s, and %d others on its processor: %s %s", OTHERS, verdict_name(v), detail.buf);
	v = run("", "for (volatile int i = 0;; i++);", INT64_C(128) << 20, 1.1, &detail);
	ok(v == VERDICT_TIMEOUT && strstr(detail.buf, "no answer"), "and what never ends is ended: %s %s", verdict_name(v), detail.buf);
	for (int i = 0; i < OTHERS; i++) {
		kill(other[i], SIGKILL);
		waitpid(other[i], NULL, 0);
	}
	stays = false;
	strbuf_release(&detail);
}

int main(void)
{
	char self[4200];
	struct strbuf err = STRBUF_INIT;

	/* km-worker lies in bin/ of the build this test is in; the evaluator looks beside itself. */
	snprintf(self, sizeof(self), "%s/../../../bin/km-worker", proc_self_folder());
	char beside[4200];
	snprintf(beside, sizeof(beside), "%s/km-worker", proc_self_folder());
	unlink(beside);
	if (symlink(self, beside)) {
		skip(1, "cannot link km-worker beside the test");
		return done_testing();
	}
	if (problem_parse("relu/f32/M=8,N=100/t1", &problem, &err) ||
	    stage_open(&stage, &(struct stage_case){ .problem = problem, .distribution = INPUTS_normal, .seed = 1, .sets = 3 }, 1, &err)) {
		ok(false, "stage: %s", err.buf);
		return done_testing();
	}
	test_ends();
	test_apart();
	test_start();
	test_time();
	test_busy();
	stage_close(&stage);
	arena_release(&arena);
	return done_testing();
}
