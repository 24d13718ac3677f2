/* km-generate: operators, knob spaces and candidates. */
#include "generate/describe.h"
#include "generate/llm.h"
#include "generate/point_set.h"
#include "generate/policy.h"
#include "generate/relatives.h"
#include "generate/replay_main.h"
#include "generate/split.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"
#include "ops/core/op_check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *extra_ops;

/* ---- listings -------------------------------------------------------- */

static int list_targets(int argc, char **argv)
{
	static const struct cli_command command = { "targets", "", "lists targets: name, summary, best state, whether this machine is it", NULL };
	const struct cli_option options[] = { CLI_END };

	cli_parse(argc, argv, &command, options, 0, 0);
	for (size_t i = 0; target_table[i]; i++) {
		const struct target *t = target_table[i];
		const struct target *real = t->alias ? target_of_this_machine() : t;
		printf("%s\t%s\t%s\t%s\n", t->name, t->summary, t->alias ? (real ? real->name : "none") : target_state_name(t->best_state),
		       t->probe && t->probe() ? "here" : "cross");
	}
	return KM_EXIT_DONE;
}

static int list_languages(int argc, char **argv)
{
	static const struct cli_command command = { "languages", "", "lists languages: name, summary, artifact kind", NULL };
	const struct cli_option options[] = { CLI_END };

	cli_parse(argc, argv, &command, options, 0, 0);
	for (size_t i = 0; lang_table[i]; i++)
		printf("%s\t%s\t%s\n", lang_table[i]->name, lang_table[i]->summary, lang_table[i]->artifact);
	return KM_EXIT_DONE;
}

static int list_skeletons(int argc, char **argv)
{
	static const struct cli_command command = { "skeletons", "", "lists skeletons: name, summary", NULL };
	const struct cli_option options[] = { CLI_END };

	cli_parse(argc, argv, &command, options, 0, 0);
	for (size_t i = 0; skeleton_table[i]; i++)
		printf("%s\t%s\n", skeleton_table[i]->name, skeleton_table[i]->summary);
	return KM_EXIT_DONE;
}

static int list_policies(int argc, char **argv)
{
	static const struct cli_command command = { "policies", "", "lists search policies: name, summary", NULL };
	const struct cli_option options[] = { CLI_END };

	cli_parse(argc, argv, &command, options, 0, 0);
	for (size_t i = 0; policy_table[i]; i++)
		printf("%s\t%s\n", policy_table[i]->name, policy_table[i]->summary);
	return KM_EXIT_DONE;
}

/* ---- operators ------------------------------------------------------- */

static void unknown_op(const char *name, struct strbuf *err)
{
	const struct op *op;

	strbuf_addf(err, "unknown operator '%s': known are", name);
	for (size_t i = 0; (op = op_at(i)); i++)
		strbuf_addf(err, "%s %s", i ? "," : "", op->name);
}

static int list_ops(int argc, char **argv)
{
	static const struct cli_command command = {
		"ops", "[OP...]",
		"lists operators, tab-separated: name, family, dtypes, states (what the generators serve, by target), aliases, summary, file", NULL
	};
	const struct cli_option options[] = { CLI_EXTRA_OPS(&extra_ops), CLI_END };
	int n = cli_parse(argc, argv, &command, options, 0, 1 << 20);
	struct strbuf err = STRBUF_INIT, states = STRBUF_INIT;
	const struct op *op;

	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	for (int i = 1; i <= n; i++)
		if (!op_find(argv[i])) {
			unknown_op(argv[i], &err);
			return diag_report(&err, KM_EXIT_USAGE);
		}
	for (size_t i = 0; (op = op_at(i)); i++) {
		char family[64];
		bool wanted = !n;
		for (int k = 1; k <= n; k++)
			wanted |= op_find(argv[k]) == op;
		if (!wanted)
			continue;
		strbuf_reset(&states);
		space_states(op, &states);
		op_family(op, family, sizeof(family));
		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", op->name, family, op->dtypes, states.buf, op->aliases ? op->aliases : "", op->summary,
		       op->source_path);
	}
	strbuf_release(&states);
	return KM_EXIT_DONE;
}

