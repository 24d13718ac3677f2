/*
 * relatives.c: km-evaluate trace relatives: what did well for a problem's relatives, in traces.
 *
 * Who is near, nearest first:
 *   1. the same operator on the same target: another shape, dtype or number of threads
 *   2. the same operator on another target
 *   3. an operator of the same family (folder of ops/), on the same target
 *   4. one of the family on another target
 * and among those first the same dtype, then by how far apart the shapes are: of one operator the root of the sum of squares
 * of log2 of the ratios of extents (and of threads), of two that of the bytes that must be moved.  The problem itself on the same target is no
 * relative.  Of each the best trials by time that passed and that Kernelmill can print again.
 */
#include "evaluate/trace.h"
#include "generate/relatives.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kin {
	const char *problem, *target;
	int degree;            /* 1..4 as above */
	bool is_other_dtype;
	double distance;
	size_t first, count;   /* its trials */
};

struct good_trial {
	const char *problem, *target, *candidate, *knobs;
	size_t order;          /* of arrival */
	bool passed;
	double time_ns;
};

struct family_tree {
	struct arena arena;
	struct problem problem;
	const char *problem_text, *target;
	struct kin *kin;
	size_t kin_count, kin_capacity;
	struct good_trial *trial;
	size_t trial_count, trial_capacity;
};

static void *grow(void *array, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 256;
	array = realloc(array, *capacity * size);
	if (!array)
		die("out of memory for %zu relatives", *capacity);
	return array;
}

static double shapes_apart(const struct problem *a, const struct problem *b)
{
	double sum = 0;

	if (a->op != b->op)
		return fabs(log2((double)problem_least_bytes(a) + 1) - log2((double)problem_least_bytes(b) + 1));
	for (int d = 0; d < op_dim_count(a->op); d++)
		sum += pow(log2((double)a->dim[d] + 1) - log2((double)b->dim[d] + 1), 2);
	sum += pow(log2(a->threads) - log2(b->threads), 2);
	return sqrt(sum);
}

/* 1..4, or 0: no relative. */
static int degree_of(const struct family_tree *tree, const struct problem *p, const char *text, const char *target)
{
	char own[64], other[64];
	bool is_here = !strcmp(target, tree->target);

	if (p->op == tree->problem.op)
		return is_here ? (strcmp(text, tree->problem_text) ? 1 : 0) : 2;
	op_family(tree->problem.op, own, sizeof(own));
	op_family(p->op, other, sizeof(other));
	return strcmp(own, other) ? 0 : is_here ? 3 : 4;
}

/* Is the problem on that target related?  Each is asked about once. */
static bool is_kin(struct family_tree *tree, const char *text, const char *target)
{
	struct strbuf ignored = STRBUF_INIT;
	struct problem p;

	for (size_t i = 0; i < tree->kin_count; i++)
		if (!strcmp(tree->kin[i].problem, text) && !strcmp(tree->kin[i].target, target))
			return tree->kin[i].degree > 0;
	/* Of an operator that is no more, or another now: none. */
	struct kin kin = { .problem = text, .target = target };
	if (!problem_parse(text, &p, &ignored)) {
		kin.degree = degree_of(tree, &p, text, target);
		kin.is_other_dtype = p.dtype != tree->problem.dtype;
		kin.distance = shapes_apart(&tree->problem, &p);
	}
	strbuf_release(&ignored);
	tree->kin = grow(tree->kin, &tree->kin_capacity, tree->kin_count, sizeof(*tree->kin));
	tree->kin[tree->kin_count++] = kin;
	return kin.degree > 0;
}

static const char *target_of(const struct trace *trace, const char *environment)
{
	for (size_t i = 0; i < trace->environment_count; i++)
		if (!strcmp(trace->environment[i].id, environment))
			return trace->environment[i].target;
	return "";
}

static int gather(struct family_tree *tree, const char *path, struct strbuf *err)
{
	struct trace trace;

	if (trace_load(&tree->arena, path, &trace, err))
		return -1;
	for (size_t i = 0; i < trace.evaluation_count; i++) {
		const struct evaluation *e = &trace.evaluation[i];
		const char *target = target_of(&trace, e->environment);
		if (!is_kin(tree, e->problem, target))
			continue;
		const struct candidate *c = trace_candidate(&trace, e->candidate, e->problem);
		if (!c || strncmp(c->knobs, "skeleton=", 9) || strpbrk(c->knobs, "\t\n"))
			continue;
		tree->trial = grow(tree->trial, &tree->trial_capacity, tree->trial_count, sizeof(*tree->trial));
		tree->trial[tree->trial_count] = (struct good_trial){ e->problem, target, e->candidate, c->knobs, tree->trial_count,
								      e->verdict == VERDICT_PASSED && e->time_ns > 0, e->time_ns };
		tree->trial_count++;
	}
	return 0;
}

static int compare_place(const struct good_trial *a, const struct good_trial *b)
{
	int c = strcmp(a->problem, b->problem);

	return c ? c : strcmp(a->target, b->target);
}

