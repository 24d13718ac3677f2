/* One page per operator and target: baselines, winner, search curve, source, failures, every trial. */
#include "evaluate/measure.h"
#include "report/html.h"
#include "report/report.h"
#include "report/svg.h"

#include <math.h>
#include <string.h>

static void baselines(struct strbuf *out, const struct report_problem *p)
{
	if (!p->baseline_count && !p->winner)
		return;
	strbuf_addstr(out, "<div class=\"wrap\"><table><thead><tr><th>kernel<th class=\"n\">median time<th>setting</tr></thead><tbody>\n");
	for (size_t i = 0; i < p->baseline_count; i++) {
		strbuf_addstr(out, "<tr><td>");
		html_text(out, p->baseline[i]->name);
		strbuf_addstr(out, "</td>");
		html_td_time(out, p->baseline[i]->time_ns);
		strbuf_addstr(out, "<td>");
		html_text(out, p->baseline[i]->setting);
		strbuf_addstr(out, "</tr>\n");
	}
	if (p->winner) {
		strbuf_addf(out, "<tr class=\"good\"><td>winner <code>%s</code></td>", p->winner->candidate);
		html_td_time(out, p->winner->time_ns);
		strbuf_addf(out, "<td>recompiled alone, rechecked, %s</tr>\n",
			    strcmp(p->winner->judged_by, "clock") ? "timed from outside its process" : "timed again by its own process");
	}
	strbuf_addstr(out, "</tbody></table></div>\n");
}

static void row(struct strbuf *out, const char *name, const char *fmt, double a, double b, double c)
{
	strbuf_addf(out, "<dt>%s<dd>", name);
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
	strbuf_addf(out, fmt, a, b, c);
	_Pragma("GCC diagnostic pop")
}

/* The best trial whose arithmetic is that of the problem's dtypes, where the winner's is not. */
static void strict_time(struct strbuf *out, const struct report *report, const struct report_problem *p)
{
	const struct evaluation *best = NULL;

	for (size_t i = 0; i < p->evaluation_count; i++) {
		const struct evaluation *e = p->evaluation[i];
		const struct candidate *c = report_candidate(report, e->candidate);
		if (c && !strcmp(c->precision, CANDIDATE_STRICT) && e->verdict == VERDICT_PASSED && (!best || e->time_ns < best->time_ns))
			best = e;
	}
	if (best)
		row(out, "best trial in strict arithmetic", "%.4g times the winner's time", best->time_ns / p->winner->time_ns, 0, 0);
}

static void winner(struct strbuf *out, const struct report *report, const struct report_problem *p)
{
	const struct winner *w = p->winner;
	const struct candidate *c = w ? report_candidate(report, w->candidate) : NULL;

	if (!w) {
		strbuf_addstr(out, "<p>No winner: this state claims no speed, or no trial passed.</p>\n");
		return;
	}
	strbuf_addstr(out, "<dl>");
	strbuf_addstr(out, "<dt>against the strongest baseline (");
	html_text(out, w->baseline);
	strbuf_addf(out, ")<dd>%.2fx, " MEASURE_CONFIDENCE_TEXT "% interval %.2f to %.2f", w->ratio, w->ratio_low, w->ratio_high);
	row(out, "against the -O3 loop nest", "%.2fx, " MEASURE_CONFIDENCE_TEXT "% interval %.2f to %.2f", w->loopnest_ratio,
	    w->loopnest_low, w->loopnest_high);
	row(out, "one call", "%.6g ns, interval %.6g to %.6g", w->time_ns, w->low_ns, w->high_ns);
	row(out, "the same as raced, by its process's own clock", "%.6g ns, quartiles %.6g to %.6g", w->raced_ns, w->raced_low_ns, w->raced_high_ns);
	if (w->sol_ratio > 0)
		row(out, "share of the speed of light", "%.0f %%", 100 * w->sol_ratio, 0, 0);
	row(out, "largest error over allowed error", "%.3f", w->tolerance_ratio, 0, 0);
	if (c) {
		strbuf_addstr(out, "<dt>arithmetic<dd>");
		html_text(out, c->precision);
		if (strcmp(c->precision, CANDIDATE_STRICT))
			strict_time(out, report, p);
		strbuf_addstr(out, "<dt>knobs<dd><code>");
		html_text(out, c->knobs);
		strbuf_addstr(out, "</code>");
	}
	if (*w->ties) {
		strbuf_addstr(out, "<dt>within the noise of it<dd><code>");
		html_text(out, w->ties);
		strbuf_addstr(out, "</code>");
	}
	strbuf_addstr(out, "</dl>\n");
	if (!c)
		return;
	if (*c->tile) {
		strbuf_addstr(out, "<details><summary>Winner's tile program</summary><pre tabindex=\"0\">");
		html_text(out, c->tile);
		strbuf_addstr(out, "</pre></details>\n");
	}
	strbuf_addf(out, "<details><summary>Winner's source (%s)</summary><pre tabindex=\"0\">", c->lang);
	html_text(out, c->source);
	strbuf_addstr(out, "</pre></details>\n");
}

