/* progress.c: km-evaluate trace progress: how far the searches of a campaign are, for generate/split.h. */
#include "evaluate/trace.h"
#include "evaluate/journal.h"
#include "generate/split.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cell's trials: each candidate once, where it came first, with its last word. */
struct curve {
	struct arena *arena;
	const char **id;
	double *speed, *light;
	bool *was_timed;
	size_t count, capacity;
	bool has_stop;
};

static void add(struct curve *c, const struct evaluation *e)
{
	size_t at = 0;

	while (at < c->count && strcmp(c->id[at], e->candidate))
		at++;
	if (at == c->capacity) {
		c->capacity = c->capacity ? 2 * c->capacity : 256;
		c->id = realloc(c->id, c->capacity * sizeof(*c->id));
		c->speed = realloc(c->speed, c->capacity * sizeof(*c->speed));
		c->light = realloc(c->light, c->capacity * sizeof(*c->light));
		c->was_timed = realloc(c->was_timed, c->capacity * sizeof(*c->was_timed));
		if (!c->id || !c->speed || !c->light || !c->was_timed)
			die("out of memory for %zu trials", c->capacity);
	}
	c->count += at == c->count;
	c->id[at] = arena_strdup(c->arena, e->candidate);
	c->speed[at] = e->verdict == VERDICT_PASSED ? e->fitness : 0;
	c->light[at] = e->verdict == VERDICT_PASSED ? e->sol_ratio : 0;
	c->was_timed[at] = e->verdict != VERDICT_NOT_MEASURED;
}

static int take(const struct record *record, void *user)
{
	struct curve *c = user;

	if (record->kind == RECORD_EVALUATION) {
		add(c, &record->evaluation);
		c->has_stop = false;
	} else if (record->kind == RECORD_STOP) {
		c->has_stop = true;
	}
	return 0;
}

/* The path below `root`, without the journal's own name. */
static const char *name_of(struct arena *arena, const char *root, const char *journal)
{
	size_t n = strlen(root);
	const char *name = !strncmp(journal, root, n) ? journal + n + strspn(journal + n, "/") : journal;
	const char *slash = strrchr(name, '/');

	return arena_strndup(arena, name, slash ? (size_t)(slash - name) : strlen(name));
}

static void print_cell(const struct curve *c, const char *name, const char *group, bool has_curves, struct strbuf *out)
{
	const struct split_curve curve = { name, group, c->speed, c->light, (int64_t)c->count };
	bool is_timed = !c->count;

	for (size_t i = 0; i < c->count; i++) {
		is_timed |= c->was_timed[i];
		if (has_curves)
			strbuf_addf(out, "%s\t%s\t%.6g\t%.6g\n", name, group, c->speed[i], c->light[i]);
	}
	if (has_curves)
		return;
	struct split_cell cell = split_at(&curve, (int64_t)c->count);
	/* Where nothing is timed there is no speed to search for. */
	cell.is_open = !c->has_stop && is_timed;
	split_write(&cell, out);
}

int trace_progress(int argc, char **argv)
{
	bool has_curves = false;
	static const struct cli_command command = { "trace progress", "FOLDER",
		"Prints how far the search of each problem below a folder of cells is (TSV), for 'km-generate split'.", NULL };
	const struct cli_option options[] = {
		{ "curves", 0, CLI_FLAG, &has_curves, NULL, "every trial's speed instead, for 'km-generate split --replay'" },
		CLI_END,
	};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct path_list list = { 0 };
	int ret = KM_EXIT_FATAL;

	cli_parse(argc, argv, &command, options, 1, 1);
	if (trace_find_journals(&arena, argv[1], &list, &err))
		goto out;
	if (has_curves)
		strbuf_addstr(&out, "cell\tgroup\tspeed\tlight\n");
	else
		split_write_header(&out);
	for (size_t i = 0; i < list.count; i++) {
		struct curve c = { .arena = &arena };
		int bad = journal_each(&arena, list.path[i], take, &c, NULL, &err);
		const char *name = name_of(&arena, argv[1], list.path[i]), *slash = strrchr(name, '/');
		if (!bad)
			print_cell(&c, name, arena_strndup(&arena, name, slash ? (size_t)(slash - name) : strlen(name)), has_curves, &out);
		free(c.id);
		free(c.speed);
		free(c.light);
		free(c.was_timed);
		if (bad)
			goto out;
	}
	ret = fwrite(out.buf, 1, out.len, stdout) == out.len ? KM_EXIT_DONE : KM_EXIT_NOT_DURABLE;
out:
	arena_release(&arena);
	strbuf_release(&out);
	return diag_report(&err, ret);
}
