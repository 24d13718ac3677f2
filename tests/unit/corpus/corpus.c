/*
 * Journals -> promotion -> lookup -> launch, with real (small) kernels; and the bad inputs.
 *   corpus make OUT    only writes OUT/cells, for the shell tests
 */
#include "corpus/corpus.h"
#include "corpus/index.h"
#include "corpus/promote.h"
#include "evaluate/journal.h"
#include "generate/target.h"
#include "ops/core/memory.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/km-corpus.XXXXXX";
static struct strbuf err = STRBUF_INIT;
static const char *target;

/* A matrix product in two steps, the first into a temporary. */
static const char source_format[] =
	"typedef long long i64;\n"
	"void km_%1$s_clear(void *const *buf, const i64 *dim, i64 first, i64 last, void *scratch)\n"
	"{\n"
	"	for (i64 i = first; i < last; i++)\n"
	"		for (i64 j = 0; j < dim[1]; j++)\n"
	"			((float *)buf[2])[i * dim[1] + j] = 0;\n"
	"	*(char *)scratch = 1;\n"
	"}\n"
	"void km_%1$s_main(void *const *buf, const i64 *dim, i64 first, i64 last, void *scratch)\n"
	"{\n"
	"	const float *a = buf[0], *b = buf[1], *t = buf[2];\n"
	"	float *c = buf[3];\n"
	"	for (i64 p = first; p < last; p++) {\n"
	"		i64 i = p / dim[1], j = p %% dim[1];\n"
	"		float s = t[p];\n"
	"		for (i64 k = 0; k < dim[2]; k++)\n"
	"			s += a[i * dim[2] + k] * b[k * dim[1] + j];\n"
	"		c[p] = s;\n"
	"	}\n"
	"	(void)scratch;\n"
	"}\n";
static const char plan_format[] =
	"plan: so\ndim: M N K\n%2$s"
	"buffer: A in f32 M*K\nbuffer: B in f32 K*N\nbuffer: T tmp f32 rup(M, 8)*N\nbuffer: C out f32 M*N\nscratch: 64\n"
	"step: km_%1$s_clear grid=M threads=1 shared=0\n"
	"step: km_%1$s_main grid=M,N threads=1 shared=0\n";

static bool is_judged = true;
static const char *judged_beside = "loopnest"; /* "": the judge had no baseline */
static double judged_over_winner = 1; /* what the judge saw, over what the winner's record says */