static void failures(struct strbuf *out, const struct report_problem *p)
{
	bool any = false;

	for (int v = 0; v < VERDICT_COUNT; v++) {
		if (v == VERDICT_PASSED || v == VERDICT_NOT_MEASURED || !p->verdict_count[v])
			continue;
		if (!any)
			strbuf_addstr(out, "<h3>Failures</h3><div class=\"wrap\"><table><thead><tr><th>verdict<th class=\"n\">trials"
					   "<th>meaning<th>first one's words</tr></thead><tbody>\n");
		any = true;
		strbuf_addf(out, "<tr><td class=\"bad\">%s<td class=\"n\">%zu<td>%s<td>", verdict_name((enum verdict)v),
			    p->verdict_count[v], verdict_sentence((enum verdict)v));
		for (size_t i = 0; i < p->evaluation_count; i++)
			if (p->evaluation[i]->verdict == (enum verdict)v) {
				strbuf_addstr(out, "<code>");
				html_text(out, p->evaluation[i]->detail);
				strbuf_addf(out, "</code> (%s)", p->evaluation[i]->candidate);
				break;
			}
		strbuf_addstr(out, "</tr>\n");
	}
	if (any)
		strbuf_addstr(out, "</tbody></table></div>\n");
}

static void trial_facts(struct strbuf *out, const struct evaluation *e)
{
	for (size_t i = 0; i < e->fact_count; i++)
		strbuf_addf(out, "%s%s=%.6g", i ? " " : "", e->fact[i].key, e->fact[i].value);
}

static void trials(struct strbuf *out, const struct report *report, const struct report_problem *p)
{
	strbuf_addf(out, "<details><summary>All %zu trials</summary><div class=\"wrap\"><table class=\"sort\"><thead><tr>"
			 "<th class=\"n\">trial<th>candidate<th>verdict<th class=\"n\">time<th class=\"n\">fitness"
			 "<th class=\"n\">error/allowed<th>arithmetic<th>from<th>knobs<th>facts</tr></thead><tbody>\n",
		    p->evaluation_count);
	for (size_t i = 0; i < p->evaluation_count; i++) {
		const struct evaluation *e = p->evaluation[i];
		const struct candidate *c = report_candidate(report, e->candidate);
		strbuf_addf(out, "<tr title=\"");
		html_text(out, e->reproduce);
		strbuf_addf(out, "\"><td class=\"n\">%zu<td><code>%s</code><td>%s</td>", i + 1, e->candidate, verdict_name(e->verdict));
		html_td_time(out, e->time_ns);
		html_td_ratio(out, e->fitness);
		strbuf_addf(out, "<td class=\"n\">%.3g<td>", e->tolerance_ratio);
		html_text(out, c ? c->precision : "");
		strbuf_addstr(out, "<td>");
		html_text(out, c ? c->edge : "");
		strbuf_addstr(out, "<td><code>");
		html_text(out, c ? c->knobs : "");
		strbuf_addstr(out, "</code><td>");
		trial_facts(out, e);
		strbuf_addstr(out, "</tr>\n");
	}
	strbuf_addstr(out, "</tbody></table></div></details>\n");
}

static void one_problem(struct strbuf *out, const struct report *report, const struct report_problem *p)
{
	double *fitness = ARENA_ARRAY((struct arena *)&report->arena, double, p->evaluation_count + 1);
	struct strbuf label = STRBUF_INIT;
	double best = 0;

	for (size_t i = 0; i < p->evaluation_count; i++) {
		fitness[i] = p->evaluation[i]->fitness;
		best = fmax(best, fitness[i]);
	}
	strbuf_addstr(out, "<h2>");
	html_text(out, p->problem);
	strbuf_addf(out, "</h2>\n<p>%zu trials in %.1f s of evaluation", p->evaluation_count, p->elapsed_s);
	if (p->stop)
		strbuf_addf(out, ", stopped by %s", p->stop->reason);
	strbuf_addstr(out, ".</p>\n");
	baselines(out, p);
	winner(out, report, p);
	if (best > 0) {
		strbuf_addf(&label, "fitness of %zu trials in order; the best reaches %.2f", p->evaluation_count, best);
		strbuf_addstr(out, "<h3>Search: speed over the strongest baseline, trial by trial</h3>\n");
		svg_search_curve(out, fitness, p->evaluation_count, label.buf);
	}
	failures(out, p);
	trials(out, report, p);
	strbuf_release(&label);
}

static int write_cell(struct report *report, const struct report_cell *cell, struct strbuf *err)
{
	struct strbuf out = STRBUF_INIT, name = STRBUF_INIT, title = STRBUF_INIT;

	strbuf_addf(&title, "%s on %s", cell->op, cell->target);
	html_open(&out, title.buf, title.buf);
	strbuf_addf(&out, "<p>State: %s.</p>\n", target_state_name(cell->state));
	for (size_t i = 0; i < cell->problem_count; i++)
		one_problem(&out, report, &cell->problem[i]);
	strbuf_addstr(&out, "<h2>Languages</h2>" REPORT_LANGUAGES_HEAD);
	report_languages(report, cell, false, &out);
	strbuf_addstr(&out, "</tbody></table></div>\n");
	html_close(&out);
	report_cell_file(cell, &name);
	int ret = report_publish(report, name.buf, &out, err);
	strbuf_release(&out);
	strbuf_release(&name);
	strbuf_release(&title);
	return ret;
}

static int write_page(struct report *report, struct strbuf *err)
{
	for (size_t i = 0; i < report->op_count * report->target_count; i++)
		if (report->cell[i].problem_count && write_cell(report, &report->cell[i], err))
			return -1;
	return 0;
}

const struct page page_cell = { .name = "cell", .write = write_page };
