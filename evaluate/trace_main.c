/* trace_main.c: km-evaluate trace ls|candidate|validate|pack|history|relatives|progress|status|export|knobs. */
#include "evaluate/baseline.h"
#include "evaluate/journal.h"
#include "evaluate/trace.h"
#include "generate/feedback.h"
#include "generate/history.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int trace_load(struct arena *arena, const char *path, struct trace *trace, struct strbuf *err)
{
	struct path_list list = { 0 };
	struct stat st;
	char head[5] = "";
	FILE *f = stat(path, &st) || S_ISDIR(st.st_mode) ? NULL : fopen(path, "r");

	if (f) {
		size_t n = fread(head, 1, 5, f);
		fclose(f);
		const char *slash = strrchr(path, '/');
		bool is_empty_journal = !n && !strcmp(slash ? slash + 1 : path, "journal");
		if (memcmp(head, JOURNAL_MAGIC, strlen(JOURNAL_MAGIC)) && !is_empty_journal)
			return trace_read(arena, path, trace, err);
	}
	if (trace_find_journals(arena, path, &list, err))
		return -1;
	return trace_from_journals(arena, list.path, list.count, trace, err);
}

static const struct cli_option no_options[] = { { NULL, 0, 0, NULL, NULL, NULL } };

static int finish(int ret, struct strbuf *out, struct strbuf *err)
{
	if (out->len)
		fwrite(out->buf, 1, out->len, stdout);
	if (err->len)
		error("%s", err->buf);
	strbuf_release(out);
	strbuf_release(err);
	return ret;
}

/* Text as one field of a TSV line. */
static void add_field(struct strbuf *out, const char *text)
{
	for (; *text; text++)
		strbuf_addch(out, *text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text);
}

static int list_trials(int argc, char **argv)
{
	static const struct cli_command command = { "trace ls", "FILE|JOURNAL|FOLDER",
		"Lists trials as TSV: candidate, problem, verdict, time_ns, fitness, knobs, command that repeats it.", NULL };
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct trace trace;

	cli_parse(argc, argv, &command, no_options, 1, 1);
	int ret = trace_load(&arena, argv[1], &trace, &err) ? KM_EXIT_FATAL : KM_EXIT_DONE;
	for (size_t i = 0; !ret && i < trace.evaluation_count; i++) {
		const struct evaluation *e = &trace.evaluation[i];
		const struct candidate *c = trace_candidate(&trace, e->candidate, e->problem);
		strbuf_addf(&out, "%s\t%s\t%s\t%.6g\t%.4g\t", e->candidate, e->problem, verdict_name(e->verdict), isnan(e->time_ns) ? NAN : e->time_ns, e->fitness);
		add_field(&out, c ? c->knobs : "");
		strbuf_addch(&out, '\t');
		add_field(&out, e->reproduce);
		strbuf_addch(&out, '\n');
	}
	arena_release(&arena);
	return finish(ret, &out, &err);
}

static int print_candidate(int argc, char **argv)
{
	static const struct cli_command command = { "trace candidate", "FILE|JOURNAL|FOLDER ID",
		"Prints a candidate of a trace as a line of a batch.", NULL };
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct trace trace;

	cli_parse(argc, argv, &command, no_options, 2, 2);
	int ret = trace_load(&arena, argv[1], &trace, &err) ? KM_EXIT_FATAL : KM_EXIT_NO;
	for (size_t i = 0; ret == KM_EXIT_NO && i < trace.candidate_count; i++)
		if (!strcmp(trace.candidate[i].id, argv[2])) {
			candidate_write(&trace.candidate[i], &out);
			ret = KM_EXIT_DONE;
		}
	if (ret == KM_EXIT_NO)
		strbuf_addf(&err, "no candidate '%s' in '%s'", argv[2], argv[1]);
	arena_release(&arena);
	return finish(ret, &out, &err);
}

static int validate(int argc, char **argv)
{
	static const struct cli_command command = { "trace validate", "FILE...",
		"Checks trace files: seal, schema, row counts, references, hashes.  Exit 1 when one is wrong.", NULL };
	int count = cli_parse(argc, argv, &command, no_options, 1, 1 << 20), ret = KM_EXIT_DONE;

	for (int i = 1; i <= count; i++) {
		struct strbuf err = STRBUF_INIT;
		if (!trace_validate(argv[i], &err)) {
			printf("%s\tvalid\n", argv[i]);
		} else {
			ret = KM_EXIT_NO;
			for (char *line = strtok(err.buf, "\n"); line; line = strtok(NULL, "\n"))
				error("%s", line);
		}
		strbuf_release(&err);
	}
	return ret;
}