/* A finished cell: journal with one passed trial and its winner, judged or not, and the winner's artifact. */
static int make_cell(const char *out, const char *name, const char *id, const char *dims, const char *require, int threads, double time_ns)
{
	struct strbuf path = STRBUF_INIT, cell = STRBUF_INIT, problem = STRBUF_INIT, source = STRBUF_INIT, plan = STRBUF_INIT, artifact = STRBUF_INIT;
	struct proc_result result;
	int ret = -1;

	strbuf_addf(&cell, "%s/cells/%s/matmul/%s", out, target, name);
	strbuf_addf(&problem, "matmul/f32/%s/t%d", dims, threads);
	strbuf_addf(&source, source_format, id);
	strbuf_addf(&plan, plan_format, id, require);
	strbuf_addf(&artifact, "%s/kernel.so", id);
	strbuf_addf(&path, "%s/artifacts/%s", cell.buf, id);
	if (make_folder(path.buf, &err))
		goto out;
	strbuf_addstr(&path, "/kernel.so");
	if (proc_run(PROC_ARGV("cc", "-O1", "-shared", "-fPIC", "-x", "c", "-o", path.buf, "-"), source.buf, NULL, &result, NULL, NULL, &err) || result.exit_code)
		goto out;
	strbuf_reset(&path);
	strbuf_addf(&path, "%s/journal", cell.buf);
	struct journal *journal = journal_open(path.buf, NULL, &err);
	if (!journal)
		goto out;
	struct record r = { .kind = RECORD_ENVIRONMENT,
		.environment = { .id = "00112233445566aa", .target = target, .cpu_model = "CPU", .os = "Linux", .compiler = "cc", .clock = "monotonic" } };
	journal_append(journal, &r, &err);
	r = (struct record){ .kind = RECORD_CANDIDATE, .candidate = { .problem = problem.buf, .target = target, .lang = "c", .skeleton = "contraction",
		.knobs = "skeleton=contraction lang=c", .tile = "", .plan = plan.buf, .prologue = "/* vocabulary */\n", .source = source.buf, .origin = "printed", .precision = "strict", .parent = "", .edge = "seed", .policy = "random" } };
	memcpy(r.candidate.id, id, 17);
	journal_append(journal, &r, &err);
	r = (struct record){ .kind = RECORD_EVALUATION, .evaluation = { .candidate = id, .problem = problem.buf, .environment = "00112233445566aa",
		.verdict = VERDICT_PASSED, .detail = "", .time_ns = time_ns, .fitness = 2, .reproduce = "km-evaluate run" } };
	journal_append(journal, &r, &err);
	r = (struct record){ .kind = RECORD_BASELINE, .baseline = { problem.buf, "00112233445566aa", "loopnest", "-O3", 2 * time_ns, NULL, 0, 1 } };
	journal_append(journal, &r, &err);
	r = (struct record){ .kind = RECORD_WINNER, .winner = { .problem = problem.buf, .environment = "00112233445566aa", .candidate = id, .time_ns = time_ns,
		.low_ns = time_ns, .high_ns = time_ns, .judged_by = "lives", .raced_ns = time_ns / 2, .raced_low_ns = time_ns / 3, .raced_high_ns = time_ns, .baseline = "loopnest", .baseline_ns = 2 * time_ns, .ratio = 2, .ratio_low = 1.9, .ratio_high = 2.1,
		.loopnest_ratio = 2, .sol_ratio = 0.25, .tolerance_ratio = 0.5, .ties = "", .artifact = artifact.buf } };
	journal_append(journal, &r, &err);
	r = (struct record){ .kind = RECORD_JUDGEMENT, .judgement = { .problem = problem.buf, .environment = "00112233445566aa", .candidate = id,
		.verdict = VERDICT_PASSED, .detail = "", 
		.judged_ns = judged_over_winner * time_ns, .low_ns = judged_over_winner * time_ns, .high_ns = 2 * judged_over_winner * time_ns, .claim_ratio = 1, .baseline = judged_beside,
		.ratio = *judged_beside ? 2 : NAN, .ratio_low = *judged_beside ? 1.9 : NAN, .ratio_high = *judged_beside ? 2.1 : NAN, .memory_pass = "guard pages", .labels = "" } };
	if (is_judged)
		journal_append(journal, &r, &err);
	ret = journal_close(journal, &err);
out:
	strbuf_release(&path);
	strbuf_release(&cell);
	strbuf_release(&problem);
	strbuf_release(&source);
	strbuf_release(&plan);
	strbuf_release(&artifact);
	return ret;
}

static int make_cells(const char *out)
{
	return make_cell(out, "small", "aaaaaaaaaaaaaaa1", "M=16,N=16,K=16", "require: K % 4 == 0\n", 1, 1e3) ||
	       make_cell(out, "large", "aaaaaaaaaaaaaaa2", "M=256,N=256,K=256", "require: K % 8 == 0\nrequire: N >= 16\n", 1, 1e6) ||
	       make_cell(out, "team", "aaaaaaaaaaaaaaa3", "M=64,N=64,K=64", "", 2, 1e5);
}

static const char *in(const char *name)
{
	static char path[4][256];
	static int n;

	snprintf(path[n = (n + 1) % 4], 256, "%s/%s", folder, name);
	return path[n];
}

static int run_promotion(struct promotion *p)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_reset(&err);
	int ret = promote(folder, p, &out, &err);
	strbuf_release(&out);
	return ret;
}

