/* The front page: operator x target, by state and speed; what it cost; where it ran. */
#include "report/html.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

static void range_of_fact(const struct report_cell *cell, const char *key, double *low, double *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (size_t i = 0; i < cell->problem_count; i++)
		for (size_t k = 0; k < cell->problem[i].evaluation_count; k++) {
			double v = report_fact(cell->problem[i].evaluation[k], key);
			if (isfinite(v)) {
				*low = fmin(*low, v);
				*high = fmax(*high, v);
			}
		}
}

static void fact(struct strbuf *out, const struct report_cell *cell, const char *key, const char *label)
{
	double low, high;

	range_of_fact(cell, key, &low, &high);
	if (!(low <= high))
		return;
	if (low == high)
		strbuf_addf(out, "<br>%s %.0f", label, low);
	else
		strbuf_addf(out, "<br>%s %.0f..%.0f", label, low, high);
}

static void matrix_cell(struct strbuf *out, const struct report_cell *cell)
{
	if (!cell->problem_count) {
		strbuf_addstr(out, "<td class=\"soft\">not tried</td>");
		return;
	}
	bool measured = cell->state == STATE_MEASURED && cell->ratio > 0;
	bool nothing = !cell->compiled_count;
	const char *look = nothing ? "bad" : measured ? (cell->ratio >= 1 ? "good" : "mid") : "";
	strbuf_addf(out, "<td class=\"%s\"><a href=\"", look);
	report_cell_file(cell, out);
	strbuf_addstr(out, "\">");
	if (measured)
		html_ratio(out, cell->ratio);
	else
		strbuf_addstr(out, nothing ? "failed" : target_state_name(cell->state));
	strbuf_addstr(out, "</a><br><span class=\"soft\">");
	if (measured) {
		strbuf_addstr(out, "measured, ");
		html_percent(out, cell->sol_ratio);
		strbuf_addstr(out, " of light<br>");
	}
	strbuf_addf(out, "%zu of %zu trials %s", measured ? cell->passed_count : cell->compiled_count,
		    cell->evaluation_count, measured ? "passed" : "compiled");
	if (cell->saturated_count)
		strbuf_addf(out, "<br>saturated: no win possible in %zu of %zu", cell->saturated_count, cell->problem_count);
	if (!measured) {
		fact(out, cell, "vgpr_count", "VGPRs");
		fact(out, cell, "vgpr_spill_count", "spills");
		fact(out, cell, "group_segment_fixed_size", "LDS bytes");
	}
	strbuf_addstr(out, "</span></td>");
}

static void environments(struct strbuf *out, const struct report *report)
{
	strbuf_addstr(out, "<h2>Where it ran</h2><div class=\"wrap\"><table><thead><tr><th>target<th>machine<th>compiler"
			   "<th class=\"n\">FMA peak<th class=\"n\">bandwidth<th>sandbox<th>clock<th>id</tr></thead><tbody>\n");
	for (size_t i = 0; i < report->trace.environment_count; i++) {
		const struct environment *e = &report->trace.environment[i];
		strbuf_addstr(out, "<tr><td>");
		html_text(out, e->target);
		strbuf_addstr(out, "<td>");
		html_text(out, e->cpu_model);
		strbuf_addf(out, ", %lld cores, ", (long long)e->core_count);
		html_text(out, e->os);
		strbuf_addstr(out, "<td>");
		html_text(out, e->compiler);
		strbuf_addf(out, "<td class=\"n\">%.1f GFLOP/s<td class=\"n\">%.1f GB/s<td>", e->peak_flop_per_s * 1e-9,
			    e->peak_bytes_per_s * 1e-9);
		html_text(out, e->sandbox_level);
		strbuf_addstr(out, "<td>");
		html_text(out, e->clock);
		strbuf_addf(out, "<td><code>%s</code></tr>\n", e->id);
	}
	strbuf_addstr(out, "</tbody></table></div>\n<p class=\"soft\">Peaks are of one core, measured on the machine named; "
			   "zero where this machine cannot run the target.</p>\n");
}

static void totals(struct strbuf *out, const struct report *report)
{
	double compile_s = 0, check_s = 0, measure_s = 0;
	size_t passed = 0;

	for (size_t i = 0; i < report->trace.evaluation_count; i++) {
		const struct evaluation *e = &report->trace.evaluation[i];
		compile_s += e->compile_s;
		check_s += e->check_s;
		measure_s += e->measure_s;
		passed += e->verdict == VERDICT_PASSED;
	}
	strbuf_addf(out, "<p>%zu trials of %zu candidates: %zu passed, %zu winners. Cost: compiling %.1f s, "
			 "checking %.1f s, measuring %.1f s.</p>\n",
		    report->trace.evaluation_count, report->trace.candidate_count, passed,
		    report->trace.winner_count, compile_s, check_s, measure_s);
}

static int write_page(struct report *report, struct strbuf *err)
{
	struct strbuf out = STRBUF_INIT;

	html_open(&out, "Operators and targets", NULL);
	totals(&out, report);
	strbuf_addstr(&out, "<p><a href=\"operators.html\">Every declared operator</a>, searched here or not. <a href=\"search.html\">The search</a>: who found the winners, at what cost.</p>\n");
	strbuf_addstr(&out, "<div class=\"wrap\"><table class=\"sort\"><thead><tr><th>operator");
	for (size_t k = 0; k < report->target_count; k++)
		strbuf_addf(&out, "<th><a href=\"target-%s.html\">%s</a>", report->target[k], report->target[k]);
	strbuf_addstr(&out, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < report->op_count; i++) {
		strbuf_addstr(&out, "<tr><th scope=\"row\">");
		html_text(&out, report->op[i]);
		strbuf_addstr(&out, "</th>");
		for (size_t k = 0; k < report->target_count; k++)
			matrix_cell(&out, report_cell(report, i, k));
		strbuf_addstr(&out, "</tr>\n");
	}
	strbuf_addstr(&out, "</tbody></table></div>\n<p class=\"soft\">A figure such as 1.80x is the geometric mean, over the "
			    "operator's problems, of the strongest baseline's time over the winner's, from interleaved pairs. "
			    "Only measured cells claim speed. \"Of light\": share of the speed of light, the larger of least bytes "
			    "over measured bandwidth and flops over measured peak.</p>\n");
	environments(&out, report);
	html_close(&out);
	int ret = report_publish(report, "index.html", &out, err);
	strbuf_release(&out);
	return ret;
}

const struct page page_matrix = { .name = "matrix", .write = write_page };
