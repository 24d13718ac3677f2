/* Shared objects that would do something when they are loaded, each refused for what it is; honest ones pass. */
#include "evaluate/inspect.h"
#include "evaluate/compiler.h"
#include "ops/core/arena.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena arena;
static char path[] = "/tmp/km-test-inspect.XXXXXX";

#define KERNEL "void km_f(void *const *buf, const long *dim, long first, long last, void *scratch) { float *y = buf[1]; for (long i = first; i < last; i++) y[i] = dim[0]; }\n"
#define CLANG "clang-22", "-O1", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-w", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"

/* Compiles, writes the artifact to path and inspects it; its answer, or -2 when it does not compile. */
static int inspect(char *const *argv, const char *text, const struct inspect_rules *rules, struct strbuf *why)
{
	const struct compiler_run run = { .argv = argv, .suffix = "c", .text = text, .wall_s = 20 };
	struct strbuf made = STRBUF_INIT, log = STRBUF_INIT, err = STRBUF_INIT;
	int ret = -2;

	if (compiler_run(&run, &made, &log, &err) == 1 && !file_publish(path, made.buf, made.len, &err))
		ret = inspect_shared_object(path, rules, why, why);
	else
		printf("# %s%s\n", log.buf, err.buf);
	strbuf_release(&made);
	strbuf_release(&log);
	strbuf_release(&err);
	return ret;
}

static void refused(const char *what, char *const *argv, const char *text, const char *must_say)
{
	static const struct inspect_rules none;
	struct strbuf why = STRBUF_INIT;
	int ret = inspect(argv, text, &none, &why);

	ok(ret == 0 && strstr(why.buf, must_say) && !strchr(why.buf, '\n'), "%s: %s", what, why.buf);
	strbuf_release(&why);
}