static void test_promotion(void)
{
	struct promotion p;
	struct stat before, after;

	int ret = run_promotion(&p);
	ok(!ret && p.written == 3 && !p.kept && !p.removed, "three winners promoted (%s)", err.buf);
	char entry[300];
	snprintf(entry, sizeof(entry), "%s/corpus/%s/matmul", folder, target);
	stat(entry, &before);
	ok(!run_promotion(&p) && !p.written && p.kept == 3, "again: all there already");
	stat(entry, &after);
	ok(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_ino == after.st_ino, "and nothing was touched");
	snprintf(entry, sizeof(entry), "%s/cells/%s/matmul/team", folder, target);
	ok(!rename(entry, in("hidden")) && !run_promotion(&p) && p.removed == 1 && p.kept == 2, "an entry without a journal goes");
	ok(!rename(in("hidden"), entry) && !run_promotion(&p) && p.written == 1, "and comes back with it");
	snprintf(entry, sizeof(entry), "%s/cells/%s/matmul/team/artifacts/aaaaaaaaaaaaaaa3/kernel.so", folder, target);
	ok(!rename(entry, in("kernel.so")), "take an artifact away");
	ret = run_promotion(&p);
	ok(ret < 0 && p.kept == 2 && !p.removed && strstr(err.buf, "team/journal") && !strchr(err.buf, '\n'), "named in one line, the rest done, nothing removed: %s", err.buf);
	ok(!rename(in("kernel.so"), entry) && !run_promotion(&p), "put it back");
	is_judged = false;
	ok(!make_cell(folder, "unjudged", "aaaaaaaaaaaaaaa4", "M=32,N=32,K=32", "", 1, 1e3) && run_promotion(&p) < 0 && strstr(err.buf, "was not judged from outside"),
	   "a winner that was not judged from outside is refused: %s", err.buf);
	is_judged = true;
	snprintf(entry, sizeof(entry), "%s/cells/%s/matmul/unjudged", folder, target);
	ok(!rename(entry, in("unjudged")) && !run_promotion(&p), "without it the rest is promoted");
	/* A journal of before winners kept both times, or one that was made up. */
	judged_over_winner = 1.5;
	snprintf(entry, sizeof(entry), "%s/corpus/%s/matmul/aaaaaaaaaaaaaaa5", folder, target);
	struct strbuf text = STRBUF_INIT;
	struct proc_result result;
	ok(!make_cell(folder, "lied", "aaaaaaaaaaaaaaa5", "M=48,N=48,K=48", "", 1, 1e3) && !run_promotion(&p) && p.written == 1, "a winner faster than it was judged");
	proc_run(PROC_ARGV("sh", "-c", "cat \"$0\"-*/entry", entry), NULL, NULL, &result, &text, NULL, &err);
	ok(strstr(text.buf, "\ntime_ns: 1500\n") && strstr(text.buf, "\ntime_high_ns: 3000\n") && strstr(text.buf, "\njudged_by: lives\n") &&
	   strstr(text.buf, "\nraced_time_ns: 500\n"), "is published with the judged time, and the raced one beside it");
	judged_over_winner = 1;
	judged_beside = "";
	ok(!make_cell(folder, "alone", "aaaaaaaaaaaaaaa6", "M=40,N=40,K=40", "", 1, 1e3) && !run_promotion(&p) && p.written == 1, "a winner judged without a baseline");
	snprintf(entry, sizeof(entry), "%s/corpus/%s/matmul/aaaaaaaaaaaaaaa6", folder, target);
	strbuf_reset(&text);
	proc_run(PROC_ARGV("sh", "-c", "cat \"$0\"-*/entry", entry), NULL, NULL, &result, &text, NULL, &err);
	ok(strstr(text.buf, "\ntime_ns: 1000\n") && strstr(text.buf, "\njudge.baseline: \n") && strstr(text.buf, "\nbaseline_ratio: 2\n"), "has its time, and the ratio that was raced");
	judged_beside = "loopnest";
	snprintf(entry, sizeof(entry), "%s/cells/%s/matmul/alone", folder, target);
	ok(!rename(entry, in("alone")), "and goes");
	snprintf(entry, sizeof(entry), "%s/cells/%s/matmul/lied", folder, target);
	ok(!rename(entry, in("lied")) && !run_promotion(&p) && p.removed == 2, "both go with their journals");
	strbuf_release(&text);
}

static struct corpus_key key_of(double m, double n, double k)
{
	static struct corpus_binding binding[4][3];
	static int at;
	struct corpus_binding *b = binding[at = (at + 1) % 4];

	b[0] = (struct corpus_binding){ "m", m };
	b[1] = (struct corpus_binding){ "N", n };
	b[2] = (struct corpus_binding){ "k", k };
	return (struct corpus_key){ .op = "matmul", .dtype = "f32", .binding = b, .binding_count = 3 };
}