static int pack(int argc, char **argv)
{
	const char *path = NULL;
	static const struct cli_command command = { "trace pack", "JOURNAL|FOLDER...",
		"Packs journals, and those below folders, into one trace file.  The same frames give the same bytes.", NULL };
	const struct cli_option options[] = {
		{ "output", 'o', CLI_STRING, &path, "FILE", "trace file to write (required)" },
		{ NULL, 0, 0, NULL, NULL, NULL },
	};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct path_list list = { 0 };
	struct trace trace;
	int count = cli_parse(argc, argv, &command, options, 1, 1 << 20), ret = KM_EXIT_FATAL;

	if (!path)
		usage("'trace pack' wants the file to write: -o traces.h5");
	for (int i = 1; i <= count; i++)
		if (trace_find_journals(&arena, argv[i], &list, &err))
			goto out;
	if (!list.count) {
		strbuf_addf(&err, "no file named 'journal' in or below '%s': nothing was searched there", argv[1]);
		goto out;
	}
	if (trace_from_journals(&arena, list.path, list.count, &trace, &err))
		goto out;
	ret = trace_write(&trace, path, &err) ? KM_EXIT_NOT_DURABLE : KM_EXIT_DONE;
	if (!ret)
		strbuf_addf(&out, "%s\t%zu evaluations\t%zu candidates\t%zu winners\n", path, trace.evaluation_count,
			    trace.candidate_count, trace.winner_count);
out:
	arena_release(&arena);
	return finish(ret, &out, &err);
}

/* The trials of one journal as policies see them: a candidate once, with its last word. */
struct gathering {
	struct arena *arena;
	struct candidate *candidate;
	size_t candidate_count, candidate_capacity;
	struct trial *trial;
	struct feedback *feedback; /* of each trial */
	size_t trial_count, trial_capacity, feedback_capacity;
	const char **rival; /* environments in which a baseline to be beaten was timed */
	size_t rival_count, rival_capacity;
	struct environment environment; /* the last */
	struct winner winner;
	struct stop stop;
	bool has_winner, has_stop;
	double elapsed_s;
};

static void *grow(void *array, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 256;
	array = realloc(array, *capacity * size);
	if (!array)
		die("out of memory for %zu records", *capacity);
	return array;
}

static bool has_rival(const struct gathering *g, const char *environment)
{
	for (size_t i = 0; i < g->rival_count; i++)
		if (!strcmp(g->rival[i], environment))
			return true;
	return false;
}

static void gather_baseline(struct gathering *g, const struct baseline_record *b)
{
	if (!(b->time_ns > 0) || !baseline_is_rival(b->name) || has_rival(g, b->environment))
		return;
	g->rival = grow(g->rival, &g->rival_capacity, g->rival_count, sizeof(*g->rival));
	g->rival[g->rival_count++] = b->environment;
}

/* A source that its knobs do not print again comes along. */
static void gather_feedback(const struct gathering *g, const struct evaluation *e, const struct candidate *c, struct feedback *f)
{
	*f = (struct feedback){ .id = e->candidate, .verdict = verdict_name(e->verdict), .lang = c ? c->lang : "", .origin = c ? c->origin : "",
				.detail = e->detail, .source = c && strcmp(c->origin, "printed") ? c->source : "", .tolerance_ratio = e->tolerance_ratio,
				.peak_flop_per_s = g->environment.peak_flop_per_s, .peak_bytes_per_s = g->environment.peak_bytes_per_s };
	if (c && !strncmp(c->problem + strcspn(c->problem, "/"), "/bf16/", 6) && g->environment.matrix_flop_per_s > 0)
		f->peak_flop_per_s = g->environment.matrix_flop_per_s;
	for (size_t i = 0; i < e->fact_count && i < FEEDBACK_MAX_FACTS; i++)
		f->fact[f->fact_count++] = (struct feedback_fact){ e->fact[i].key, e->fact[i].value };
}

