#include "evaluate/doctor.h"
#include "evaluate/baseline.h"
#include "evaluate/compile.h"
#include "evaluate/measure.h"
#include "evaluate/probe.h"
#include "evaluate/resident.h"
#include "evaluate/sandbox.h"
#include "evaluate/undefined.h"
#include "generate/lang.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- what there is --------------------------------------------------- */

static void capability(const char *name, bool there, const char *what, const char *fix)
{
	printf("%s\t%s\t%s\n", name, there ? "yes" : "no", there ? what : fix);
}

int doctor_main(int argc, char **argv)
{
	static const struct cli_command command = { "doctor", "", "what this machine can do, and how to get the rest", NULL };
	const struct cli_option options[] = { CLI_END };
	struct strbuf err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	const struct target *target;
	struct environment e;

	cli_parse(argc, argv, &command, options, 0, 0);
	target = target_find("native", &err);
	capability("target", target != NULL, target ? target->name : "", "this CPU has no AVX2: no target fits it");
	strbuf_reset(&err);
	for (size_t i = 0; lang_table[i]; i++) {
		char *compiler = arena_strndup(&arena, lang_table[i]->compile, strcspn(lang_table[i]->compile, " "));
		const char *version = lang_table[i]->server ? resident_version(lang_table[i], &err) : compile_version(&arena, compiler, &err);
		capability(arena_printf(&arena, "language %s", lang_table[i]->name), version != NULL, version ? version : "", err.buf);
		strbuf_reset(&err);
	}
	for (size_t i = 0; baseline_table[i]; i++) {
		const struct baseline *b = baseline_table[i];
		/* It stays: some leave memory and threads behind where they go. */
		void *library = b->soname ? dlopen(b->soname, RTLD_LAZY) : NULL;
		capability(arena_printf(&arena, "baseline %s", b->name), !b->soname || library, b->summary,
			   b->package ? arena_printf(&arena, "'%s' is missing: run 'apt-get install %s'", b->soname, b->package)
				      : arena_printf(&arena, "'%s' is missing: it comes with the vendor's toolkit", b->soname));
	}
	const char *runtime = undefined_runtime(&arena, &err);
	capability("sanitizers", runtime != NULL, "run with what is promoted",
		   arena_printf(&arena, "%s; what is promoted is not searched for memory errors in its own arrays, and undefined arithmetic", err.buf));
	strbuf_reset(&err);
	struct strbuf level = STRBUF_INIT;
	sandbox_level(&level);
	printf("sandbox\t%s\tlevel of CPU candidates and of compilers, in every trace; device workers: own session and limits\n", level.buf);
	strbuf_reset(&level);
	sandbox_summary(&level);
	for (const char *line = level.buf; *line; line += strcspn(line, "\n") + 1)
		printf("sandbox %.*s\n", (int)strcspn(line, "\n"), line);
	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++) {
		const char *why;
		bool there = sandbox_has((enum sandbox_layer)i, &why);
		capability(arena_printf(&arena, "sandbox %s", sandbox_word((enum sandbox_layer)i)), there, sandbox_gives((enum sandbox_layer)i),
			   arena_printf(&arena, "%s: %s", why, sandbox_fix((enum sandbox_layer)i)));
	}
	strbuf_release(&level);
	if (target && !probe_environment(&arena, target, "monotonic", &e, &err)) {
		printf("cpu\t%s\t%lld cores, L2 %lld KiB, L3 %lld MiB\n", e.cpu_model, (long long)e.core_count, (long long)e.l2_bytes >> 10,
		       (long long)e.l3_bytes >> 20);
		printf("peak\t%.1f GFLOP/s\tf32 FMA, one core, measured\nbandwidth\t%.1f GB/s\tstream copy, one core, bytes read and written\n",
		       e.peak_flop_per_s * 1e-9, e.peak_bytes_per_s * 1e-9);
		if (e.matrix_flop_per_s > 0)
			printf("matrix\t%.1f GFLOP/s\tAMX bf16, one core, measured\n", e.matrix_flop_per_s * 1e-9);
	}
	arena_release(&arena);
	return diag_report(&err, KM_EXIT_DONE);
}

