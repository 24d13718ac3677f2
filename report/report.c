#include "report/report.h"
#include "generate/policy.h"
#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct page page_##name;
#include "report/page.list"
#undef X

const struct page *const page_table[] = {
#define X(name) &page_##name,
#include "report/page.list"
#undef X
	NULL
};

const struct environment *report_environment(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->trace.environment_count; i++)
		if (!strcmp(report->trace.environment[i].id, id))
			return &report->trace.environment[i];
	return NULL;
}

const struct candidate *report_candidate(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->trace.candidate_count; i++)
		if (!strcmp(report->trace.candidate[i].id, id))
			return &report->trace.candidate[i];
	return NULL;
}

double report_fact(const struct evaluation *evaluation, const char *key)
{
	for (size_t i = 0; i < evaluation->fact_count; i++)
		if (!strcmp(evaluation->fact[i].key, key))
			return evaluation->fact[i].value;
	return NAN;
}

struct report_cell *report_cell(struct report *report, size_t op, size_t target)
{
	return &report->cell[op * report->target_count + target];
}

void report_cell_file(const struct report_cell *cell, struct strbuf *out)
{
	strbuf_addf(out, "cell-%s-%s.html", cell->op, cell->target);
}

int report_publish(const struct report *report, const char *name, const struct strbuf *text,
		   struct strbuf *err)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", report->folder, name);
	int ret = file_publish(path.buf, text->buf, text->len, err);
	strbuf_release(&path);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds `name` to a sorted-later set of names. */
static void add_name(const char **set, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (!strcmp(set[i], name))
			return;
	set[(*count)++] = name;
}

static const char *op_of(struct arena *arena, const char *problem)
{
	return arena_strndup(arena, problem, strcspn(problem, "/"));
}

static const char *target_of(const struct report *report, const char *environment)
{
	const struct environment *e = report_environment(report, environment);
	return e ? e->target : "unknown";
}

static size_t position(const char **set, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(set[i], name))
			return i;
	return count;
}

/* The slot of a problem in its cell, made when new. */
static struct report_problem *slot(struct report *report, const char *problem, const char *environment)
{
	const char *target = target_of(report, environment);
	size_t op = position(report->op, report->op_count, op_of(&report->arena, problem));
	size_t column = position(report->target, report->target_count, target);
	struct report_cell *cell = report_cell(report, op, column);

	for (size_t i = 0; i < cell->problem_count; i++)
		if (!strcmp(cell->problem[i].problem, problem))
			return &cell->problem[i];
	if (!(cell->problem_count & (cell->problem_count - 1))) {
		struct report_problem *grown =
			ARENA_ARRAY(&report->arena, struct report_problem, 2 * cell->problem_count + 1);
		memcpy(grown, cell->problem, cell->problem_count * sizeof(*grown));
		cell->problem = grown;
	}
	struct report_problem *p = &cell->problem[cell->problem_count++];
	*p = (struct report_problem){ .problem = problem, .target = target };
	p->evaluation = ARENA_ARRAY(&report->arena, const struct evaluation *, report->trace.evaluation_count);
	p->baseline = ARENA_ARRAY(&report->arena, const struct baseline_record *, report->trace.baseline_count + 1);
	return p;
}

static void sum_up(struct report_cell *cell)
{
	double log_ratio = 0, log_sol = 0;
	int ratios = 0, sols = 0;

	cell->state = STATE_GENERATED;
	for (size_t i = 0; i < cell->problem_count; i++) {
		struct report_problem *p = &cell->problem[i];
		for (size_t k = 0; k < p->evaluation_count; k++) {
			const struct evaluation *e = p->evaluation[k];
			cell->evaluation_count++;
			cell->passed_count += e->verdict == VERDICT_PASSED;
			cell->compiled_count += e->verdict == VERDICT_PASSED || e->verdict == VERDICT_NOT_MEASURED;
			if (e->state < cell->state && (e->verdict == VERDICT_PASSED || e->verdict == VERDICT_NOT_MEASURED))
				cell->state = e->state;
		}
		cell->saturated_count += p->stop && !strncmp(p->stop->reason, STOP_NO_WIN, strlen(STOP_NO_WIN));
		if (p->winner && p->winner->ratio > 0) {
			log_ratio += log(p->winner->ratio);
			ratios++;
		}
		if (p->winner && p->winner->sol_ratio > 0) {
			log_sol += log(p->winner->sol_ratio);
			sols++;
		}
	}
	cell->ratio = ratios ? exp(log_ratio / ratios) : 0;
	cell->sol_ratio = sols ? exp(log_sol / sols) : 0;
}

int report_arrange(struct report *report, struct strbuf *err)
{
	const struct trace *t = &report->trace;
	struct arena *arena = &report->arena;
	size_t declared = 0;

	while (op_at(declared))
		declared++;
	report->op = ARENA_ARRAY(arena, const char *, declared + t->evaluation_count + 1);
	report->target = ARENA_ARRAY(arena, const char *, t->environment_count + 2);
	for (size_t i = 0; i < declared; i++)
		add_name(report->op, &report->op_count, op_at(i)->name);
	for (size_t i = 0; i < t->evaluation_count; i++) {
		if (!report_environment(report, t->evaluation[i].environment)) {
			strbuf_addf(err, "evaluation of '%s' names no known environment: run 'km-evaluate trace validate'",
				    t->evaluation[i].candidate);
			return -1;
		}
		add_name(report->op, &report->op_count, op_of(arena, t->evaluation[i].problem));
	}
	for (size_t i = 0; i < t->environment_count; i++)
		add_name(report->target, &report->target_count, t->environment[i].target);
	qsort(report->op, report->op_count, sizeof(*report->op), by_name);
	qsort(report->target, report->target_count, sizeof(*report->target), by_name);
	report->cell = ARENA_ARRAY(arena, struct report_cell, report->op_count * report->target_count + 1);
	for (size_t i = 0; i < report->op_count; i++)
		for (size_t k = 0; k < report->target_count; k++) {
			report_cell(report, i, k)->op = report->op[i];
			report_cell(report, i, k)->target = report->target[k];
		}
	for (size_t i = 0; i < t->evaluation_count; i++) {
		const struct evaluation *e = &t->evaluation[i];
		struct report_problem *p = slot(report, e->problem, e->environment);
		p->evaluation[p->evaluation_count++] = e;
		p->verdict_count[e->verdict]++;
		p->elapsed_s = fmax(p->elapsed_s, e->elapsed_s);
	}
	for (size_t i = 0; i < t->baseline_count; i++) {
		struct report_problem *p = slot(report, t->baseline[i].problem, t->baseline[i].environment);
		p->baseline[p->baseline_count++] = &t->baseline[i];
	}
	for (size_t i = 0; i < t->winner_count; i++)
		slot(report, t->winner[i].problem, t->winner[i].environment)->winner = &t->winner[i];
	for (size_t i = 0; i < t->stop_count; i++)
		for (size_t k = 0; k < report->op_count * report->target_count; k++)
			for (size_t n = 0; n < report->cell[k].problem_count; n++)
				if (!strcmp(report->cell[k].problem[n].problem, t->stop[i].problem))
					report->cell[k].problem[n].stop = &t->stop[i];
	for (size_t i = 0; i < report->op_count * report->target_count; i++)
		sum_up(&report->cell[i]);
	return 0;
}
