/* search.html: which policies found the winners and at what cost, why searches ended, what warm starts were worth, and how the best grew. */
#include "generate/llm.h"
#include "generate/policy.h"
#include "report/html.h"
#include "report/report.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- candidates by id ------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
	const struct candidate *x = *(const struct candidate *const *)a, *y = *(const struct candidate *const *)b;
	int c = strcmp(x->id, y->id);

	return c ? c : strcmp(x->problem, y->problem);
}

struct book {
	struct report *report;
	const struct candidate **candidate; /* by id and problem */
	struct policy_row *policy;
	size_t policy_count;
};

static const struct candidate *find(const struct book *book, const char *id, const char *problem)
{
	struct candidate wanted = { .problem = problem };
	const struct candidate *key = &wanted;

	if (strlen(id) >= sizeof(wanted.id))
		return NULL;
	memcpy(wanted.id, id, strlen(id) + 1);
	const struct candidate **found = bsearch(&key, book->candidate, book->report->trace.candidate_count, sizeof(*book->candidate), by_id);
	return found ? *found : NULL;
}

/* ---- policies -------------------------------------------------------- */

struct policy_row {
	const char *name;
	size_t trials, passed, bests, winners, problems;
	double seconds, log_ratio;
	const struct report_problem *last; /* counted already */
};

static struct policy_row *row_of(struct book *book, const char *name)
{
	for (size_t i = 0; i < book->policy_count; i++)
		if (!strcmp(book->policy[i].name, name))
			return &book->policy[i];
	if (!(book->policy_count & (book->policy_count - 1))) {
		struct policy_row *grown = ARENA_ARRAY(&book->report->arena, struct policy_row, 2 * book->policy_count + 1);
		if (book->policy_count)
			memcpy(grown, book->policy, book->policy_count * sizeof(*grown));
		book->policy = grown;
	}
	book->policy[book->policy_count] = (struct policy_row){ .name = name };
	return &book->policy[book->policy_count++];
}

/* What each policy did for one problem: trials in order, each costs what passed since the one before. */
static void count_problem(struct book *book, const struct report_problem *p)
{
	double best = 0, elapsed = 0;

	for (size_t i = 0; i < p->evaluation_count; i++) {
		const struct evaluation *e = p->evaluation[i];
		const struct candidate *c = find(book, e->candidate, e->problem);
		struct policy_row *row = row_of(book, c && *c->policy ? c->policy : "unknown");
		row->trials++;
		row->passed += e->verdict == VERDICT_PASSED;
		row->seconds += fmax(0, e->elapsed_s - elapsed);
		elapsed = fmax(elapsed, e->elapsed_s);
		if (row->last != p)
			row->problems++;
		row->last = p;
		if (e->fitness > best) {
			best = e->fitness;
			row->bests++;
		}
	}
	if (!p->winner)
		return;
	const struct candidate *c = find(book, p->winner->candidate, p->winner->problem);
	struct policy_row *row = row_of(book, c && *c->policy ? c->policy : "unknown");
	row->winners++;
	row->log_ratio += p->winner->ratio > 0 ? log(p->winner->ratio) : 0;
}

static int by_winners(const void *a, const void *b)
{
	const struct policy_row *x = a, *y = b;

	return x->winners != y->winners ? (x->winners < y->winners) - (x->winners > y->winners) : strcmp(x->name, y->name);
}