/* By problem, target and candidate, its last word first. */
static int by_candidate(const void *x, const void *y)
{
	const struct good_trial *a = x, *b = y;
	int c = compare_place(a, b);

	c = c ? c : strcmp(a->candidate, b->candidate);
	return c ? c : (a->order < b->order) - (a->order > b->order);
}

/* By problem and target, fastest first; equal times by id. */
static int by_time(const void *x, const void *y)
{
	const struct good_trial *a = x, *b = y;
	int c = compare_place(a, b);

	return c ? c : a->time_ns != b->time_ns ? (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns) : strcmp(a->candidate, b->candidate);
}

static int by_nearness(const void *x, const void *y)
{
	const struct kin *a = x, *b = y;

	if (a->degree != b->degree)
		return a->degree - b->degree;
	if (a->is_other_dtype != b->is_other_dtype)
		return a->is_other_dtype - b->is_other_dtype;
	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	int c = strcmp(a->problem, b->problem);
	return c ? c : strcmp(a->target, b->target);
}

/* Leaves each candidate once, with its last word, where that is that it passed. */
static void keep_last_words(struct family_tree *tree)
{
	size_t kept = 0;

	if (tree->trial_count)
		qsort(tree->trial, tree->trial_count, sizeof(*tree->trial), by_candidate);
	for (size_t i = 0; i < tree->trial_count; i++) {
		const struct good_trial *before = i ? &tree->trial[i - 1] : NULL;
		/* What stands before it was not overwritten: kept <= i. */
		bool is_last_word = !before || compare_place(before, &tree->trial[i]) || strcmp(before->candidate, tree->trial[i].candidate);
		tree->trial[i].order = is_last_word;
	}
	for (size_t i = 0; i < tree->trial_count; i++)
		if (tree->trial[i].order && tree->trial[i].passed)
			tree->trial[kept++] = tree->trial[i];
	tree->trial_count = kept;
	if (kept)
		qsort(tree->trial, kept, sizeof(*tree->trial), by_time);
}

static void write_all(struct family_tree *tree, int64_t most, int64_t best, struct strbuf *out)
{
	int64_t written = 0;

	relatives_write_header(out);
	if (tree->kin_count)
		qsort(tree->kin, tree->kin_count, sizeof(*tree->kin), by_nearness);
	for (size_t i = 0; i < tree->kin_count && written < most; i++) {
		const struct kin *kin = &tree->kin[i];
		double fastest = 0;
		int64_t count = 0;
		for (size_t k = 0; kin->degree && k < tree->trial_count && count < best; k++) {
			const struct good_trial *t = &tree->trial[k];
			if (strcmp(t->problem, kin->problem) || strcmp(t->target, kin->target))
				continue;
			fastest = count ? fastest : t->time_ns;
			const char *from = arena_printf(&tree->arena, "%s on %s", t->problem, t->target);
			relatives_write(from, fastest / t->time_ns, t->knobs, out);
			count++;
		}
		written += count > 0;
	}
}

int trace_relatives(int argc, char **argv)
{
	const char *problem = NULL, *target = "native", *path = NULL, *extra_ops = NULL;
	int64_t most = 8, best = 4;
	static const struct cli_command command = { "trace relatives", "FILE|JOURNAL|FOLDER...",
		"Writes what did well for a problem's relatives (TSV: from, share, knobs), nearest first, for 'km-generate next --relatives'.", NULL };
	const struct cli_option options[] = {
		{ "problem", 0, CLI_STRING, &problem, "P", "whose relatives" },
		{ "target", 0, CLI_STRING, &target, "NAME", "and on which target [native]" },
		{ "most", 0, CLI_INT, &most, "N", "relatives [8]" },
		{ "best", 0, CLI_INT, &best, "N", "trials of each [4]" },
		{ "output", 'o', CLI_STRING, &path, "FILE", "file to write [-]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct family_tree tree = { 0 };
	int count = cli_parse(argc, argv, &command, options, 0, 1 << 20), ret = KM_EXIT_USAGE;

	if (!problem)
		usage("--problem is missing: see 'km-generate problems'");
	if (op_load_extra(extra_ops, &err)) {
		ret = KM_EXIT_FATAL;
		goto out;
	}
	const struct target *found = target_find(target, &err);
	if (!found || problem_parse(problem, &tree.problem, &err))
		goto out;
	tree.problem_text = problem;
	tree.target = found->name;
	ret = KM_EXIT_FATAL;
	for (int i = 1; i <= count; i++)
		if (gather(&tree, argv[i], &err))
			goto out;
	keep_last_words(&tree);
	write_all(&tree, most, best, &out);
	if (path && strcmp(path, "-"))
		ret = file_publish(path, out.buf, out.len, &err) ? KM_EXIT_NOT_DURABLE : KM_EXIT_DONE;
	else
		ret = fwrite(out.buf, 1, out.len, stdout) == out.len ? KM_EXIT_DONE : KM_EXIT_NOT_DURABLE;
out:
	free(tree.kin);
	free(tree.trial);
	arena_release(&tree.arena);
	strbuf_release(&out);
	return diag_report(&err, ret);
}