static void gather_trial(struct gathering *g, const struct evaluation *e)
{
	const struct candidate *c = NULL;
	size_t at = 0;

	for (size_t i = g->candidate_count; i-- > 0 && !c;)
		if (!strcmp(g->candidate[i].id, e->candidate))
			c = &g->candidate[i];
	while (at < g->trial_count && strcmp(g->trial[at].id, e->candidate))
		at++;
	if (at == g->trial_count) {
		g->trial = grow(g->trial, &g->trial_capacity, g->trial_count, sizeof(*g->trial));
		g->feedback = grow(g->feedback, &g->feedback_capacity, g->trial_count, sizeof(*g->feedback));
		g->trial[g->trial_count++].elapsed_s = 0;
	}
	/* Work spent never falls along the history, also where a later word replaces an earlier trial. */
	g->elapsed_s = fmax(g->elapsed_s, e->elapsed_s);
	g->trial[g->trial_count - 1].elapsed_s = g->elapsed_s;
	g->trial[at] = (struct trial){ .id = e->candidate, .knobs = c ? c->knobs : "", .verdict = verdict_name(e->verdict),
		.parent = c ? c->parent : "", .edge = c ? c->edge : "", .policy = c ? c->policy : "", .generation = c ? c->generation : 0,
		.time_ns = e->time_ns, .fitness = e->fitness, .sol_ratio = e->sol_ratio, .elapsed_s = g->trial[at].elapsed_s,
		.baseline_ns = e->fitness > 0 && has_rival(g, e->environment) ? e->fitness * e->time_ns : 0, .detail = e->detail };
	gather_feedback(g, e, c, &g->feedback[at]);
}

static int gather(const struct record *record, void *user)
{
	struct gathering *g = user;

	switch (record->kind) {
	case RECORD_ENVIRONMENT:
		g->environment = record->environment;
		break;
	case RECORD_CANDIDATE:
		g->candidate = grow(g->candidate, &g->candidate_capacity, g->candidate_count, sizeof(*g->candidate));
		g->candidate[g->candidate_count++] = record->candidate;
		break;
	case RECORD_BASELINE:
		gather_baseline(g, &record->baseline);
		break;
	case RECORD_EVALUATION:
		gather_trial(g, &record->evaluation);
		g->has_stop = g->has_winner = false; /* work after the end: not ended */
		break;
	case RECORD_WINNER:
		g->winner = record->winner;
		g->has_winner = true;
		break;
	case RECORD_STOP:
		g->stop = record->stop;
		g->has_stop = true;
		break;
	default:
		break;
	}
	return 0;
}

static int gather_journal(struct gathering *g, const char *path, struct strbuf *err)
{
	if (access(path, F_OK))
		return 0; /* a search that has not begun */
	return journal_each(g->arena, path, gather, g, NULL, err);
}

static void gathering_release(struct gathering *g)
{
	free(g->candidate);
	free(g->trial);
	free(g->rival);
	free(g->feedback);
	arena_release(g->arena);
}

static int history(int argc, char **argv)
{
	const char *path = NULL, *feedback = NULL;
	static const struct cli_command command = { "trace history", "JOURNAL",
		"Prints the trials of a journal as the history that policies read (TSV, order of arrival).", NULL };
	const struct cli_option options[] = {
		{ "output", 'o', CLI_STRING, &path, "FILE", "history file to write [-]" },
		{ "feedback", 0, CLI_STRING, &feedback, "FILE", "what trials said beyond their rows, and whole sources: generate/feedback.h" },
		{ NULL, 0, 0, NULL, NULL, NULL },
	};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT, said = STRBUF_INIT;
	struct gathering g = { .arena = &arena };

	cli_parse(argc, argv, &command, options, 1, 1);
	int ret = gather_journal(&g, argv[1], &err) ? KM_EXIT_FATAL : KM_EXIT_DONE;
	if (!ret)
		history_write_header(&out);
	for (size_t i = 0; i < g.trial_count && !ret; i++)
		history_write(&g.trial[i], &out);
	if (!ret && path && strcmp(path, "-")) {
		ret = file_publish(path, out.buf, out.len, &err) ? KM_EXIT_NOT_DURABLE : KM_EXIT_DONE;
		strbuf_reset(&out);
	}
	if (!ret && feedback) {
		for (size_t i = 0; i < g.trial_count; i++)
			feedback_write(&g.feedback[i], &said);
		ret = file_publish(feedback, said.buf, said.len, &err) ? KM_EXIT_NOT_DURABLE : KM_EXIT_DONE;
	}
	strbuf_release(&said);
	gathering_release(&g);
	return finish(ret, &out, &err);
}