static void test_lookup(const struct corpus *corpus)
{
	struct corpus_kernel k = { 0 };
	struct corpus_key key = key_of(16, 16, 16);

	ok(corpus_count(corpus) == 3, "three kernels");
	ok(!corpus_find(corpus, &key, &k) && k.is_exact && !strncmp(k.id, "aaaaaaaaaaaaaaa1", 16), "the very shape, this machine's target, any case");
	ok(k.time_ns == 1e3 && k.baseline_ratio == 2 && k.sol_ratio == 0.25 && k.tolerance_ratio == 0.5 && !strcmp(k.target, target), "with its numbers");
	key = key_of(300, 200, 256);
	ok(!corpus_find(corpus, &key, &k) && !k.is_exact && !strncmp(k.id, "aaaaaaaaaaaaaaa2", 16), "another shape: the nearest kernel");
	key = key_of(300, 200, 252);
	ok(!corpus_find(corpus, &key, &k) && !strncmp(k.id, "aaaaaaaaaaaaaaa1", 16), "the nearest that accepts it");
	key = key_of(300, 200, 251);
	k.id = "untouched";
	ok(corpus_find(corpus, &key, &k) == CORPUS_MISSING && strstr(corpus_error(), "requires K") && !strcmp(k.id, "untouched"), "none accepts it: %s", corpus_error());
	key = key_of(16, 16, 16);
	key.threads = 2;
	ok(!corpus_find(corpus, &key, &k) && !strncmp(k.id, "aaaaaaaaaaaaaaa3", 16), "threads select");
	key.threads = 3;
	ok(corpus_find(corpus, &key, &k) == CORPUS_MISSING && strstr(corpus_error(), "3 threads"), "%s", corpus_error());
	key.threads = 0;
	key.dtype = "f64";
	ok(corpus_find(corpus, &key, &k) == CORPUS_MISSING && strstr(corpus_error(), "f32"), "%s", corpus_error());
	key.dtype = "f32";
	key.target = "amd-mi300x";
	ok(corpus_find(corpus, &key, &k) == CORPUS_MISSING && strstr(corpus_error(), target), "%s", corpus_error());
	key.target = target;
	ok(!corpus_find(corpus, &key, &k), "a target by name");
	key.op = "matmull";
	ok(corpus_find(corpus, &key, &k) == CORPUS_MISSING && strstr(corpus_error(), "it has matmul"), "%s", corpus_error());
	key = key_of(16, 16, 16);
	key.binding_count = 2;
	ok(corpus_find(corpus, &key, &k) == CORPUS_ARGUMENT && strstr(corpus_error(), "M N K"), "%s", corpus_error());
	key = key_of(16, 16, NAN);
	ok(corpus_find(corpus, &key, &k) == CORPUS_ARGUMENT, "NaN is no extent");
	ok(corpus_find(NULL, &key, &k) == CORPUS_ARGUMENT && corpus_find(corpus, NULL, &k) == CORPUS_ARGUMENT && corpus_find(corpus, &key, NULL) == CORPUS_ARGUMENT, "NULLs");
}

static int wrong_elements(struct corpus_handle *handle, int m, int n, int k)
{
	float *a = malloc(sizeof(float) * (size_t)(m * k)), *b = malloc(sizeof(float) * (size_t)(k * n)), *c = malloc(sizeof(float) * (size_t)(m * n));
	int wrong = 0;

	for (int i = 0; i < m * k; i++)
		a[i] = (float)(i % 7 - 3);
	for (int i = 0; i < k * n; i++)
		b[i] = (float)(i % 5 - 2);
	for (int i = 0; i < m * n; i++)
		c[i] = NAN;
	void *buffer[] = { a, b, c };
	if (corpus_launch(handle, buffer))
		wrong = -1;
	for (int i = 0; i < m && wrong >= 0; i++)
		for (int j = 0; j < n; j++) {
			float s = 0;
			for (int x = 0; x < k; x++)
				s += a[i * k + x] * b[x * n + j];
			wrong += s != c[i * n + j];
		}
	free(a);
	free(b);
	free(c);
	return wrong;
}

static void test_launch(void)
{
	struct corpus *corpus;
	struct corpus_handle *one = NULL, *team = NULL;
	struct corpus_key key = key_of(13, 21, 32);

	ok(!corpus_open(in("corpus"), &corpus), "open");
	ok(!corpus_load(corpus, &key, &one), "load (%s)", corpus_error());
	key = key_of(37, 5, 9);
	key.threads = 2;
	ok(!corpus_load(corpus, &key, &team), "load for two threads (%s)", corpus_error());
	corpus_close(corpus);
	ok(wrong_elements(one, 13, 21, 32) == 0, "a product, after the corpus is closed");
	ok(wrong_elements(one, 13, 21, 32) == 0, "and again");
	int wrong = 0;
	for (int i = 0; i < 200; i++)
		wrong += wrong_elements(team, 37, 5, 9) != 0;
	ok(!wrong, "200 products by a team of two (%d wrong)", wrong);
	void *buffer[3] = { NULL, NULL, NULL };
	ok(corpus_launch(one, buffer) == CORPUS_ARGUMENT && strstr(corpus_error(), "'A'"), "a NULL buffer is refused: %s", corpus_error());
	corpus_unload(one);
	corpus_unload(team);
	corpus_unload(NULL);
}

struct searcher {
	const struct corpus *corpus;
	int rank, failed;
};