/* ---- what a box costs ------------------------------------------------ */

/* A box of that role from start to end, with a file put into it; [ms], or -1 with *err. */
static double time_box(enum sandbox_role role, int file, struct strbuf *err)
{
	struct sandbox box;
	struct sandbox_end end;
	const struct sandbox_start start = {
		.role = role, .program = "/bin/true", .argv = PROC_ARGV("true"), .file = &(struct sandbox_file){ .name = "kernel", .fd = file },
		.file_count = role != SANDBOX_TRUSTED, .fd = (const int[]){ SANDBOX_NOWHERE, SANDBOX_SAID, SANDBOX_SAID }, .fd_count = 3,
		.memory_bytes = INT64_C(1) << 30, .cpu_s = 60, .processes = 16, .keeps_folder = role == SANDBOX_COMPILER,
	};
	int64_t begin_ns = clock_ns();

	if (sandbox_start(&box, &start, err))
		return -1;
	sandbox_watch(&box, -1, begin_ns + INT64_C(10000000000));
	sandbox_end(&box, &end);
	sandbox_release(&box);
	if (end.exit_code) {
		strbuf_addf(err, "'true' ended with exit code %d, signal %d", end.exit_code, end.signal);
		return -1;
	}
	return (double)(clock_ns() - begin_ns) * 1e-6;
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int count = 0;

	while (d && readdir(d))
		count++;
	if (d)
		closedir(d);
	return count;
}

int bench_sandbox_main(int argc, char **argv)
{
	static const struct cli_command command = { "bench-sandbox", "", "what confining a process costs, beside starting it unconfined; exit 1 when descriptors are left open", NULL };
	static const char *const name[] = { [SANDBOX_TRUSTED] = "unconfined", [SANDBOX_KERNEL] = "kernel", [SANDBOX_COMPILER] = "compiler" };
	int64_t runs = 100;
	const struct cli_option options[] = { { "runs", 0, CLI_INT, &runs, "N", "boxes of each kind, in turn [100]" }, CLI_END };
	struct strbuf err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	double *ms[ARRAY_SIZE(name)], middle[ARRAY_SIZE(name)], least[ARRAY_SIZE(name)];
	/* As large as an artifact of a batch of kernels. */
	int file = memfd_create("km-artifact", MFD_CLOEXEC), before = 0;

	cli_parse(argc, argv, &command, options, 0, 0);
	if (file < 0 || ftruncate(file, 256 << 10) || runs < 1)
		usage("--runs is at least 1");
	for (size_t r = 0; r < ARRAY_SIZE(name); r++)
		ms[r] = ARENA_ARRAY(&arena, double, runs > 0 ? runs : 1);
	for (int64_t i = -3; i < runs; i++) {
		/* The first ones find out what the machine gives. */
		if (!i)
			before = count_descriptors();
		for (size_t r = 0; r < ARRAY_SIZE(name); r++) {
			double t = time_box((enum sandbox_role)r, file, &err);
			if (t < 0)
				return diag_report(&err, KM_EXIT_FATAL);
			ms[r][i < 0 ? 0 : i] = t;
		}
	}
	int left = count_descriptors() - before;
	for (size_t r = 0; r < ARRAY_SIZE(name); r++) {
		middle[r] = median(ms[r], (size_t)runs);
		least[r] = quantile(ms[r], (size_t)runs, 0.1);
	}
	for (size_t r = 0; r < ARRAY_SIZE(name); r++)
		printf("%s\t%.2f\tms, median of %lld boxes from start to end; the fastest tenth within %.2f\n", name[r], middle[r], (long long)runs, least[r]);
	for (size_t r = SANDBOX_KERNEL; r < ARRAY_SIZE(name); r++)
		printf("cost_%s\t%.2f\tms more than unconfined; of the fastest tenth %.2f\n", name[r], middle[r] - middle[SANDBOX_TRUSTED], least[r] - least[SANDBOX_TRUSTED]);
	printf("descriptors\t%d\tleft open\n", left);
	close(file);
	arena_release(&arena);
	return diag_report(&err, left ? KM_EXIT_NO : KM_EXIT_DONE);
}