static void policies(struct strbuf *out, struct book *book)
{
	if (book->policy_count)
		qsort(book->policy, book->policy_count, sizeof(*book->policy), by_winners);
	strbuf_addstr(out, "<h2>Who found it</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>policy<th class=\"n\">problems"
			   "<th class=\"n\">trials<th class=\"n\">passed<th class=\"n\">seconds<th class=\"n\">new bests<th class=\"n\">winners"
			   "<th class=\"n\">winners over baseline</tr></thead><tbody>\n");
	for (size_t i = 0; i < book->policy_count; i++) {
		const struct policy_row *r = &book->policy[i];
		strbuf_addstr(out, "<tr><th scope=\"row\">");
		html_text(out, r->name);
		strbuf_addf(out, "</th><td class=\"n\">%zu<td class=\"n\">%zu<td class=\"n\">%zu<td class=\"n\">%.1f<td class=\"n\">%zu<td class=\"n\">%zu</td>",
			    r->problems, r->trials, r->passed, r->seconds, r->bests, r->winners);
		html_td_ratio(out, r->winners ? exp(r->log_ratio / (double)r->winners) : 0);
		strbuf_addstr(out, "</tr>\n");
	}
	strbuf_addstr(out, "</tbody></table></div>\n<p class=\"soft\">Seconds are of evaluation: compiling, checking and timing. A new best is a trial faster than "
			   "all before it on its problem. The last column is the geometric mean over the winners of a policy; policies that "
			   "were not given the same problems cannot be compared by it.</p>\n");
}

/* ---- ends ------------------------------------------------------------ */

/* The reason without what differs from problem to problem. */
static size_t kind_length(const char *reason)
{
	return strncmp(reason, STOP_NO_WIN, strlen(STOP_NO_WIN)) ? strcspn(reason, ":") : strlen(reason);
}

static void stops(struct strbuf *out, const struct report *report)
{
	struct strbuf done = STRBUF_INIT;
	size_t open = 0;

	strbuf_addstr(out, "<h2>Why searches ended</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>reason<th class=\"n\">problems<th>the first of them</tr></thead><tbody>\n");
	for (size_t i = 0; i < report->trace.stop_count; i++) {
		const char *reason = report->trace.stop[i].reason;
		size_t n = kind_length(reason), count = 0;
		struct strbuf key = STRBUF_INIT;
		strbuf_addf(&key, "\n%.*s\n", (int)n, reason);
		if (!strstr(done.buf, key.buf)) {
			for (size_t k = i; k < report->trace.stop_count; k++)
				count += kind_length(report->trace.stop[k].reason) == n && !strncmp(report->trace.stop[k].reason, reason, n);
			strbuf_addstr(out, "<tr><td>");
			html_text(out, arena_strndup((struct arena *)&report->arena, reason, n));
			strbuf_addf(out, "<td class=\"n\">%zu<td>", count);
			html_text(out, report->trace.stop[i].problem);
			strbuf_addstr(out, "</tr>\n");
			strbuf_addstr(&done, key.buf);
		}
		strbuf_release(&key);
	}
	for (size_t i = 0; i < report->op_count * report->target_count; i++)
		for (size_t k = 0; k < report->cell[i].problem_count; k++)
			open += !report->cell[i].problem[k].stop;
	if (open)
		strbuf_addf(out, "<tr><td class=\"mid\">not ended<td class=\"n\">%zu<td></tr>\n", open);
	strbuf_addstr(out, "</tbody></table></div>\n<p class=\"soft\">\"No win possible\": the strongest baseline reaches the speed of light itself, or "
			   "every candidate was tried and none beat it.</p>\n");
	strbuf_release(&done);
}

/* ---- warm starts ----------------------------------------------------- */

struct warmth {
	size_t problems, from_relatives;
	double share; /* sum: best after the first batch by the best of all */
};

/* The best after the first batch by the best of all, or 0: nothing passed.  *is_warm: was it begun with what relatives knew?  *by_relative: does the winner come of that? */
static double first_share(const struct book *book, const struct report_problem *p, bool *is_warm, bool *by_relative)
{
	double best = 0, first = 0;

	*is_warm = *by_relative = false;
	for (size_t i = 0; i < p->evaluation_count; i++) {
		const struct evaluation *e = p->evaluation[i];
		const struct candidate *c = find(book, e->candidate, e->problem);
		best = fmax(best, e->fitness);
		if (c && !c->generation)
			first = fmax(first, e->fitness);
		*is_warm |= c && !c->generation && !strcmp(c->edge, "relative");
	}
	const struct candidate *c = p->winner ? find(book, p->winner->candidate, p->problem) : NULL;
	/* Parents were there before their children: the walk ends. */
	for (size_t steps = 0; c && *c->parent && steps < p->evaluation_count; steps++)
		c = find(book, c->parent, p->problem);
	*by_relative = c && !strcmp(c->edge, "relative");
	return best > 0 ? first / best : 0;
}

