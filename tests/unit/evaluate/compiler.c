/* Sources written to break compilers, or to make them tell or keep what is not theirs: each costs itself alone. */
#include "evaluate/compiler.h"
#include "evaluate/sandbox.h"
#include "ops/core/arena.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena arena;
static struct strbuf made, said;

#define GCC "gcc", "-O1", "-x", "c", "-fPIC", "-shared", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"
#define CLANG "clang-22", "-O1", "-x", "c", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"
#define GXX "g++", "-std=c++17", "-O1", "-x", "c++", "-fPIC", "-shared", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"
#define CLANGXX "clang-22", "-std=c++17", "-O1", "-x", "c++", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", "-o", COMPILER_OUTPUT, COMPILER_SOURCE "c"

/* As compiler_run(), with small limits; what it made and said is in made and said. */
static int compile(char *const *argv, const char *text, double wall_s)
{
	const struct compiler_run run = { .argv = argv, .suffix = "c", .text = text, .wall_s = wall_s, .memory_bytes = INT64_C(768) << 20 };
	struct strbuf err = STRBUF_INIT;

	strbuf_reset(&made);
	strbuf_reset(&said);
	int ret = compiler_run(&run, &made, &said, &err);
	if (ret < 0)
		printf("# %s\n", err.buf);
	strbuf_release(&err);
	return ret;
}

/* The first line of what it said, for the test's own. */
static const char *first_line(void)
{
	return arena_strndup(&arena, said.buf, strcspn(said.buf, "\n") < 100 ? strcspn(said.buf, "\n") : 100);
}

/* Every compiler refuses it, within the time, and says neither more than it may nor what it must not. */
static void refused(const char *what, bool is_cplusplus, const char *text, double wall_s, const char *must_say, const char *must_not_say)
{
	char *const *const c[] = { PROC_ARGV(GCC), PROC_ARGV(CLANG) }, *const *const cplusplus[] = { PROC_ARGV(GXX), PROC_ARGV(CLANGXX) };

	for (int i = 0; i < 2; i++) {
		char *const *argv = (is_cplusplus ? cplusplus : c)[i];
		int64_t start_ns = clock_ns();
		int ret = compile(argv, text, wall_s);
		double took_s = (double)(clock_ns() - start_ns) * 1e-9;
		ok(ret == 0 && said.len && said.len < 20000 && took_s < 2 * wall_s + 5 && (!must_say || strstr(said.buf, must_say)) &&
		   (!must_not_say || !strstr(said.buf, must_not_say)), "%s, by %s: refused in %.1f s: %s", what, argv[0], took_s, first_line());
	}
}

/* `count` times the text. */
static char *repeat(const char *text, int count)
{
	size_t len = strlen(text);
	char *all = arena_alloc(&arena, len * (size_t)count + 1);

	for (int i = 0; i < count; i++)
		memcpy(all + len * (size_t)i, text, len);
	return all;
}

static void test_files(void)
{
	char secret[] = "/tmp/km-test-secret.XXXXXX";
	int fd = mkstemp(secret);

	ok(fd >= 0 && write(fd, "int km_secret_word;\n", 20) == 20 && !close(fd), "a file of whoever runs this");
	refused("K1 an endless device", false, "#include \"/dev/zero\"\n", 10, NULL, NULL);
	refused("K2 another", false, "#include \"/dev/urandom\"\n", 10, NULL, NULL);
	refused("K3 the users' file included", false, "#include \"/etc/passwd\"\n", 10, NULL, "root:");
	refused("K3 a file of whoever runs this", false, arena_printf(&arena, "#include \"%s\"\nint x = km_secret_word", secret), 10, NULL, "after");
	refused("K4 the passwords put into the artifact", false, "__asm__(\".section .data\\n.incbin \\\"/etc/shadow\\\"\");\nint x;\n", 10, NULL, NULL);
	refused("K4 the users", false, "__asm__(\".section .data\\n.incbin \\\"/etc/passwd\\\"\");\nint x;\n", 10, NULL, NULL);
	refused("K5 a pipe that nobody writes", false, "#include \"/proc/self/fd/1\"\n", 2, NULL, NULL);
	refused("K17 a file embedded", false, "const char x[] = {\n#embed \"/etc/passwd\"\n};\n", 10, NULL, NULL);
	unlink(secret);
}

static void test_sizes(void)
{
	refused("K6 4 GiB of zeros", false, "__asm__(\".data\\n.fill 4294967296, 1, 1\");\nint x;\n", 3, NULL, NULL);
	refused("K6 64 GiB of an array", false, "char x[1L << 36] = { 1 };\nchar y[1L << 36] = { 2 };\n", 3, NULL, NULL);
	refused("K7 a macro of 10^10 words", false,
		"#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(A(x)))))\nint y = B(B(1 +)) 0;\n", 20, "memory", NULL);
	refused("K8 a tree of templates", true, "template <int d, long p> struct t { static const long v = t<d - 1, 2 * p>::v + t<d - 1, 2 * p + 1>::v; };\n"
						"template <long p> struct t<0, p> { static const long v = p; };\nlong x = t<26, 0>::v;\n", 2, "stopped", NULL);
	refused("K9 a template without end", true, "template <int d> struct t { static const int v = t<d + 1>::v; };\nint x = t<0>::v;\n", 10, NULL, NULL);
	refused("K9 a file that includes itself", false, "#include __FILE__\n", 10, NULL, NULL);
	refused("K10 a constant of 2^40 steps", true,
		"constexpr long f() { long s = 0; for (long i = 0; i < 1L << 40; i++) s += i; return s; }\nconstexpr long x = f();\nlong y = x;\n", 3, NULL, NULL);
	refused("K11 300,000 errors", false, repeat("oops;\n", 300000), 4, NULL, NULL);
	refused("K12 200,000 parentheses", false, arena_printf(&arena, "int x = %s1%s;\n", repeat("(", 200000), repeat(")", 200000)), 20, NULL, NULL);
	refused("K13 loops unrolled without end", false,
		"#define R(x) x x x x x x x x x x\nfloat f(float *a, long n) { float s = 0; for (long i = 0; i < n; i++) {\n"
		"R(R(R(R(R(s += a[i] * s; a[i] = s / (1 + a[i] * a[i]); if (s > a[i]) a[i + 1] -= s;))))) } return s; }\n", 2, "stopped", NULL);
	ok(compile(PROC_ARGV(CLANG), "char big[1L << 40];\nchar *f(void) { return big; }\n", 10) >= 0,
	   "K14 a terabyte of nothing compiles or not, and harms nothing (inspect.c)");
}