static void test_refused(void)
{
	char *const *clang = PROC_ARGV(CLANG);

	refused("K15 a constructor", clang, KERNEL "__attribute__((constructor)) static void c(void) { *(volatile int *)0 = 1; }\n", "constructor");
	refused("K15 a constructor by its section", clang, KERNEL "static void c(void) {}\n__attribute__((section(\".init_array\"), used)) static void (*p)(void) = c;\n", "constructor");
	refused("K15 a destructor", clang, KERNEL "__attribute__((destructor)) static void c(void) {}\n", "destructor");
	refused("K15 _init", clang, KERNEL "void _init(void) {}\n", "_INIT");
	refused("K15 _fini", clang, KERNEL "void _fini(void) {}\n", "_FINI");
	refused("K15 a function chosen when it is loaded", clang,
		KERNEL "static void g(void) {}\nstatic void *choose(void) { return g; }\nvoid km_g(void) __attribute__((ifunc(\"choose\")));\n", "IFUNC");
	refused("K15 the same, hidden", clang,
		KERNEL "static volatile int n;\nstatic void g(void) { n++; }\nstatic void h(void) { n--; }\nstatic void *choose(void) { return n ? g : h; }\n__attribute__((visibility(\"hidden\"), ifunc(\"choose\"))) void g2(void);\nvoid km_h(void) { g2(); }\n", "IFUNC");
	refused("K15 memory of each thread", clang, KERNEL "_Thread_local int km_t; int *km_g(void) { return &km_t; }\nvoid *__tls_get_addr(void *x) { return x; }\n", "thread");
	refused("an executable stack", PROC_ARGV("clang-22", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-Wl,-z,execstack", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"), KERNEL, "stack");
	refused("nothing said of the stack", PROC_ARGV("clang-22", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-Wl,-z,nognustack", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"), KERNEL, "stack");
	refused("code that is written", PROC_ARGV("clang-22", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-Wl,-N", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"), KERNEL "int km_data = 3;\n", "both written and executed");
	refused("code the loader changes", PROC_ARGV("clang-22", "-x", "c", "-shared", "-nostdlib", "-fuse-ld=lld", "-Wl,-z,notext", "-fno-pic", "-mcmodel=large", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"),
		"int km_x; int *km_f(void) { return &km_x; }\n", "changed by the loader");
	refused("A6 a library it needs", PROC_ARGV("gcc", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-Wl,--no-as-needed", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c", "-lm"), KERNEL, "libm.so.6");
	refused("A6 a symbol of any library", clang, KERNEL "void *dlopen(const char *, int);\nvoid *km_g(void) { return dlopen(\"libblas.so\", 1); }\n", "imports 'dlopen'");
	refused("A6 the same, weakly", clang, KERNEL "__attribute__((weak)) int system(const char *);\nint km_g(void) { return system ? system(\"\") : 0; }\n", "imports 'system'");
	refused("T14 clock_gettime exported", clang, KERNEL "int clock_gettime(int c, void *t) { return 0; }\n", "'clock_gettime', a name of the C library");
	refused("T14 malloc, weakly", clang, KERNEL "__attribute__((weak)) void *malloc(unsigned long n) { return 0; }\n", "'malloc'");
	refused("T14 exp of the mathematics", clang, KERNEL "double exp(double x) { return 0; }\n", "'exp'");
	refused("K14 a terabyte of nothing", clang, KERNEL "char km_big[1L << 40];\n", "bytes of memory");
	refused("K14 in parts", clang, KERNEL "char km_a[40L << 20] = { 1 };\nchar km_b[40L << 20];\n", "bytes of memory");
	refused("a program", PROC_ARGV("gcc", "-x", "c", "-pie", "-fPIE", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"), "int main(void) { return 0; }\n", "");
	refused("an object not linked", PROC_ARGV("gcc", "-c", "-x", "c", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"), KERNEL, "no shared object");
	refused("a text", PROC_ARGV("cp", COMPILER_SOURCE "c", COMPILER_OUTPUT), KERNEL, "no shared object");
	refused("a place where libraries are looked for", PROC_ARGV("clang-22", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-Wl,-rpath,/tmp", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"), KERNEL, "looked for");
}

static void test_passes(void)
{
	static const char *const imports[] = { "expf", NULL }, *const libraries[] = { "libm.so.6", NULL };
	static const struct inspect_rules none, some = { .imports = imports, .libraries = libraries };
	char *const *gcc = PROC_ARGV("gcc", "-O1", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c", "-lm");
	struct strbuf why = STRBUF_INIT;

	ok(inspect(PROC_ARGV(CLANG), KERNEL, &none, &why) == 1 && !why.len, "an honest kernel passes %s", why.buf);
	ok(inspect(PROC_ARGV(CLANG), KERNEL "static float t[1 << 20] = { 1 };\nfloat km_g(int i) { return t[i]++; }\nfloat *km_h[] = { t, t + 9 };\n", &none, &why) == 1,
	   "so does one with tables of its own %s", why.buf);
	ok(inspect(gcc, "float expf(float);\nfloat km_f(float x) { return expf(x); }\n", &some, &why) == 1, "what the rules allow may be imported %s", why.buf);
	ok(inspect(gcc, "float expf(float);\nfloat km_f(float x) { return expf(x); }\n", &none, &why) == 0, "and not without: %s", why.buf);
	strbuf_reset(&why);
	ok(inspect_shared_object("/no/such/file.so", &none, &why, &why) == -1 && strstr(why.buf, "/no/such/file.so"), "a file that is not there is no verdict: %s", why.buf);
	strbuf_release(&why);
}

/* Any damage to the bytes is an answer, never a crash. */
static void test_damage(void)
{
	static const struct inspect_rules none;
	struct strbuf why = STRBUF_INIT, err = STRBUF_INIT, image = STRBUF_INIT;
	int answers = 0, tries = 0;
	uint64_t random = 1;

	if (inspect(PROC_ARGV(CLANG), KERNEL, &none, &why) != 1 || strbuf_read_file(&image, path, &err)) {
		ok(false, "cannot make a kernel to damage: %s%s", why.buf, err.buf);
		return;
	}
	for (; tries < 3000; tries++) {
		char kept[8];
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* Most of what matters lies at the beginning; one time in eight the file ends early. */
		size_t at = (random >> 33) % (tries & 1 ? 1024 : image.len - 8), len = tries % 8 == 7 ? at : image.len;
		memcpy(kept, image.buf + at, 8);
		memset(image.buf + at, (int)(random >> 20), 1 + (random >> 60) % 8);
		FILE *f = fopen(path, "w");
		bool written = f && fwrite(image.buf, 1, len, f) == len;
		if (f)
			fclose(f);
		memcpy(image.buf + at, kept, 8);
		strbuf_reset(&why);
		int ret = inspect_shared_object(path, &none, &why, &why);
		answers += written && (ret == 1 || why.len);
	}
	ok(answers == tries, "%d damaged files, an answer for each", tries);
	strbuf_release(&image);
	strbuf_release(&why);
	strbuf_release(&err);
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	test_refused();
	test_passes();
	test_damage();
	unlink(path);
	arena_release(&arena);
	return done_testing();
}