static void warm_starts(struct strbuf *out, const struct book *book)
{
	struct warmth warmth[2] = { { 0 } };

	for (size_t i = 0; i < book->report->op_count * book->report->target_count; i++)
		for (size_t k = 0; k < book->report->cell[i].problem_count; k++) {
			bool is_warm, by_relative;
			double share = first_share(book, &book->report->cell[i].problem[k], &is_warm, &by_relative);
			struct warmth *w = &warmth[is_warm];
			w->problems += share > 0;
			w->share += share;
			w->from_relatives += by_relative;
		}
	strbuf_addstr(out, "<h2>What warm starts were worth</h2><div class=\"wrap\"><table><thead><tr><th>began<th class=\"n\">problems"
			   "<th class=\"n\">best after the first batch, by the best of all<th class=\"n\">winners that come of a relative's point</tr></thead><tbody>\n");
	for (int warm = 1; warm >= 0; warm--) {
		const struct warmth *w = &warmth[warm];
		strbuf_addf(out, "<tr><td>%s<td class=\"n\">%zu</td>", warm ? "with what relatives knew" : "cold", w->problems);
		html_td_percent(out, w->problems ? w->share / (double)w->problems : 0);
		strbuf_addf(out, "<td class=\"n\">%zu</tr>\n", w->from_relatives);
	}
	strbuf_addstr(out, "</tbody></table></div>\n<p class=\"soft\">Both rows are of different problems: they show how far a first batch came, not the same search twice.</p>\n");
}

/* ---- language models ------------------------------------------------- */

/* The first exchange with each model has the model's row. */
static bool is_first_of_model(const struct trace *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(t->exchange[k].model, t->exchange[i].model))
			return false;
	return true;
}

static void model_row(struct strbuf *out, const struct trace *t, const char *model)
{
	size_t count = 0, answered = 0, unfit = 0;
	int64_t prompt = 0, answer = 0, retries = 0;
	double cost = 0, seconds = 0;

	for (size_t i = 0; i < t->exchange_count; i++) {
		const struct exchange *x = &t->exchange[i];
		if (strcmp(x->model, model))
			continue;
		count++;
		answered += *x->candidates != 0;
		unfit += !strcmp(x->outcome, LLM_UNFIT);
		prompt += x->prompt_tokens;
		answer += x->answer_tokens;
		retries += x->retries;
		cost += x->cost;
		seconds += x->latency_s;
	}
	strbuf_addstr(out, "<tr><th scope=\"row\">");
	html_text(out, model);
	strbuf_addf(out, "</th><td class=\"n\">%zu<td class=\"n\">%zu<td class=\"n\">%zu<td class=\"n\">%lld<td class=\"n\">%lld<td class=\"n\">%.4g<td class=\"n\">%.1f<td class=\"n\">%lld</tr>\n",
		    count, answered, unfit, (long long)prompt, (long long)answer, cost, seconds, (long long)retries);
}

static void models(struct strbuf *out, const struct trace *t)
{
	if (!t->exchange_count)
		return;
	strbuf_addstr(out, "<h2>What language models were asked</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>model<th class=\"n\">exchanges"
			   "<th class=\"n\">gave candidates<th class=\"n\">nothing to try<th class=\"n\">tokens asked<th class=\"n\">tokens answered<th class=\"n\">cost"
			   "<th class=\"n\">seconds waited<th class=\"n\">retries</tr></thead><tbody>\n");
	for (size_t i = 0; i < t->exchange_count; i++)
		if (is_first_of_model(t, i))
			model_row(out, t, t->exchange[i].model);
	strbuf_addstr(out, "</tbody></table></div>\n<p class=\"soft\">Cost is by the prices that the campaign was given, 0 without. What came of the candidates is in the rows of policy llm.</p>\n");
}

/* ---- curves ---------------------------------------------------------- */