static int count_files(const char *folder)
{
	DIR *d = opendir(folder);
	int count = 0;

	while (d && readdir(d))
		count++;
	if (d)
		closedir(d);
	return count;
}

static void test_traces(void)
{
	static const char source[] = "const char *f(void) { return __DATE__ __TIME__ __FILE__; }\n";
	struct strbuf first = STRBUF_INIT;

	bool both = compile(PROC_ARGV(CLANG), source, 10) == 1;
	strbuf_add(&first, made.buf, made.len);
	sleep(1);
	both &= compile(PROC_ARGV(CLANG), source, 10) == 1;
	ok(both && first.len == made.len && !memcmp(first.buf, made.buf, made.len) && !memmem(made.buf, made.len, "/tmp", 4),
	   "K17 no date, no time and no folder gets into an artifact");
	ok(compile(PROC_ARGV("no-such-compiler-1", COMPILER_SOURCE "c"), "int x;\n", 10) < 0, "a compiler that is not there is no fault of the source");
	ok(compile(PROC_ARGV("gcc", "-v", "--help"), "", 10) == 0 && strstr(said.buf, "bytes more"), "of much that is said much is dropped, and counted");
	strbuf_release(&first);
}

/* A shell in a compiler's place: what it may do at all. */
static void test_reach(void)
{
	static const struct {
		const char *what, *script;
	} cannot[] = {
		{ "write the system's folders", "echo x >/usr/km-test || echo x >/etc/km-test || echo x >/km-test" },
		{ "read the passwords", "cat /etc/shadow || cat /etc/passwd" },
		{ "see a process of ours", "test -d /proc/2000000000 || ls /proc | grep -x -v -E '[a-z].*|[1-9]|[1-9][0-9]' | grep ." },
		{ "signal anybody", "kill -0 $PPID && test $PPID -gt 0" },
		{ "leave a file where others find it", "echo x >/var/tmp/km-test-left" },
		{ "open a connection", "exec 3<>/dev/tcp/127.0.0.1/80" },
		{ "use a device", "head -c 1 /dev/sda || head -c 1 /dev/vda || head -c 1 /dev/mem" },
		{ "become root", "su -c true || sudo -n true" },
		{ "mount", "mount -t tmpfs none /tmp" },
		{ "make namespaces", "unshare -r true" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cannot); i++)
		ok(compile(PROC_ARGV("bash", "-c", arena_printf(&arena, "(%s) 2>/dev/null && touch %s", cannot[i].script, COMPILER_OUTPUT)), "", 10) == 0,
		   "a compiler cannot %s", cannot[i].what);
	ok(compile(PROC_ARGV("sh", "-c", "ln -s /etc/passwd " COMPILER_OUTPUT), "", 10) == 0 && !made.len, "S16 a link instead of a file is not followed");
	ok(compile(PROC_ARGV("sh", "-c", "mkfifo " COMPILER_OUTPUT), "", 10) == 0, "S16 a pipe instead of a file is not waited for");
	ok(compile(PROC_ARGV("sh", "-c", "i=0; while mkdir d$i && cd d$i; do i=$((i + 1)); done; exit 1"), "", 5) == 0, "S4 deep folders go with the box");
	ok(compile(PROC_ARGV("sh", "-c", "i=0; while : >f$i; do i=$((i + 1)); done; exit 1"), "", 10) == 0, "S4 files without end go with it too");
	ok(compile(PROC_ARGV("sh", "-c", "yes >" COMPILER_OUTPUT), "", 20) == 0, "S4 so does a file without end");
	ok(compile(PROC_ARGV("sh", "-c", "yes"), "", 2) == 0 && said.len < 20000, "S14 a flood of words is cut");
	ok(compile(PROC_ARGV("bash", "-c", "b() { b | b & }; b; sleep 1; exit 1"), "", 5) == 0, "S1 a fork bomb ends with its box");
	ok(compile(PROC_ARGV("sh", "-c", "setsid sleep 100 & sleep 100 & exit 1"), "", 5) == 0, "S5 daemons end with it");
}

int main(void)
{
	char folder[] = "/tmp/km-test-compiler.XXXXXX";

	if (!mkdtemp(folder))
		return 1;
	setenv("TMPDIR", folder, 1);
	strbuf_init(&made);
	strbuf_init(&said);
	test_files();
	test_sizes();
	test_traces();
	if (sandbox_has(SANDBOX_MOUNT, NULL) && sandbox_has(SANDBOX_PID, NULL))
		test_reach();
	else
		skip(1, "no namespaces here");
	ok(count_files(folder) == 2 && !rmdir(folder), "nothing is left where temporary files go");
	strbuf_release(&made);
	strbuf_release(&said);
	arena_release(&arena);
	return done_testing();
}