static int status(int argc, char **argv)
{
	static const struct cli_command command = { "trace status", "JOURNAL",
		"Prints 'done WINNER' (exit 0), or 'stopped REASON ...' or 'open ...' with counts (exit 1).", NULL };
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct gathering g = { .arena = &arena };

	cli_parse(argc, argv, &command, no_options, 1, 1);
	int ret = gather_journal(&g, argv[1], &err) ? KM_EXIT_FATAL : g.has_winner && g.has_stop ? KM_EXIT_DONE : KM_EXIT_NO;
	size_t passed = 0;
	for (size_t i = 0; i < g.trial_count; i++)
		passed += !strcmp(g.trial[i].verdict, verdict_name(VERDICT_PASSED));
	if (ret == KM_EXIT_DONE)
		strbuf_addf(&out, "done %s\n", g.winner.candidate);
	else if (ret == KM_EXIT_NO)
		strbuf_addf(&out, "%s%s %zu evaluations %zu passed\n", g.has_stop ? "stopped " : "open", g.has_stop ? g.stop.reason : "",
			    g.trial_count, passed);
	gathering_release(&g);
	return finish(ret, &out, &err);
}

static int export(int argc, char **argv)
{
	const char *format = "csv", *problem = NULL;
	static const struct cli_command command = { "trace export", "FILE|JOURNAL|FOLDER",
		"Prints the trials in a format of others.", NULL };
	const struct cli_option options[] = {
		{ "format", 0, CLI_STRING, &format, "csv|t4", "comma-separated, or Kernel Tuner's T4 JSON [csv]" },
		{ "problem", 0, CLI_STRING, &problem, "PROBLEM", "only this one" },
		{ NULL, 0, 0, NULL, NULL, NULL },
	};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct trace trace;

	cli_parse(argc, argv, &command, options, 1, 1);
	bool is_t4 = !strcmp(format, "t4");
	if (!is_t4 && strcmp(format, "csv"))
		usage("unknown format '%s': csv or t4", format);
	int ret = trace_load(&arena, argv[1], &trace, &err) ? KM_EXIT_FATAL : KM_EXIT_DONE;
	if (!ret && is_t4)
		ret = trace_export_t4(&trace, problem, &out, &err) ? KM_EXIT_FATAL : KM_EXIT_DONE;
	else if (!ret)
		trace_export_csv(&trace, problem, &out);
	if (ret)
		strbuf_reset(&out);
	arena_release(&arena);
	return finish(ret, &out, &err);
}

static int knobs(int argc, char **argv)
{
	const char *problem = NULL;
	double margin = 0.02;
	static const struct cli_command command = { "trace knobs", "FILE|JOURNAL|FOLDER",
		"Lists each problem's knobs with the spread of best times over their values, and those without effect (TSV).", NULL };
	const struct cli_option options[] = {
		{ "problem", 0, CLI_STRING, &problem, "PROBLEM", "only this one" },
		{ "margin", 0, CLI_REAL, &margin, "RATIO", "a spread up to 1 + RATIO is no effect [0.02]" },
		{ NULL, 0, 0, NULL, NULL, NULL },
	};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct trace trace;

	cli_parse(argc, argv, &command, options, 1, 1);
	int ret = trace_load(&arena, argv[1], &trace, &err) ? KM_EXIT_FATAL : KM_EXIT_DONE;
	if (!ret)
		trace_knobs(&trace, problem, margin, &out);
	arena_release(&arena);
	return finish(ret, &out, &err);
}

int trace_main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ "ls", "FILE|JOURNAL", "list trials", list_trials },
		{ "relatives", "FILE|JOURNAL|FOLDER...", "what did well for a problem's relatives", trace_relatives },
		{ "progress", "FOLDER", "how far searches are", trace_progress },
		{ "candidate", "FILE|JOURNAL ID", "one candidate as a line of a batch", print_candidate },
		{ "validate", "FILE...", "check trace files", validate },
		{ "pack", "-o FILE JOURNAL|FOLDER...", "pack journals into a trace file", pack },
		{ "history", "JOURNAL", "the trials as policies read them", history },
		{ "status", "JOURNAL", "is the search done?", status },
		{ "export", "FILE|JOURNAL", "csv, or Kernel Tuner's T4", export },
		{ "knobs", "FILE|JOURNAL", "which knobs matter", knobs },
		{ NULL, NULL, NULL, NULL },
	};

	return cli_run(argc, argv, "trace: every trial, from journals or a trace file.", commands);
}