static int show_coverage(int argc, char **argv)
{
	static const struct cli_command command = {
		"coverage", "[OP...]", "lists, dtype by dtype and language by language, the skeletons that serve operators (all by default), or why none does", NULL
	};
	const char *target_name = "native";
	const struct cli_option options[] = {
		{ "target", 0, CLI_STRING, &target_name, "NAME", "see 'km-generate targets' [native]" }, CLI_EXTRA_OPS(&extra_ops), CLI_END
	};
	struct strbuf err = STRBUF_INIT;
	const struct op *op;
	int n = cli_parse(argc, argv, &command, options, 0, 1 << 20);

	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	const struct target *target = target_find(target_name, &err);
	if (!target)
		return diag_report(&err, KM_EXIT_USAGE);
	for (int i = 1; i <= n; i++)
		if (!op_find(argv[i])) {
			unknown_op(argv[i], &err);
			return diag_report(&err, KM_EXIT_USAGE);
		}
	for (size_t i = 0; (op = op_at(i)); i++) {
		bool wanted = !n;
		for (int k = 1; k <= n; k++)
			wanted |= op_find(argv[k]) == op;
		struct strbuf out = STRBUF_INIT;
		if (wanted)
			space_coverage(op, target, &out);
		fputs(out.buf, stdout);
		strbuf_release(&out);
	}
	return KM_EXIT_DONE;
}

static int check_ops(int argc, char **argv)
{
	static const struct cli_command command = { "check", "[OP...]", "checks declarations (all by default); exit 1 when one is wrong", NULL };
	const struct cli_option options[] = { CLI_EXTRA_OPS(&extra_ops), CLI_END };
	int n = cli_parse(argc, argv, &command, options, 0, 1 << 20), code = KM_EXIT_DONE;
	struct strbuf err = STRBUF_INIT;
	const struct op *op;

	/* Plug-ins are checked as they are loaded. */
	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_NO);
	for (int i = 1; i <= n; i++)
		if (!op_find(argv[i])) {
			unknown_op(argv[i], &err);
			return diag_report(&err, KM_EXIT_USAGE);
		}
	for (size_t i = 0; (op = op_at(i)); i++) {
		bool wanted = !n;
		for (int k = 1; k <= n; k++)
			wanted |= op_find(argv[k]) == op;
		if (wanted && op_check(op, &err)) {
			code = KM_EXIT_NO;
			error("%s", err.buf);
			strbuf_reset(&err);
		}
	}
	strbuf_release(&err);
	return code;
}

static int print_problem(const struct problem *p, enum op_use use, void *user)
{
	struct strbuf text = STRBUF_INIT;

	(void)use;
	(void)user;
	problem_print(p, &text);
	printf("%s\n", text.buf);
	strbuf_release(&text);
	return 0;
}

static bool has_use(const struct op *op, enum op_use use)
{
	bool has = false;

	for (int i = 0; i < OP_MAX_SHAPES && op->shape[i].binding; i++)
		has |= (op->shape[i].use & use) != 0;
	return has;
}

/* Lines "matmul f32 M=100 N=200 K=300 threads=1" of a user's file that are about op. */
static int shapes_of_file(const char *path, const struct op *op, int threads, size_t *found, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = -1, line = 0;

	if (strbuf_read_file(&text, path, err))
		goto out;
	for (char *s = text.buf; *s;) {
		size_t n = strcspn(s, "\n");
		char *next = s + n + (s[n] == '\n'), name[64], dtype_word[16];
		int used = 0;
		s[n] = 0;
		line++;
		s[strcspn(s, "#")] = 0;
		if (s[strspn(s, " \t\r")]) {
			enum dtype dtype;
			struct problem p;
			struct strbuf why = STRBUF_INIT;
			if (sscanf(s, "%63s %15s %n", name, dtype_word, &used) != 2 || !dtype_find(dtype_word, &dtype) || !op_find(name)) {
				strbuf_addf(err, "%s:%d: expected 'operator dtype M=.. N=..', with a known operator and dtype", path, line);
				goto out;
			}
			if (!strcmp(name, op->name)) {
				for (char *c = s + used; *c; c++)
					*c = *c == '\t' || *c == '\r' ? ' ' : *c;
				if (problem_from_shape(op, dtype, s + used, threads, &p, &why)) {
					strbuf_addf(err, "%s:%d: %s", path, line, why.buf);
					strbuf_release(&why);
					goto out;
				}
				print_problem(&p, OP_SEARCH, NULL);
				++*found;
			}
			strbuf_release(&why);
		}
		s = next;
	}
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}

