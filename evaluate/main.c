/* km-evaluate: the truth about candidates. */
#include "evaluate/baseline.h"
#include "evaluate/cache.h"
#include "evaluate/doctor.h"
#include "evaluate/evaluate.h"
#include "evaluate/judge.h"
#include "evaluate/pack.h"
#include "evaluate/replay_main.h"
#include "generate/lang.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *extra_ops;

struct arguments {
	const char *problem, *target, *journal;
	struct session_options options;
	int64_t jobs, batch, attempts;
};

#define SESSION_OPTIONS(a) \
	{ "problem", 0, CLI_STRING, &(a).problem, "P", "such as matmul/f32/M=512,N=512,K=512/t1" }, \
	{ "target", 0, CLI_STRING, &(a).target, "NAME", "see 'km-generate targets' [native]" }, \
	{ "journal", 0, CLI_STRING, &(a).journal, "FILE", "where trials are recorded" }, \
	{ "jobs", 'j', CLI_INT, &(a).jobs, "N", "compilers at a time [cores]" }, \
	{ "batch-size", 0, CLI_INT, &(a).batch, "N", "candidates a translation unit [48]" }, \
	{ "attempts", 0, CLI_INT, &(a).attempts, "N", "how often the evaluator may end at work on a candidate before that is given up [3]" }, \
	{ "allow-unsafe", 0, CLI_FLAG, &(a).options.allow_unsafe, NULL, "run sources Kernelmill did not print even where the sandbox lacks its floor" }, \
	{ "baselines", 0, CLI_STRING, &(a).options.baselines, "FILE", "rows that scripts/baselines.py timed, to measure against too [$KM_BASELINES]" }, \
	{ "lock", 0, CLI_STRING, &(a).options.lock_path, "FILE", "device lock [$KM_LOCK]" }, \
	{ "clock", 0, CLI_STRING, &(a).options.clock, "monotonic|model", "model: time computed from the candidate, for tests [monotonic]" }

static void defaults(struct arguments *a)
{
	*a = (struct arguments){ .target = "native", .options = { .clock = "monotonic" }, .batch = 48, .attempts = 3, .jobs = sysconf(_SC_NPROCESSORS_ONLN) };
}

static void settle(struct arguments *a)
{
	if (!a->problem || !a->journal)
		usage("--%s is missing", a->problem ? "journal" : "problem");
	if (strcmp(a->options.clock, "monotonic") && strcmp(a->options.clock, "model"))
		usage("--clock is monotonic or model, not '%s'", a->options.clock);
	a->options.jobs = (int)a->jobs;
	a->options.batch = (int)a->batch;
	a->options.attempts = (int)a->attempts;
}

#define EXCHANGES_OPTION(path) { "exchanges", 0, CLI_STRING, &(path), "FILE", "the search's transcript, whose exchanges with a language model are recorded too" }

static int run(int argc, char **argv)
{
	static const struct cli_command command = { "run", "BATCH...", "compiles, checks, races and records candidates ('-': standard input)", NULL };
	struct arguments a;
	const char *exchanges = NULL;
	defaults(&a);
	const struct cli_option options[] = { SESSION_OPTIONS(a), EXCHANGES_OPTION(exchanges), CLI_EXTRA_OPS(&extra_ops), CLI_END };
	int n = cli_parse(argc, argv, &command, options, 1, 4096);
	struct strbuf err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct session s = SESSION_INIT;

	settle(&a);
	int bad = op_load_extra(extra_ops, &err) || session_open(&s, a.problem, a.target, a.journal, &a.options, &err) ||
		  (exchanges && session_exchanges(&s, exchanges, &err));
	for (int i = 1; i <= n && !bad; i++) {
		struct candidate *candidate;
		size_t count;
		bad = candidate_read_file(&arena, argv[i], &candidate, &count, &err) || session_run(&s, candidate, count, &err);
	}
	arena_release(&arena);
	return diag_report(&err, session_end(&s, bad, KM_EXIT_DONE, &err));
}

