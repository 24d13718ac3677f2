/* Compiling: batches, groups, culprits that stand alone, the cache and its bound. */
#include "evaluate/cache.h"
#include "evaluate/compile.h"
#include "generate/lang.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 9, BAD = 4 };

static struct arena arena;
static char folder[] = "/tmp/km-test-compile.XXXXXX";
static const struct compile_options options = { .cache_folder = folder, .jobs = 2, .batch = 8 };

static struct candidate candidate_of(int i, const char *prologue, const char *body)
{
	struct candidate c = { .problem = "relu/f32/M=3,N=5/t1", .target = target_of_this_machine()->name, .lang = "c", .tile = "printed", .prologue = prologue };

	snprintf(c.id, sizeof(c.id), "%016d", i);
	c.source = arena_printf(&arena, "int km_%s(void) { return %s; }\n", c.id, body);
	return c;
}

/* Does the artifact say so? */
static bool answers(const struct compiled *compiled, const struct candidate *c, int want)
{
	void *library = compiled->ok ? dlopen(compiled->artifact, RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*f)(void);

	*(void **)&f = library ? dlsym(library, arena_printf(&arena, "km_%s", c->id)) : NULL;
	bool yes = f && f() == want;
	if (library)
		dlclose(library);
	return yes;
}

static void test_batch(void)
{
	struct candidate c[COUNT];
	const struct candidate *list[COUNT];
	struct compiled out[COUNT];
	struct strbuf err = STRBUF_INIT;
	bool right = true;

	for (int i = 0; i < COUNT; i++) {
		/* Two prologues, alternating: what may not share a unit must not. */
		c[i] = candidate_of(i, i & 1 ? "enum { base = 100 };\n" : "enum { base = 200 };\n",
				    i == BAD ? "no_such_name" : arena_printf(&arena, "base + %d", i));
		list[i] = &c[i];
	}
	int bad = compile_all(&arena, list, COUNT, &options, out, &err);
	ok(!bad, "a batch compiles %s", err.buf);
	for (int i = 0; i < COUNT; i++)
		right &= i == BAD || answers(&out[i], &c[i], (i & 1 ? 100 : 200) + i);
	ok(right, "each has its own code under its own prologue");
	ok(!out[BAD].ok && strstr(out[BAD].log, "no_such_name"), "the culprit stands alone with the compiler's words");
	ok(!strcmp(out[1].artifact, out[3].artifact) && strcmp(out[0].artifact, out[1].artifact), "units are shared within a prologue only");
	struct compiled again[COUNT];
	struct stat before, after;
	stat(out[1].artifact, &before);
	compile_all(&arena, list, COUNT, &options, again, &err);
	stat(again[1].artifact, &after);
	ok(!strcmp(again[1].artifact, out[1].artifact) && before.st_ino == after.st_ino, "a second time comes from the cache");
	struct compile_options alone = options;
	alone.batch = 1;
	ok(!compile_all(&arena, list, 4, &alone, again, &err) && strcmp(again[1].artifact, again[3].artifact), "alone means alone");
	strbuf_release(&err);
}

/* Compiles two, each alone; are they what they should be? */
static bool two_are_right(const struct candidate *const *list, struct compiled *out)
{
	struct compile_options alone = options;
	struct strbuf err = STRBUF_INIT;

	alone.batch = 1;
	bool right = !compile_all(&arena, list, 2, &alone, out, &err) && answers(&out[0], list[0], 7) && answers(&out[1], list[1], 8);
	strbuf_release(&err);
	return right;
}

/* What lies in the cache is believed only while it is what was put there. */
static void test_damage(void)
{
	struct candidate c[2] = { candidate_of(30, "", "7"), candidate_of(31, "", "8") };
	const struct candidate *list[2] = { &c[0], &c[1] };
	struct compiled out[2];
	char byte = 0;

	ok(two_are_right(list, out), "two are compiled");
	const char *path[2] = { out[0].artifact, out[1].artifact };
	char *object[2] = { arena_strdup(&arena, path[0]), arena_strdup(&arena, path[1]) };
	*strrchr(object[0], '/') = *strrchr(object[1], '/') = 0;
	int fd = open(path[0], O_RDWR);
	bool done = pread(fd, &byte, 1, 0x40) == 1 && (byte ^= 1, pwrite(fd, &byte, 1, 0x40) == 1);
	close(fd);
	ok(done && two_are_right(list, out), "a byte that changed");
	ok(!truncate(path[0], 5000) && two_are_right(list, out), "one cut short");
	ok(!truncate(path[0], 0) && two_are_right(list, out), "an empty one");
	ok(!unlink(path[0]) && two_are_right(list, out), "one that is missing");
	const char *aside = arena_printf(&arena, "%s/aside", folder);
	ok(!rename(path[0], aside) && !rename(path[1], path[0]) && !rename(aside, path[1]) && two_are_right(list, out), "two files, each under the other's name");
	ok(!rename(object[0], aside) && !rename(object[1], object[0]) && !rename(aside, object[1]) && two_are_right(list, out),
	   "two objects, each under the other's name");
	ok(!unlink(path[0]) && !symlink(path[1], path[0]) && two_are_right(list, out), "a link to the other");
	struct stat before, after;
	ok(!stat(path[0], &before) && two_are_right(list, out) && !stat(path[0], &after) && before.st_ino == after.st_ino, "whole again, and not made again");
}