/* The best so far by the best of all, trial by trial, against trials and against seconds. */
static struct svg_line line_of(struct report *report, const struct report_problem *p, bool is_time)
{
	struct svg_line line = { ARENA_ARRAY(&report->arena, double, p->evaluation_count + 1), ARENA_ARRAY(&report->arena, double, p->evaluation_count + 1),
				 p->evaluation_count };
	double best = 0, all = 0, elapsed = 0;

	for (size_t i = 0; i < p->evaluation_count; i++)
		all = fmax(all, p->evaluation[i]->fitness);
	for (size_t i = 0; i < p->evaluation_count; i++) {
		best = fmax(best, p->evaluation[i]->fitness);
		elapsed = fmax(elapsed, p->evaluation[i]->elapsed_s);
		line.x[i] = is_time ? elapsed : (double)(i + 1);
		line.y[i] = all > 0 ? best / all : 0;
	}
	if (!(all > 0))
		line.count = 0;
	return line;
}

static void chart(struct strbuf *out, struct report *report, const struct report_cell *cell, bool is_time)
{
	struct svg_line *line = ARENA_ARRAY(&report->arena, struct svg_line, cell->problem_count + 1);
	struct strbuf label = STRBUF_INIT;

	for (size_t i = 0; i < cell->problem_count; i++)
		line[i] = line_of(report, &cell->problem[i], is_time);
	strbuf_addf(&label, "%s on %s: best so far by the best of all, a line for each of %zu problems, against %s", cell->op, cell->target, cell->problem_count,
		    is_time ? "seconds of evaluation" : "trials");
	svg_lines(out, line, cell->problem_count, is_time ? "s" : "trials", label.buf);
	strbuf_release(&label);
}

static void curves(struct strbuf *out, struct report *report)
{
	enum { OPEN = 6 };
	size_t shown = 0;

	strbuf_addstr(out, "<h2>How the best grew</h2>\n<p class=\"soft\">The best so far by the best of all, a line for each problem: on the left against trials, on the right "
			   "against seconds of evaluation.</p>\n");
	for (size_t i = 0; i < report->op_count * report->target_count; i++) {
		const struct report_cell *cell = &report->cell[i];
		size_t passed = 0;
		for (size_t k = 0; k < cell->problem_count; k++)
			for (size_t n = 0; n < cell->problem[k].evaluation_count; n++)
				passed += cell->problem[k].evaluation[n]->fitness > 0;
		if (!passed)
			continue;
		strbuf_addf(out, "<details%s><summary>%s on %s</summary><p><a href=\"", shown++ < OPEN ? " open" : "", cell->op, cell->target);
		report_cell_file(cell, out);
		strbuf_addstr(out, "\">its trials</a></p><div style=\"display:flex;flex-wrap:wrap\">\n");
		chart(out, report, cell, false);
		chart(out, report, cell, true);
		strbuf_addstr(out, "</div></details>\n");
	}
	if (!shown)
		strbuf_addstr(out, "<p>Nothing was timed.</p>\n");
}

static int write_page(struct report *report, struct strbuf *err)
{
	const struct trace *t = &report->trace;
	struct book book = { .report = report, .candidate = ARENA_ARRAY(&report->arena, const struct candidate *, t->candidate_count + 1) };
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < t->candidate_count; i++)
		book.candidate[i] = &t->candidate[i];
	if (t->candidate_count)
		qsort(book.candidate, t->candidate_count, sizeof(*book.candidate), by_id);
	for (size_t i = 0; i < report->op_count * report->target_count; i++)
		for (size_t k = 0; k < report->cell[i].problem_count; k++)
			count_problem(&book, &report->cell[i].problem[k]);
	html_open(&out, "The search", "the search");
	policies(&out, &book);
	stops(&out, report);
	warm_starts(&out, &book);
	models(&out, t);
	curves(&out, report);
	html_close(&out);
	int ret = report_publish(report, "search.html", &out, err);
	strbuf_release(&out);
	return ret;
}

const struct page page_search = { .name = "search", .write = write_page };