/* "kb1/23", or the folder "kb1": every problem of it. */
static bool is_from(const char *source, const char *word, size_t n)
{
	size_t m = strlen(source);

	return n >= m && !memcmp(word, source, m) && (n == m || word[m] == '/');
}

/* Published problems: their place, problem, dtype aside, least bytes and useful work. */
static int list_published(const struct op *op, const char *source, int threads, struct strbuf *err)
{
	for (int i = 0; i < OP_MAX_SHAPES && op->shape[i].binding; i++) {
		const struct op_shape *shape = &op->shape[i];
		for (const char *w = shape->source; w && *w; w += strspn(w, " ")) {
			size_t n = strcspn(w, " ");
			enum dtype dtype;
			struct problem p;
			if (is_from(source, w, n)) {
				const char *dtypes = shape->dtypes ? shape->dtypes : op->dtypes;
				char first[16];
				snprintf(first, sizeof(first), "%.*s", (int)strcspn(dtypes, " "), dtypes);
				if (!dtype_find(first, &dtype) || problem_from_shape(op, dtype, shape->binding, threads, &p, err))
					return -1;
				printf("%.*s\t", (int)n, w);
				struct strbuf text = STRBUF_INIT;
				problem_print(&p, &text);
				printf("%s\t%lld\t%.0f\n", text.buf, (long long)problem_least_bytes(&p), problem_flop(&p));
				strbuf_release(&text);
			}
			w += n;
		}
	}
	return 0;
}

