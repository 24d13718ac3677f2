/*
 * report.h: what every page is made from: the traces, arranged as operator x
 * target cells.  Pages are static HTML that open from a file without network or
 * JavaScript; a little JavaScript sorts and filters tables where it is there.
 *
 * A page is a file report/page/<name>.c that exports one
 * `const struct page page_<name>`.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "evaluate/trace.h"

/* Everything known of one problem on one target.  Pointers into report->trace. */
struct report_problem {
	const char *problem;   /* "matmul/f32/M=1024,N=1024,K=1024/t1" */
	const char *target;
	const struct evaluation **evaluation; /* in order of arrival */
	size_t evaluation_count;
	const struct baseline_record **baseline;
	size_t baseline_count;
	const struct winner *winner; /* NULL: none */
	const struct stop *stop;     /* NULL: search not ended */
	size_t verdict_count[VERDICT_COUNT];
	double elapsed_s;
};

/* One operator on one target. */
struct report_cell {
	const char *op, *target;
	struct report_problem *problem;
	size_t problem_count;
	enum target_state state;    /* best state of any evaluation */
	size_t evaluation_count, passed_count, compiled_count;
	size_t saturated_count;     /* problems whose search ended because no win is possible */
	double ratio;               /* geometric mean of the winners' speedups over the strongest baseline; 0: none */
	double sol_ratio;           /* geometric mean of the share of the speed of light; 0: unknown */
};

struct report {
	struct arena arena;
	struct trace trace;
	const char *folder;         /* where pages go: OUT/report */
	const char **op;            /* rows of the matrix, by name */
	size_t op_count;
	const char **target;        /* columns */
	size_t target_count;
	struct report_cell *cell;   /* op_count x target_count; problem_count 0: empty */
};

struct page {
	const char *name;
	/* Writes its files below report->folder.  0, or -1 with *err. */
	int (*write)(struct report *report, struct strbuf *err);
};
extern const struct page *const page_table[];

/* Arranges report->trace.  0, or -1 with *err. */
int report_arrange(struct report *report, struct strbuf *err);
struct report_cell *report_cell(struct report *report, size_t op, size_t target);
const struct candidate *report_candidate(const struct report *report, const char *id);
const struct environment *report_environment(const struct report *report, const char *id);
/* A recorded fact of an evaluation ("spills"), or NaN. */
double report_fact(const struct evaluation *evaluation, const char *key);
/* "cell-<op>-<target>.html", "target-<target>.html" */
void report_cell_file(const struct report_cell *cell, struct strbuf *out);
/*
 * Rows of a table: operator, language, dtypes, the best state of its trials ("generated": none, but there are
 * candidates; "refused": there are none), and the skeletons that serve it, or why none does.  All languages of the
 * cell's target, tried or not, or refusals only.  How many rows.  (languages.c)
 */
size_t report_languages(const struct report *report, const struct report_cell *cell, bool refused_only, struct strbuf *out);
#define REPORT_LANGUAGES_HEAD "<div class=\"wrap\"><table class=\"sort\"><thead><tr><th>operator<th>language<th>dtypes<th>state<th>served by, or why not</tr></thead><tbody>\n"
/* Publishes one file of the report. */
int report_publish(const struct report *report, const char *name, const struct strbuf *text,
		   struct strbuf *err);

#endif
