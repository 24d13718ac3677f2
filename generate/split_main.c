/* split_main.c: km-generate split. */
#include "generate/split.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <stdio.h>
#include <stdlib.h>

/* "cell<TAB>limit": what each may have evaluated in all. */
static int split_cells(const char *path, int64_t total, struct strbuf *out, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct split_cell *cell;
	size_t count;
	int64_t spent = 0, given = 0;

	if (split_read(&arena, path, &cell, &count, err)) {
		arena_release(&arena);
		return KM_EXIT_FATAL;
	}
	for (size_t i = 0; i < count; i++)
		spent += cell[i].evaluations;
	int64_t round = split_round(total, (int64_t)count);
	if (spent < total)
		given = split_evaluations(cell, count, total - spent < round ? total - spent : round, split_first(total, (int64_t)count));
	for (size_t i = 0; i < count && given; i++)
		strbuf_addf(out, "%s\t%lld\n", cell[i].name, (long long)(cell[i].evaluations + cell[i].next));
	arena_release(&arena);
	return given ? KM_EXIT_DONE : KM_EXIT_NO;
}

/* At several totals, up to all that was recorded. */
static int replay(const char *path, struct strbuf *out, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct split_curve *curve;
	size_t count;
	int64_t all = 0;

	if (split_read_curves(&arena, path, &curve, &count, err)) {
		arena_release(&arena);
		return KM_EXIT_FATAL;
	}
	int64_t *given = ARENA_ARRAY(&arena, int64_t, count + 1);
	for (size_t i = 0; i < count; i++)
		all += given[i] = curve[i].count;
	double most = split_replay_equal(curve, count, count ? all * (int64_t)count : 0, given);
	strbuf_addf(out, "total\tcells\tequal\tgain\tall\n");
	for (int percent = 10; percent <= 100 && count; percent += percent < 50 ? 10 : 25) {
		int64_t total = all * percent / 100;
		double equal = split_replay_equal(curve, count, total, given), gain = split_replay_gain(curve, count, total, given);
		strbuf_addf(out, "%lld\t%zu\t%.4f\t%.4f\t%.4f\n", (long long)total, count, equal, gain, most);
	}
	arena_release(&arena);
	return KM_EXIT_DONE;
}

int split_main(int argc, char **argv)
{
	static const struct cli_command command = {
		"split", "[FILE]", "splits evaluations over cells by expected gain (generate/split.h): prints the limit of each; exit 1 when all are spent or no cell is open", NULL
	};
	int64_t total = 0, cells = 0;
	bool is_replay = false;
	const struct cli_option options[] = {
		{ "total", 0, CLI_INT, &total, "N", "evaluations of all cells together" },
		{ "cells", 0, CLI_INT, &cells, "N", "only prints the first share of each of so many" },
		{ "replay", 0, CLI_FLAG, &is_replay, NULL, "FILE holds curves: the geometric mean of the best speeds by equal shares and by gain, at several totals" },
		CLI_END,
	};
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;

	int n = cli_parse(argc, argv, &command, options, 0, 1);
	if (n != (cells < 1))
		usage("wants a FILE, or --cells");
	if (!is_replay && total < 1)
		usage("--total is missing: evaluations of all cells together");
	if (cells > 0) {
		printf("%lld\n", (long long)split_first(total, cells));
		return KM_EXIT_DONE;
	}
	int code = is_replay ? replay(argv[1], &out, &err) : split_cells(argv[1], total, &out, &err);
	fputs(out.buf, stdout);
	strbuf_release(&out);
	return diag_report(&err, code);
}