static void *search(void *arg)
{
	struct searcher *s = arg;
	struct corpus_binding binding[] = { { "M", 100 }, { "N", 100 }, { "K", 104 } };
	struct corpus_key key = { .op = "matmul", .dtype = "f32", .binding = binding, .binding_count = 3 };
	struct corpus_kernel k;

	for (int i = 0; i < 3000; i++) {
		char op[16];
		bool hit = i % 2;
		snprintf(op, sizeof(op), "no-op-%d", s->rank);
		key.op = hit ? "matmul" : op;
		enum corpus_status status = corpus_find(s->corpus, &key, &k);
		s->failed += hit ? status != CORPUS_OK || strncmp(k.id, "aaaaaaaaaaaaaaa2", 16)
				 : status != CORPUS_MISSING || !strstr(corpus_error(), op);
	}
	return NULL;
}

static void test_threads(const struct corpus *corpus)
{
	pthread_t thread[4];
	struct searcher s[4];
	int failed = 0;

	for (int i = 0; i < 4; i++) {
		s[i] = (struct searcher){ corpus, i, 0 };
		pthread_create(&thread[i], NULL, search, &s[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		failed += s[i].failed;
	}
	ok(!failed, "four threads look up at once, each with its own error text");
}

/* Changes one byte of a file of an entry and looks what the library says. */
static void test_tampering(void)
{
	static const char *const files[] = { "entry", "plan", "kernel.so" };
	struct corpus *corpus;
	struct corpus_kernel k;
	struct corpus_handle *handle;
	struct corpus_key key = key_of(16, 16, 16);

	if (!ok(!corpus_open(in("corpus"), &corpus) && !corpus_find(corpus, &key, &k), "open"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[400], byte;
		struct corpus *again = NULL;
		snprintf(path, sizeof(path), "%s/%s", k.folder, files[i]);
		int fd = open(path, O_RDWR);
		off_t at = lseek(fd, 0, SEEK_END) / 2;
		if (pread(fd, &byte, 1, at) != 1)
			byte = 0;
		char changed = byte == '7' ? '8' : '7';
		bool done = pwrite(fd, &changed, 1, at) == 1;
		enum corpus_status status = i < 2 ? corpus_open(in("corpus"), &again) : corpus_load(corpus, &key, &handle);
		ok(done && status == CORPUS_CORRUPT && strstr(corpus_error(), files[i]), "a changed %s is found: %s", files[i], corpus_error());
		ok(pwrite(fd, &byte, 1, at) == 1, "put it back");
		close(fd);
	}
	corpus_close(corpus);
	ok(corpus_open(in("nowhere"), &corpus) == CORPUS_IO && strstr(corpus_error(), "nowhere"), "a missing folder: %s", corpus_error());
	ok(corpus_open(NULL, &corpus) == CORPUS_ARGUMENT, "no folder at all");
}

static void test_memory(void)
{
#if defined(__SANITIZE_ADDRESS__)
	skip(1, "AddressSanitizer needs the address space");
#else
	struct corpus *corpus = NULL;
	struct rlimit limit;
	char path[400];

	snprintf(path, sizeof(path), "%s/huge/t/op/id", folder);
	make_folder(path, &err);
	strncat(path, "/entry", sizeof(path) - strlen(path) - 1);
	int fd = open(path, O_WRONLY | O_CREAT, 0666);
	bool made = !ftruncate(fd, (off_t)4 << 30); /* sparse */
	close(fd);
	getrlimit(RLIMIT_AS, &limit);
	struct rlimit tight = { (rlim_t)1 << 29, limit.rlim_max };
	setrlimit(RLIMIT_AS, &tight);
	enum corpus_status status = corpus_open(in("huge"), &corpus);
	setrlimit(RLIMIT_AS, &limit);
	ok(made && status == CORPUS_MEMORY && !corpus, "without memory the library says so and lives on: %s", corpus_error());
#endif
}

int main(int argc, char **argv)
{
	struct corpus *corpus;
	const struct target *native = target_of_this_machine();

	if (!native) {
		skip(1, "this machine is none of the targets");
		return done_testing();
	}
	target = native->name;
	if (argc == 3 && !strcmp(argv[1], "make"))
		return make_cells(argv[2]) ? 3 : 0;
	if (!mkdtemp(folder))
		return 3;
	int ret = make_cells(folder);
	if (!ok(!ret, "cells with winners (%s)", err.buf))
		return done_testing();
	test_promotion();
	if (ok(!corpus_open(in("corpus"), &corpus), "open (%s)", corpus_error())) {
		test_lookup(corpus);
		test_threads(corpus);
		corpus_close(corpus);
	}
	test_launch();
	test_tampering();
	test_memory();
	strbuf_reset(&err);
	strbuf_addf(&err, "rm -rf %s", folder);
	ok(!system(err.buf), "clean up");
	strbuf_release(&err);
	return done_testing();
}
