/* pack_main.c: km-evaluate pack, run-pack and merge. */
#include "evaluate/evaluate.h"
#include "evaluate/pack.h"
#include "ops/core/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int pack_main(int argc, char **argv)
{
	static const struct cli_command command = { "pack", "CELLS", "Packs what was compiled below the folder, and measured nowhere, for a machine that has the device.", NULL };
	const char *path = NULL, *target = NULL, *extra = NULL;
	int64_t jobs = sysconf(_SC_NPROCESSORS_ONLN), kernels = 0;
	const struct cli_option options[] = {
		{ "output", 'o', CLI_STRING, &path, "FILE", "the pack (required)" },
		{ "target", 0, CLI_STRING, &target, "NAME", "only what was compiled for it" },
		{ "jobs", 'j', CLI_INT, &jobs, "N", "as it was compiled with, so that the cache still has it [cores]" },
		CLI_EXTRA_OPS(&extra), CLI_END,
	};
	struct strbuf err = STRBUF_INIT;

	cli_parse(argc, argv, &command, options, 1, 1);
	if (!path)
		usage("'pack' wants the file to write: -o FILE");
	if (op_load_extra(extra, &err) || pack_write(argv[1], target, path, (int)jobs, &kernels, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	printf("%s\t%lld kernels\n", path, (long long)kernels);
	return kernels ? KM_EXIT_DONE : KM_EXIT_NO;
}

/* Judges a cell's candidates; *is_open: there is something new to finish.  An exit code. */
static enum exit_code judge_cell(const struct pack_cell *cell, const char *journal, const struct session_options *options, bool *is_open, struct strbuf *err)
{
	struct session s = SESSION_INIT;
	struct candidate *candidate = calloc(cell->count + 1, sizeof(*candidate));

	if (!candidate)
		die("out of memory for a pack");
	for (size_t i = 0; i < cell->count; i++)
		candidate[i] = cell->kernel[i].candidate;
	int bad = session_open(&s, cell->problem, cell->target, journal, options, err);
	if (!bad) {
		size_t before = s.past.evaluation_count;
		if (!s.can_run)
			warn("nothing is measured for '%s': %s", cell->problem, s.why_not_here);
		bad = session_run(&s, candidate, cell->count, err);
		*is_open = s.can_run && !s.device_lost && (s.past.evaluation_count > before || !s.past.stop_count);
	}
	enum exit_code code = session_end(&s, bad, KM_EXIT_DONE, err);
	free(candidate);
	return code;
}

static enum exit_code finish_cell(const struct pack_cell *cell, const char *journal, const char *folder, const struct session_options *options, struct strbuf *err)
{
	struct session s = SESSION_INIT;
	int bad = session_open(&s, cell->problem, cell->target, journal, options, err) || session_finish(&s, folder, "the pack is judged", err) < 0;

	return session_end(&s, bad, KM_EXIT_DONE, err);
}

static enum exit_code run_cell(const struct pack_cell *cell, const char *out, struct session_options *options, bool finishes, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	const char *folder = arena_printf(&arena, "%s/%s", out, cell->path), *journal = arena_printf(&arena, "%s/journal", folder);
	bool is_open = false;

	options->is_final = false;
	enum exit_code code = make_folder(folder, err) ? KM_EXIT_NOT_DURABLE : judge_cell(cell, journal, options, &is_open, err);
	options->is_final = true;
	if (code == KM_EXIT_DONE && is_open && finishes)
		code = finish_cell(cell, journal, folder, options, err);
	arena_release(&arena);
	return code;
}

/* Cells, as they are taken: by this process, or by some side by side, of which one stages while another has the device. */
static enum exit_code run_cells(const struct pack *pack, const char *out, struct session_options *options, bool finishes, int64_t *next)
{
	enum exit_code code = KM_EXIT_DONE;

	for (int64_t i; (i = __atomic_fetch_add(next, 1, __ATOMIC_SEQ_CST)) < (int64_t)pack->cell_count && code != KM_EXIT_NOT_DURABLE;) {
		struct strbuf why = STRBUF_INIT;
		enum exit_code one = run_cell(&pack->cell[i], out, options, finishes, &why);
		if (one != KM_EXIT_DONE) {
			/* One cell's failure is no other's. */
			error("%s: %s", pack->cell[i].path, why.buf);
			code = one;
		}
		strbuf_release(&why);
	}
	return code;
}

/* The worst of what they ended with; one that was killed left its cell to the next run. */
static enum exit_code wait_for(pid_t *child, int count)
{
	enum exit_code code = KM_EXIT_DONE;

	for (int i = 0, status; i < count; i++)
		if (waitpid(child[i], &status, 0) != child[i] || !WIFEXITED(status))
			code = KM_EXIT_FATAL;
		else if (WEXITSTATUS(status) && code != KM_EXIT_NOT_DURABLE)
			code = (enum exit_code)WEXITSTATUS(status);
	return code;
}

int run_pack_main(int argc, char **argv)
{
	static const struct cli_command command = { "run-pack", "FILE", "Checks, races and judges what a pack holds.  Goes on where it was ended.", NULL };
	enum { MOST_JOBS = 16 };
	struct session_options session = { .clock = "monotonic", .jobs = 1, .batch = 1, .attempts = 3 };
	const char *out = NULL, *extra = NULL;
	bool only_races = false;
	int64_t jobs = 1;
	const struct cli_option options[] = {
		{ "output", 'o', CLI_STRING, &out, "CELLS", "folder of the results' journals (required)" },
		{ "jobs", 'j', CLI_INT, &jobs, "N", "cells at a time; timing itself is one at a time [1]" },
		{ "race-only", 0, CLI_FLAG, &only_races, NULL, "no final judgement of the winners" },
		{ "lock", 0, CLI_STRING, &session.lock_path, "FILE", "device lock [$KM_LOCK]" },
		{ "allow-unsafe", 0, CLI_FLAG, &session.allow_unsafe, NULL, "run sources Kernelmill did not print even where the sandbox lacks its floor" },
		CLI_EXTRA_OPS(&extra), CLI_END,
	};
	struct strbuf err = STRBUF_INIT;
	struct pack pack;
	pid_t child[MOST_JOBS];

	cli_parse(argc, argv, &command, options, 1, 1);
	if (!out)
		usage("'run-pack' wants the folder of results: -o CELLS");
	if (jobs < 1 || jobs > MOST_JOBS)
		usage("--jobs is 1 to %d", MOST_JOBS);
	if (op_load_extra(extra, &err) || pack_open(&pack, argv[1], &err))
		return diag_report(&err, KM_EXIT_FATAL);
	session.pack = &pack;
	int64_t *next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (next == MAP_FAILED)
		die("out of memory");
	int started = 0;
	while (jobs > 1 && started < jobs && (child[started] = fork()) >= 0)
		if (!child[started++])
			_exit(run_cells(&pack, out, &session, !only_races, next));
	enum exit_code code = started ? wait_for(child, started) : run_cells(&pack, out, &session, !only_races, next);
	pack_close(&pack);
	return diag_report(&err, code);
}

int merge_main(int argc, char **argv)
{
	static const struct cli_command command = { "merge", "CELLS FROM...", "Adds results to the cells' journals: each record once, however often it is brought.", NULL };
	const struct cli_option options[] = { CLI_END };
	struct strbuf err = STRBUF_INIT;
	enum exit_code code;
	int n = cli_parse(argc, argv, &command, options, 2, 4096);
	int64_t records = 0;

	for (int i = 2; i <= n; i++)
		if (merge_cells(argv[1], argv[i], &records, &code, &err))
			return diag_report(&err, code);
	printf("%s\t%lld records added\n", argv[1], (long long)records);
	return KM_EXIT_DONE;
}