static int finish(int argc, char **argv)
{
	static const struct cli_command command = { "finish", "", "judges the winner alone, duels it with baselines, publishes it; exit 1 when nothing passed", NULL };
	struct arguments a;
	const char *folder = NULL, *reason = "finished", *exchanges = NULL;
	defaults(&a);
	const struct cli_option options[] = {
		SESSION_OPTIONS(a), EXCHANGES_OPTION(exchanges),
		{ "folder", 0, CLI_STRING, &folder, "DIR", "where artifacts/<id>/ goes" },
		{ "reason", 0, CLI_STRING, &reason, "TEXT", "why the search stopped" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT;
	struct session s = SESSION_INIT;

	cli_parse(argc, argv, &command, options, 0, 0);
	settle(&a);
	if (!folder)
		usage("--folder is missing");
	a.options.is_final = true;
	int done = op_load_extra(extra_ops, &err) || session_open(&s, a.problem, a.target, a.journal, &a.options, &err) ||
		   (exchanges && session_exchanges(&s, exchanges, &err)) ? -1 : session_finish(&s, folder, reason, &err);
	return diag_report(&err, session_end(&s, done < 0, done ? KM_EXIT_DONE : KM_EXIT_NO, &err));
}

static int run_cache_gc(int argc, char **argv)
{
	static const struct cli_command command = { "cache-gc", "", "deletes the least recently used compiled artifacts above a size", NULL };
	int64_t mebibytes = 2048, kept, deleted;
	const struct cli_option options[] = { { "limit", 0, CLI_INT, &mebibytes, "MIB", "what may stay [2048]" }, CLI_END };
	struct strbuf err = STRBUF_INIT;

	cli_parse(argc, argv, &command, options, 0, 0);
	if (cache_gc(NULL, mebibytes << 20, &kept, &deleted, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	printf("kept\t%lld\nfreed\t%lld\n", (long long)kept, (long long)deleted);
	return KM_EXIT_DONE;
}

/* ---- figures --------------------------------------------------------- */

/* A kernel of the batch against itself, again and again: how often is it called faster or slower? */
static int bench_aa(int argc, char **argv)
{
	static const struct cli_command command = { "bench-aa", "BATCH", "compares one kernel with itself; prints the share of false verdicts", NULL };
	struct arguments a;
	int64_t comparisons = 200, pairs = 48;
	defaults(&a);
	const struct cli_option options[] = {
		SESSION_OPTIONS(a),
		{ "comparisons", 0, CLI_INT, &comparisons, "N", "how many [200]" },
		{ "pairs", 0, CLI_INT, &pairs, "N", "pairs each [48]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT, detail = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct session s = SESSION_INIT;
	struct candidate *candidate;
	struct contestant c[2];
	struct compiled compiled;
	struct compile_options alone = { .jobs = 1, .batch = 1 };
	size_t count;

	cli_parse(argc, argv, &command, options, 1, 1);
	settle(&a);
	if (op_load_extra(extra_ops, &err) || session_open(&s, a.problem, a.target, a.journal, &a.options, &err) ||
	    candidate_read_file(&arena, argv[1], &candidate, &count, &err))
		return diag_report(&err, s.exit_code);
	const struct candidate *first = &candidate[0];
	if (!count || compile_all(&s.arena, &first, 1, &alone, &compiled, &err) || !compiled.ok)
		return diag_report(&err, KM_EXIT_FATAL);
	for (int i = 0; i < 2; i++)
		if (contestant_start(&s, first, compiled.artifact, &c[i], &detail) != VERDICT_PASSED) {
			error("%s", detail.buf);
			return KM_EXIT_FATAL;
		}
	int verdict[4] = { 0 };
	double *ns = ARENA_ARRAY(&s.arena, double, 2 * pairs);
	session_lock(&s, true);
	for (int i = 0; i < 2; i++)
		contestant_settle(&c[i]);
	c[0].calls = c[1].calls = c[0].calls > c[1].calls ? c[0].calls : c[1].calls;
	contestants_apart(&c[0], &c[1]);
	for (int64_t k = 0; k < comparisons; k++) {
		struct duel d = { .a_ns = ns, .b_ns = ns + pairs };
		measure_duel(0, 1, (size_t)pairs, MEASURE_MARGIN, contestant_sampler, contestants_renew, c, &d);
		verdict[d.verdict]++;
	}
	session_unlock(&s);
	for (int i = 0; i < 2; i++)
		contestant_end(&c[i]);
	printf("comparisons\t%lld\npairs\t%lld\nfaster\t%d\nslower\t%d\nsame\t%d\nambiguous\t%d\nfalse_share\t%.4f\n", (long long)comparisons, (long long)pairs,
	       verdict[DUEL_FASTER], verdict[DUEL_SLOWER], verdict[DUEL_SAME], verdict[DUEL_AMBIGUOUS],
	       (double)(verdict[DUEL_FASTER] + verdict[DUEL_SLOWER]) / (double)comparisons);
	arena_release(&arena);
	return diag_report(&err, session_end(&s, false, KM_EXIT_DONE, &err));
}

/* Compile cost a kernel, and candidates a second through compile and check (no timing). */
static int bench_rate(int argc, char **argv)
{
	static const struct cli_command command = { "bench-rate", "BATCH", "compile cost a kernel and candidates a second through compile and check", NULL };
	struct arguments a;
	defaults(&a);
	const struct cli_option options[] = { SESSION_OPTIONS(a), CLI_EXTRA_OPS(&extra_ops), CLI_END };
	struct strbuf err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct session s = SESSION_INIT;
	struct candidate *candidate;
	size_t count, passed = 0, ok = 0;

	cli_parse(argc, argv, &command, options, 1, 1);
	settle(&a);
	if (op_load_extra(extra_ops, &err) || session_open(&s, a.problem, a.target, a.journal, &a.options, &err) ||
	    candidate_read_file(&arena, argv[1], &candidate, &count, &err))
		return diag_report(&err, s.exit_code);
	const struct candidate **list = ARENA_ARRAY(&s.arena, const struct candidate *, count);
	struct compiled *compiled = ARENA_ARRAY(&s.arena, struct compiled, count);
	char cold[] = "/tmp/km-bench.XXXXXX";
	if (!mkdtemp(cold))
		return KM_EXIT_FATAL;
	struct compile_options options_cold = { .jobs = a.options.jobs, .batch = a.options.batch, .cache_folder = cold };
	for (size_t i = 0; i < count; i++)
		list[i] = &candidate[i];
	int64_t start = clock_ns();
	if (compile_all(&s.arena, list, count, &options_cold, compiled, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	double compile_s = (double)(clock_ns() - start) * 1e-9;
	for (size_t i = 0; i < count; i++) {
		struct contestant c;
		struct check_result worst;
		struct strbuf detail = STRBUF_INIT;
		ok += compiled[i].ok;
		if (compiled[i].ok) {
			if (contestant_start(&s, list[i], compiled[i].artifact, &c, &detail) == VERDICT_PASSED)
				passed += contestant_check(&c, &worst, &detail) == VERDICT_PASSED;
			contestant_end(&c);
		}
		strbuf_release(&detail);
	}
	double total_s = (double)(clock_ns() - start) * 1e-9;
	printf("candidates\t%zu\ncompiled\t%zu\npassed\t%zu\ncompile_ms_per_kernel\t%.2f\ncheck_ms_per_candidate\t%.2f\ncandidates_per_s\t%.1f\n", count, ok, passed,
	       1e3 * compile_s / (double)count, 1e3 * (total_s - compile_s) / (double)count, (double)count / total_s);
	int64_t kept, freed;
	cache_gc(cold, 0, &kept, &freed, &err);
	rmdir(cold);
	arena_release(&arena);
	return diag_report(&err, session_end(&s, false, KM_EXIT_DONE, &err));
}

/* One thread's share of drawing a tensor. */
struct drawing {
	const struct inputs *inputs;
	int tensor;
	enum dtype dtype;
	void *base;
	int64_t first, last;
};

static void *draw_share(void *user)
{
	const struct drawing *d = user;

	for (int64_t i = d->first; i < d->last; i++)
		dtype_store(d->dtype, d->base, i, inputs_read(d->inputs, d->tensor, i));
	return NULL;
}

/* Every input of p as an array; bytes[] to unmap them by. */
static void draw_all(const struct problem *p, void **in, size_t *bytes)
{
	enum { THREADS = 2 };
	struct inputs *inputs = inputs_open(p, INPUTS_uniform, 1);

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		struct drawing d[THREADS];
		pthread_t thread;
		int64_t elems = problem_elems(p, t);
		if (p->op->tensor[t].role != OP_IN)
			continue;
		bytes[t] = (size_t)problem_bytes(p, t) + 8;
		in[t] = mmap(NULL, bytes[t], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (in[t] == MAP_FAILED)
			die("out of memory");
		for (int i = 0; i < THREADS; i++)
			d[i] = (struct drawing){ inputs, t, problem_tensor_dtype(p, t), in[t], elems * i / THREADS, elems * (i + 1) / THREADS };
		bool is_apart = !pthread_create(&thread, NULL, draw_share, &d[1]);
		draw_share(&d[0]);
		if (is_apart)
			pthread_join(thread, NULL);
		else
			draw_share(&d[1]);
	}
	inputs_close(inputs);
}

/* What a sampled check of one problem costs: seconds, and memory beyond the tensors. */
static double cpu_s(const struct rusage *r)
{
	return (double)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) + 1e-6 * (double)(r->ru_utime.tv_usec + r->ru_stime.tv_usec);
}

static int bench_sample(int argc, char **argv)
{
	static const struct cli_command command = { "bench-sample", "PROBLEM...", "cost of the expected values of a sample, at any size", NULL };
	int64_t sample = 64;
	const struct cli_option options[] = {
		{ "sample", 0, CLI_INT, &sample, "N", "elements of each output [64]" }, CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT;
	int n = cli_parse(argc, argv, &command, options, 1, 4096);

	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	puts("problem\telements\tcompared\tseconds\textra_mib\tdraw_s\tcpu_s");
	for (int i = 1; i <= n; i++) {
		struct problem p;
		struct rusage before, after;
		void *in[OP_MAX_TENSORS] = { NULL };
		size_t bytes[OP_MAX_TENSORS] = { 0 };
		int64_t count, compared = 0, elements = 0, start = clock_ns();
		if (problem_parse(argv[i], &p, &err))
			return diag_report(&err, KM_EXIT_USAGE);
		draw_all(&p, in, bytes);
		double draw_s = (double)(clock_ns() - start) * 1e-9;
		getrusage(RUSAGE_SELF, &before);
		start = clock_ns();
		struct expected *e = expected_open(&p, (const void *const *)in, sample, 7, &err);
		if (!e)
			return diag_report(&err, KM_EXIT_FATAL);
		double seconds = (double)(clock_ns() - start) * 1e-9;
		getrusage(RUSAGE_SELF, &after);
		for (int t = 0, o = 0; t < OP_MAX_TENSORS && p.op->tensor[t].name; t++) {
			if (p.op->tensor[t].role == OP_OUT) {
				expected_values(e, o++, &count);
				compared += count;
				elements += problem_elems(&p, t);
			} else {
				munmap(in[t], bytes[t]);
			}
		}
		/* The peak is the process's: the first problem's own, later ones' where it grew. */
		printf("%s\t%" PRId64 "\t%" PRId64 "\t%.2f\t%.0f\t%.1f\t%.2f\n", argv[i], elements, compared, seconds,
		       (double)(after.ru_maxrss - before.ru_maxrss) / 1024, draw_s, cpu_s(&after) - cpu_s(&before));
		fflush(stdout);
		expected_close(e);
	}
	return KM_EXIT_DONE;
}

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ "run", "BATCH...", "evaluate candidates into a journal", run },
		{ "finish", "", "judge and publish a problem's winner", finish },
		{ "pack", "-o FILE CELLS", "what was compiled here and is to be measured elsewhere, in one file", pack_main },
		{ "run-pack", "-o CELLS FILE", "check, race and judge what a pack holds; needs no compiler", run_pack_main },
		{ "merge", "CELLS FROM...", "bring the results of run-pack home", merge_main },
		{ "judge", "FILE", "is somebody's kernel right, and as fast as it says?", judge_main },
		{ "trace", "COMMAND", "list, validate, pack and export traces", trace_main },
		{ "doctor", "", "what this machine can do", doctor_main },
		{ "selfcheck", "[OP...]", "does the checker reject known cheats?", selfcheck_main },
		{ "cache-gc", "", "bound the compile cache", run_cache_gc },
		{ "bench-aa", "BATCH", "false verdicts of a kernel against itself", bench_aa },
		{ "replay-race", "FILE...", "race recorded samples of measured spaces", replay_race_main },
		{ "bench-sample", "PROBLEM...", "cost of a sampled check", bench_sample },
		{ "bench-rate", "BATCH", "compile cost and check rate", bench_rate },
		{ "bench-sandbox", "", "what confining a process costs, and whether it leaves anything", bench_sandbox_main },
		{ NULL, NULL, NULL, NULL },
	};

	diag_tool = "km-evaluate";
	return cli_run(argc, argv, "Compiles, checks, times and records candidate kernels.", commands);
}