static int list_problems(int argc, char **argv)
{
	static const struct cli_command command = { "problems", "", "lists the problems a budget searches, one a line; or the published ones", NULL };
	const char *op_name = NULL, *budget = "quick", *shapes = NULL, *source = NULL;
	int64_t threads = 1;
	const struct cli_option options[] = {
		{ "op", 0, CLI_STRING, &op_name, "NAME", "operator; all by default" },
		{ "budget", 0, CLI_STRING, &budget, "quick|full|N", "full adds the larger shapes [quick]" },
		{ "shapes", 0, CLI_STRING, &shapes, "FILE", "a user's shapes instead, lines 'matmul f32 M=100 N=200 K=300'" },
		{ "source", 0, CLI_STRING, &source, "NAME", "published problems instead: kb1, kb1/23, kb2, paper; with least bytes and flop" },
		{ "threads", 0, CLI_INT, &threads, "N", "threads of a problem [1]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT;
	const struct op *op;
	size_t found = 0;

	cli_parse(argc, argv, &command, options, 0, 0);
	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	if (op_name && !op_find(op_name)) {
		unknown_op(op_name, &err);
		return diag_report(&err, KM_EXIT_USAGE);
	}
	/* Asked for by name, an operator that no small budget has gives its larger shapes. */
	unsigned uses = !strcmp(budget, "full") || (op_name && !has_use(op_find(op_name), OP_SEARCH)) ? OP_SEARCH | OP_FULL : OP_SEARCH;
	for (size_t i = 0; (op = op_at(i)); i++) {
		if (op_name && op_find(op_name) != op)
			continue;
		if (source) {
			if (list_published(op, source, (int)threads, &err))
				return diag_report(&err, KM_EXIT_FATAL);
			continue;
		}
		/* A user's shapes stand instead of the declared ones, for the operators they name. */
		if (shapes && shapes_of_file(shapes, op, (int)threads, &found, &err))
			return diag_report(&err, KM_EXIT_USAGE);
		if (!shapes && problem_each(op, uses, (int)threads, print_problem, NULL, &err))
			return diag_report(&err, KM_EXIT_FATAL);
	}
	return KM_EXIT_DONE;
}

static int describe(int argc, char **argv)
{
	static const struct cli_command command = { "describe", "PROBLEM...", "tells of problems what a program needs to run them, a line of JSON each (generate/describe.h)", NULL };
	const struct cli_option options[] = { CLI_EXTRA_OPS(&extra_ops), CLI_END };
	int n = cli_parse(argc, argv, &command, options, 1, 1 << 20);
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT;

	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	for (int i = 1; i <= n; i++) {
		struct problem p;
		if (problem_parse(argv[i], &p, &err))
			return diag_report(&err, KM_EXIT_USAGE);
		problem_describe(&p, &out);
	}
	fputs(out.buf, stdout);
	strbuf_release(&out);
	return KM_EXIT_DONE;
}

/* ---- candidates ------------------------------------------------------ */

static int open_space(const char *problem_text, const char *target_name, struct problem_space *ps, struct strbuf *err)
{
	struct problem problem;

	if (op_load_extra(extra_ops, err))
		return KM_EXIT_FATAL;
	if (!problem_text) {
		strbuf_addstr(err, "--problem is missing: see 'km-generate problems'");
		return KM_EXIT_USAGE;
	}
	const struct target *target = target_find(target_name, err);
	if (!target || problem_parse(problem_text, &problem, err))
		return KM_EXIT_USAGE;
	return space_open(ps, &problem, target, err) ? KM_EXIT_NO : KM_EXIT_DONE;
}

static int show_space(int argc, char **argv)
{
	static const struct cli_command command = { "space", "", "shows the knob space of a problem: sizes, values, knobs that do nothing", NULL };
	const char *problem = NULL, *target = "native";
	const struct cli_option options[] = {
		{ "problem", 0, CLI_STRING, &problem, "P", "such as matmul/f32/M=512,N=512,K=512/t1" },
		{ "target", 0, CLI_STRING, &target, "NAME", "see 'km-generate targets' [native]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT;
	struct problem_space ps;

	cli_parse(argc, argv, &command, options, 0, 0);
	int code = open_space(problem, target, &ps, &err);
	if (code)
		return diag_report(&err, code);
	space_report(&ps, &out);
	fputs(out.buf, stdout);
	strbuf_release(&out);
	space_close(&ps);
	return KM_EXIT_DONE;
}

static int emit(int argc, char **argv)
{
	static const struct cli_command command = { "emit", "", "makes one candidate from its knobs; prints a batch line, or one part of it", NULL };
	const char *problem = NULL, *target = "native", *knobs = NULL, *dump = "json";
	const struct cli_option options[] = {
		{ "problem", 0, CLI_STRING, &problem, "P", "such as matmul/f32/M=512,N=512,K=512/t1" },
		{ "target", 0, CLI_STRING, &target, "NAME", "see 'km-generate targets' [native]" },
		{ "knobs", 0, CLI_STRING, &knobs, "TEXT", "as in a trace: 'skeleton=.. lang=.. BM=..'" },
		{ "dump", 0, CLI_STRING, &dump, "STAGE", "tile, plan, source or json [json]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct problem_space ps;
	struct candidate c;
	struct point point;
	size_t sub;

	cli_parse(argc, argv, &command, options, 0, 0);
	if (!knobs)
		usage("--knobs is missing: see 'km-generate space'");
	int code = open_space(problem, target, &ps, &err);
	if (code)
		return diag_report(&err, code);
	code = KM_EXIT_USAGE;
	if (point_parse(&ps, knobs, &sub, &point, &err))
		goto out;
	int made = candidate_make(&arena, &ps, sub, &point, &c, &err);
	code = made < 0 ? KM_EXIT_FATAL : KM_EXIT_NO;
	if (made != 1)
		goto out;
	c.edge = "emitted";
	if (!strcmp(dump, "tile"))
		strbuf_addstr(&out, c.tile);
	else if (!strcmp(dump, "plan"))
		strbuf_addstr(&out, c.plan);
	else if (!strcmp(dump, "source"))
		strbuf_addf(&out, "%s%s", c.prologue, c.source);
	else if (!strcmp(dump, "json"))
		candidate_write(&c, &out);
	else
		usage("--dump is tile, plan, source or json, not '%s'", dump);
	fputs(out.buf, stdout);
	code = KM_EXIT_DONE;
out:
	strbuf_release(&out);
	arena_release(&arena);
	space_close(&ps);
	return diag_report(&err, code);
}

/* A batch being filled with new, legal candidates. */
struct filling {
	struct arena *arena;
	const struct search *search;
	struct point_set made; /* points that were made, each with the place in id[] of what it made; 0: nothing */
	const char **id;
	size_t id_count, id_room;
	struct candidate *batch;
	size_t count;
	struct strbuf why_none; /* why the first point that was not legal was not */
	struct strbuf *err;
};

/* The ids that need no second trial. */
static bool is_known(const struct filling *f, const char *id)
{
	for (size_t i = 0; i < f->search->seen->count; i++)
		if (!strcmp(f->search->seen->trial[i].id, id))
			return true;
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->batch[i].id, id))
			return true;
	return false;
}

/* As candidate_make(). */
static int make(struct filling *f, struct arena *arena, size_t sub_index, const struct point *point, struct candidate *c)
{
	struct strbuf why = STRBUF_INIT;
	int made = candidate_make(arena, f->search->ps, sub_index, point, c, &why);

	if (made < 0 && !f->err->len)
		strbuf_addf(f->err, "bug in a skeleton or printer: %s", why.buf);
	if (!made && !f->why_none.len)
		strbuf_addf(&f->why_none, "%.*s", (int)strcspn(why.buf, "\n"), why.buf);
	strbuf_release(&why);
	return made;
}

/* Makes a point once; remembers the id. */
static bool is_new(const struct search *search, size_t sub_index, const struct point *point)
{
	struct filling *f = search->knower;
	size_t at = 0;

	if (!point_set_find(&f->made, sub_index, point, &at)) {
		struct arena scratch = ARENA_INIT;
		struct candidate c;
		if (make(f, &scratch, sub_index, point, &c) == 1) {
			if (f->id_count + 1 >= f->id_room) {
				const char **larger = ARENA_ARRAY(f->arena, const char *, 2 * f->id_room + 64);
				if (f->id_count)
					memcpy(larger, f->id, (f->id_count + 1) * sizeof(*larger));
				f->id = larger;
				f->id_room = 2 * f->id_room + 64;
			}
			at = ++f->id_count;
			f->id[at] = arena_strdup(f->arena, c.id);
		}
		point_set_add(&f->made, sub_index, point, at);
		arena_release(&scratch);
	}
	return at && !is_known(f, f->id[at]);
}

/* Takes a proposal into the batch. */
static bool take(const struct proposal *p, void *user)
{
	struct filling *f = user;
	struct candidate *c = &f->batch[f->count];

	if (p->whole ? is_known(f, p->whole->id) : !is_new(f->search, p->sub_index, &p->point))
		return false;
	if (p->whole)
		*c = *p->whole;
	else if (make(f, f->arena, p->sub_index, &p->point, c) != 1)
		return false;
	c->parent = p->parent;
	c->edge = p->edge;
	c->policy = p->policy;
	f->count++;
	return true;
}

static int next(int argc, char **argv)
{
	static const struct cli_command command = {
		"next", "", "writes the next batch of candidates; exit 1 with the reason on stdout when the search ends", NULL
	};
	const char *problem = NULL, *target = "native", *lang = NULL, *policy_name = "portfolio", *history_path = NULL, *relatives_path = NULL, *output = "-";
	const char *llm = NULL, *transcript = NULL, *feedback_path = NULL;
	int64_t seed = 1, want = 24, generation = 0;
	struct budget budget = { 0 };
	const struct cli_option options[] = {
		{ "problem", 0, CLI_STRING, &problem, "P", "such as matmul/f32/M=512,N=512,K=512/t1" },
		{ "target", 0, CLI_STRING, &target, "NAME", "see 'km-generate targets' [native]" },
		{ "lang", 0, CLI_STRING, &lang, "NAME", "this language alone: see 'km-generate languages'" },
		{ "policy", 0, CLI_STRING, &policy_name, "NAME[:ARGUMENT]", "see 'km-generate policies' [portfolio]" },
		{ "seed", 0, CLI_INT, &seed, "N", "of the search [1]" },
		{ "history", 0, CLI_STRING, &history_path, "FILE", "trials so far: 'km-evaluate trace history JOURNAL'" },
		{ "relatives", 0, CLI_STRING, &relatives_path, "FILE", "where to begin: 'km-evaluate trace relatives'" },
		{ "feedback", 0, CLI_STRING, &feedback_path, "FILE", "what they said beyond that: 'km-evaluate trace history --feedback=FILE'" },
		{ "llm", 0, CLI_STRING, &llm, "HOW", "record:FILE keeps exchanges with a language model there too; replay:FILE answers from there alone" },
		{ "transcript", 0, CLI_STRING, &transcript, "FILE", "this search's exchanges with a language model: see 'km-generate llm'" },
		{ "batch", 0, CLI_INT, &want, "N", "candidates wanted [24]" },
		{ "generation", 0, CLI_INT, &generation, "N", "number of this batch [0]" },
		{ "evaluations", 0, CLI_INT, &budget.evaluations, "N", "stop after so many trials" },
		{ "seconds", 0, CLI_REAL, &budget.seconds, "S", "stop after so much evaluation work" },
		{ "stall", 0, CLI_INT, &budget.stall, "N", "stop after so many trials without a better best" },
		{ "sol", 0, CLI_REAL, &budget.sol_ratio, "R", "stop when the best reaches this share of the speed of light" },
		{ "output", 'o', CLI_STRING, &output, "FILE", "batch file [-]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT, unanswered = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct problem_space ps;
	struct history seen = { 0 };
	struct feedback_list feedback = { 0 };

	cli_parse(argc, argv, &command, options, 0, 0);
	struct filling filling = { .arena = &arena, .why_none = STRBUF_INIT, .err = &err };
	struct search search = { .ps = &ps, .seen = &seen, .feedback = &feedback, .is_new = is_new, .knower = &filling };
	const struct policy *policy = policy_find(policy_name, &search.argument);
	if (!policy)
		usage("unknown policy '%s': see 'km-generate policies'", policy_name);
	if (lang && !lang_find(lang))
		usage("unknown language '%s': see 'km-generate languages'", lang);
	if (want < 1 || want > 4096)
		usage("--batch is 1..4096, not %lld", (long long)want);
	int code = open_space(problem, target, &ps, &err);
	if (code)
		return diag_report(&err, code);
	code = KM_EXIT_USAGE;
	if (!(search.llm = llm_open(llm, transcript, &err)))
		goto out;
	code = KM_EXIT_FATAL;
	if (lang && !space_keep_lang(&ps, lang)) {
		printf("space: no skeleton serves it in language '%s'\n", lang);
		code = KM_EXIT_NO;
		goto out;
	}
	if ((history_path && history_read(&arena, history_path, &seen, &err)) || (feedback_path && feedback_read(&arena, feedback_path, &feedback, &err)))
		goto out;
	history_place(&seen, &ps);
	struct relative *relative = NULL;
	if (relatives_path && relatives_read(&arena, relatives_path, &ps, &relative, &search.relative_count, &err))
		goto out;
	search.relative = relative;
	const char *spent = budget_spent(&budget, &seen);
	if (!spent) {
		if (budget.evaluations && want > budget.evaluations - (int64_t)seen.count)
			want = budget.evaluations - (int64_t)seen.count;
		/* The generator starts from the seed and the batch's number alone: equal histories, equal batches. */
		struct rng rng = { (uint64_t)seed ^ (uint64_t)generation << 32, 0 };
		filling.search = &search;
		filling.batch = ARENA_ARRAY(&arena, struct candidate, want);
		point_set_init(&filling.made, &arena, 256);
		policy_ask(policy, &arena, &search, &rng, (size_t)want, take, &filling, &unanswered);
		if (unanswered.len)
			warn("%s", unanswered.buf);
		for (size_t i = 0; i < filling.count; i++) {
			filling.batch[i].seed = (uint64_t)seed;
			filling.batch[i].generation = generation;
			candidate_write(&filling.batch[i], &out);
		}
		if (!filling.count)
			spent = policy->is_outside ? "no proposals" : seen.count ? space_spent(&ps, &seen) : arena_printf(&arena, "space: no candidate: %s", filling.why_none.buf);
	}
	if (err.len)
		goto out;
	if (spent) {
		printf("%s\n", spent);
		code = KM_EXIT_NO;
	} else if (!strcmp(output, "-")) {
		fputs(out.buf, stdout);
		code = KM_EXIT_DONE;
	} else {
		code = file_publish(output, out.buf, out.len, &err) ? KM_EXIT_NOT_DURABLE : KM_EXIT_DONE;
	}
out:
	strbuf_release(&out);
	strbuf_release(&filling.why_none);
	strbuf_release(&unanswered);
	llm_close(search.llm);
	arena_release(&arena);
	space_close(&ps);
	return diag_report(&err, code);
}

static int show_llm(int argc, char **argv)
{
	static const struct cli_command command = {
		"llm", "", "lists the variables that a language model is asked by: name, value or default, meaning; and whether it can be", NULL
	};
	const struct cli_option options[] = { CLI_END };
	struct strbuf err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct llm_settings settings;

	cli_parse(argc, argv, &command, options, 0, 0);
	for (const struct llm_variable *v = llm_variables; v->name; v++) {
		const char *value = getenv(v->name);
		printf("%s\t%s\t%s\n", v->name, value && *value ? value : v->fallback ? v->fallback : "", v->help);
	}
	int bad = llm_settings_read(&arena, &settings, &err);
	if (!bad && (!settings.url || llm_client_missing()))
		strbuf_addstr(&err, settings.url ? llm_client_missing() : "no model: KM_LLM_URL and KM_LLM_MODEL are not set");
	arena_release(&arena);
	return diag_report(&err, bad ? KM_EXIT_USAGE : err.len ? KM_EXIT_NO : KM_EXIT_DONE);
}

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ "ops", "", "list operators", list_ops },
		{ "targets", "", "list targets", list_targets },
		{ "languages", "", "list languages", list_languages },
		{ "skeletons", "", "list skeletons", list_skeletons },
		{ "policies", "", "list search policies", list_policies },
		{ "check", "", "check operator declarations", check_ops },
		{ "coverage", "", "list what serves each operator, or why nothing does", show_coverage },
		{ "problems", "", "list the problems of a budget", list_problems },
		{ "describe", "PROBLEM...", "tell what a program needs to run problems", describe },
		{ "space", "", "show a problem's knob space", show_space },
		{ "emit", "", "make one candidate from its knobs", emit },
		{ "next", "", "propose the next batch of a search", next },
		{ "split", "FILE", "split evaluations over cells by expected gain", split_main },
		{ "replay", "", "run policies on spaces of which every point was measured", replay_main },
		{ "llm", "", "how a language model is asked", show_llm },
		{ NULL, NULL, NULL, NULL },
	};

	diag_tool = "km-generate";
	return cli_run(argc, argv, "Makes candidate kernels from operators.", commands);
}