/* One of several processes that compile the same at the same time. */
static int be_one_of_several(const char *cache)
{
	struct candidate c[2] = { candidate_of(40, "", "7"), candidate_of(41, "", "8") };
	const struct candidate *list[2] = { &c[0], &c[1] };
	struct compiled out[2];

	strcpy(folder, cache);
	return !two_are_right(list, out);
}

/* Into nothing; then over objects that all find damaged. */
static void test_together(void)
{
	char *argv[] = { (char[]){ "compile" }, folder, NULL };
	int status, bad = 0;
	pid_t pid[3];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			if (!(pid[i] = fork())) {
				execv("/proc/self/exe", argv);
				_exit(1);
			}
		for (int i = 0; i < 3; i++)
			bad += waitpid(pid[i], &status, 0) < 0 || status;
		ok(!bad, "three processes at the same time, %s", round ? "all of them find damage" : "in an empty cache");
		struct proc_result result;
		struct strbuf err = STRBUF_INIT;
		bad = proc_run(PROC_ARGV("sh", "-c", "for f in \"$0\"/*/*/kernel.so; do : >\"$f\"; done", folder), NULL, NULL, &result, NULL, NULL, &err);
		strbuf_release(&err);
	}
}

/* No cache: what is made lies in memory. */
static void test_nowhere(void)
{
	struct candidate c[2] = { candidate_of(30, "", "7"), candidate_of(31, "", "8") };
	const struct candidate *list[2] = { &c[0], &c[1] };
	struct compile_options nowhere = { .cache_folder = "/proc/no/cache", .jobs = 2, .batch = 1 };
	struct compiled out[2];
	struct strbuf err = STRBUF_INIT;

	int bad = compile_all(&arena, list, 2, &nowhere, out, &err);
	ok(!bad && answers(&out[0], &c[0], 7) && answers(&out[1], &c[1], 8), "a cache that cannot be written: %s %s", bad ? err.buf : out[0].artifact, out[0].log);
	strbuf_release(&err);
}

static void test_limits(void)
{
	struct strbuf err = STRBUF_INIT;
	struct candidate c = candidate_of(50, "", "1");
	const struct candidate *list[] = { &c };
	struct compiled out;
	struct compile_options hasty = options;

	/* Heavier than a hundredth of a second allows. */
	c.source = arena_printf(&arena, "#define A(x) x x x x x x x x\n#define B(x) A(A(A(A(x))))\nint km_%s(void) { volatile int y = 0; B(y += y * y;) return y; }\n",
				c.id);
	hasty.wall_s = 0.01;
	int bad = compile_all(&arena, list, 1, &hasty, &out, &err);
	ok(!bad && !out.ok && strstr(out.log, "stopped"), "a compiler that takes too long is stopped: %s", out.log);
	c.lang = "nosuch";
	bad = compile_all(&arena, list, 1, &options, &out, &err);
	ok(bad < 0 && strstr(err.buf, "nosuch"), "an unknown language: %s", err.buf);
	strbuf_reset(&err);
	const char *artifact;
	bad = compile_trusted(&arena, "int x;", "no-such-compiler-1 -O3", &artifact, &err);
	ok(bad < 0 && strstr(err.buf, "scripts/setup.sh"),
	   "a missing compiler names the fix: %s", err.buf);
	strbuf_reset(&err);
	ok(compile_trusted(&arena, "int f(void) { return oops; }", "clang-22 -O3", &artifact, &err) < 0 && !strchr(err.buf, '\n'),
	   "a refused source of ours is one line");
	strbuf_release(&err);
}

static void test_gc(void)
{
	struct strbuf err = STRBUF_INIT;
	int64_t kept, deleted, all = 0;

	int bad = cache_gc(folder, INT64_MAX, &all, &deleted, &err);
	ok(!bad && all > 0 && !deleted, "nothing goes while there is room: %lld bytes", (long long)all);
	bad = cache_gc(folder, all / 2, &kept, &deleted, &err);
	ok(!bad && kept <= all / 2 && deleted == all - kept, "the bound holds: %lld kept", (long long)kept);
	ok(!cache_gc(folder, 0, &kept, &deleted, &err) && !kept, "all can go");
	ok(!cache_gc("/no/such/folder", 0, &kept, &deleted, &err), "no cache is an empty cache");
	strbuf_release(&err);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return be_one_of_several(argv[1]);
	if (!target_of_this_machine()) {
		skip(1, "this CPU is none of the targets");
		return done_testing();
	}
	if (!mkdtemp(folder))
		return 1;
	setenv("KM_CACHE", folder, 1);
	test_batch();
	test_damage();
	test_together();
	test_nowhere();
	test_limits();
	test_gc();
	arena_release(&arena);
	struct proc_result result;
	struct strbuf err = STRBUF_INIT;
	proc_run(PROC_ARGV("rm", "-rf", folder), NULL, NULL, &result, NULL, NULL, &err);
	strbuf_release(&err);
	return done_testing();
}
