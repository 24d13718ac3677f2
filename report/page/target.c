/* One page per target, for bring-up: coverage, what fails and why, what is refused and why, what is slow, its facts. */
#include "report/html.h"
#include "report/report.h"

#include <string.h>

static void facts(struct strbuf *out, const char *name)
{
	struct strbuf err = STRBUF_INIT;
	const struct target *t = target_find(name, &err);

	strbuf_release(&err);
	if (!t)
		return;
	strbuf_addf(out, "<p>%s</p><dl><dt>artifact<dd>%s<dt>best state<dd>%s<dt>compiled for<dd><code>%s</code>", t->summary,
		    t->artifact, target_state_name(t->best_state), t->march ? t->march : "");
	if (t->vector_bytes)
		strbuf_addf(out, "<dt>vector registers<dd>%d of %d bytes", t->vector_reg_count, t->vector_bytes);
	if (t->warp > 1)
		strbuf_addf(out, "<dt>wavefront<dd>%d lanes<dt>local memory<dd>%lld bytes a block<dt>units<dd>%d", t->warp,
			    (long long)t->shared_bytes, t->core_count);
	if (t->peak_bytes_per_s > 0)
		strbuf_addf(out, "<dt>datasheet bandwidth<dd>%.3g GB/s", t->peak_bytes_per_s * 1e-9);
	strbuf_addstr(out, "</dl>\n");
}

/* The causes of failure, most frequent first, with one candidate and the compiler's or checker's words. */
static void causes(struct strbuf *out, struct report *report, size_t column)
{
	size_t count[VERDICT_COUNT] = { 0 };
	const struct evaluation *first[VERDICT_COUNT] = { NULL };

	for (size_t i = 0; i < report->op_count; i++) {
		const struct report_cell *cell = report_cell(report, i, column);
		for (size_t k = 0; k < cell->problem_count; k++)
			for (size_t n = 0; n < cell->problem[k].evaluation_count; n++) {
				const struct evaluation *e = cell->problem[k].evaluation[n];
				if (!count[e->verdict]++)
					first[e->verdict] = e;
			}
	}
	strbuf_addstr(out, "<h2>Outcomes</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>verdict<th class=\"n\">trials"
			   "<th>meaning<th>first seen in<th>words</tr></thead><tbody>\n");
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (count[v]) {
			strbuf_addf(out, "<tr><td>%s<td class=\"n\">%zu<td>%s<td>", verdict_name((enum verdict)v), count[v],
				    verdict_sentence((enum verdict)v));
			html_text(out, first[v]->problem);
			strbuf_addstr(out, "<td><code>");
			html_text(out, first[v]->detail);
			strbuf_addstr(out, "</code></tr>\n");
		}
	strbuf_addstr(out, "</tbody></table></div>\n");
}

static void coverage(struct strbuf *out, struct report *report, size_t column)
{
	strbuf_addstr(out, "<h2>Problems</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>problem<th>state<th class=\"n\">trials"
			   "<th class=\"n\">winner<th class=\"n\">over baseline<th class=\"n\">of light<th>strongest baseline</tr></thead><tbody>\n");
	for (size_t i = 0; i < report->op_count; i++) {
		const struct report_cell *cell = report_cell(report, i, column);
		if (!cell->problem_count)
			strbuf_addf(out, "<tr><td>%s<td class=\"soft\">not tried<td><td><td><td><td></tr>\n", cell->op);
		for (size_t k = 0; k < cell->problem_count; k++) {
			const struct report_problem *p = &cell->problem[k];
			const struct winner *w = p->winner;
			strbuf_addstr(out, "<tr><td><a href=\"");
			report_cell_file(cell, out);
			strbuf_addstr(out, "\">");
			html_text(out, p->problem);
			strbuf_addf(out, "</a><td>%s<td class=\"n\">%zu</td>",
				    cell->compiled_count ? target_state_name(cell->state) : "failed", p->evaluation_count);
			html_td_time(out, w ? w->time_ns : 0);
			html_td_ratio(out, w ? w->ratio : 0);
			html_td_percent(out, w ? w->sol_ratio : 0);
			strbuf_addstr(out, "<td>");
			html_text(out, w ? w->baseline : "");
			strbuf_addstr(out, "</tr>\n");
		}
	}
	strbuf_addstr(out, "</tbody></table></div>\n");
}

/* What the target's languages refuse of the operators at hand, and why. */
static void refusals(struct strbuf *out, struct report *report, size_t column)
{
	struct strbuf rows = STRBUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < report->op_count; i++)
		count += report_languages(report, report_cell(report, i, column), true, &rows);
	strbuf_addstr(out, count ? "<h2>Refused</h2>" REPORT_LANGUAGES_HEAD : "<p>No language of this target refuses one of these operators.</p>\n");
	strbuf_addstr(out, rows.buf);
	strbuf_addstr(out, count ? "</tbody></table></div>\n" : "");
	strbuf_release(&rows);
}

static int write_page(struct report *report, struct strbuf *err)
{
	int ret = 0;

	for (size_t k = 0; !ret && k < report->target_count; k++) {
		struct strbuf out = STRBUF_INIT, name = STRBUF_INIT;
		html_open(&out, report->target[k], report->target[k]);
		facts(&out, report->target[k]);
		coverage(&out, report, k);
		causes(&out, report, k);
		refusals(&out, report, k);
		html_close(&out);
		strbuf_addf(&name, "target-%s.html", report->target[k]);
		ret = report_publish(report, name.buf, &out, err);
		strbuf_release(&out);
		strbuf_release(&name);
	}
	return ret;
}

const struct page page_target = { .name = "target", .write = write_page };
