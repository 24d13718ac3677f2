/*
 * Every declared operator: family, dtypes, shapes, the opinions on it, what its checker rejects, what the
 * generators serve; and the published suites.  What the checker rejects is OUT/selfcheck.tsv, where
 * `km-evaluate selfcheck` has been printed to it (make check-ops does).
 */
#include "generate/space.h"
#include "report/html.h"
#include "report/report.h"

#include <stdio.h>
#include <string.h>

static int count_shapes(const struct op *op, unsigned uses)
{
	int n = 0;

	for (const struct op_shape *s = op->shape; s->binding; s++)
		n += (s->use & uses) != 0;
	return n;
}

/* How many published problems "kb1/.." there are at their own size, and scaled for processors. */
static void count_published(const char *suite, int *full, int *scaled)
{
	const struct op *op;
	size_t n = strlen(suite);

	*full = *scaled = 0;
	for (size_t i = 0; (op = op_at(i)); i++)
		for (const struct op_shape *s = op->shape; s->binding; s++)
			for (const char *w = s->source ? s->source : ""; *w; w += strcspn(w, " "), w += strspn(w, " "))
				if (!strncmp(w, suite, n) && w[n] == '/') {
					size_t len = strcspn(w, " ");
					bool is_scaled = len > 4 && !strncmp(w + len - 4, "/cpu", 4);
					++*(is_scaled ? scaled : full);
				}
}

static void suites(struct strbuf *out)
{
	static const struct { const char *name, *title; } suite[] = {
		{ "kb1", "KernelBench level 1" }, { "kb2", "KernelBench level 2" }, { "paper", "KernelEvolve's production kernels" },
	};

	strbuf_addstr(out, "<div class=\"wrap\"><table><thead><tr><th>published problems<th class=\"n\">at their size<th class=\"n\">scaled for processors</tr></thead><tbody>\n");
	for (size_t i = 0; i < ARRAY_SIZE(suite); i++) {
		int full, scaled;
		count_published(suite[i].name, &full, &scaled);
		strbuf_addf(out, "<tr><td>%s<td class=\"n\">%d<td class=\"n\">%d</tr>\n", suite[i].title, full, scaled);
	}
	strbuf_addstr(out, "</tbody></table></div>\n");
}

/* Names of fused operators are long: they may break after an underscore. */
static void breakable(struct strbuf *out, const char *name)
{
	for (; *name; name++) {
		char text[2] = { *name, 0 };
		html_text(out, text);
		if (*name == '_')
			strbuf_addstr(out, "<wbr>");
	}
}

/* The line that begins with the operator's name, or NULL. */
static const char *line_of(const struct strbuf *table, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = table->buf; *s; s += strcspn(s, "\n"), s += *s == '\n')
		if (!strncmp(s, name, n) && s[n] == '\t')
			return s;
	return NULL;
}

/* Rejected of tried, those left out that gave the right numbers; a verdict that is not "ok" as it is. */
static void selfcheck_cell(struct strbuf *out, const struct strbuf *selfcheck, const char *name)
{
	const char *line = line_of(selfcheck, name);
	long shapes, cheats, rejected, right, elsewhere;
	char verdict[40];

	if (!line || sscanf(line, "%*s %39s %ld %ld %ld %ld %ld", verdict, &shapes, &cheats, &rejected, &right, &elsewhere) != 6)
		strbuf_addstr(out, "<td class=\"n\">-");
	else if (strcmp(verdict, "ok"))
		strbuf_addf(out, "<td class=\"n bad\" data-sort=\"-1\">%s", verdict);
	else
		strbuf_addf(out, "<td class=\"n\" data-sort=\"%ld\">%ld of %ld", rejected, rejected, cheats - right);
}

/* The skeletons that serve it on this machine, or the dtypes that none serves. */
static void served_cell(struct strbuf *out, const struct op *op, const struct target *native)
{
	struct strbuf table = STRBUF_INIT, names = STRBUF_INIT, missing = STRBUF_INIT;

	space_coverage(op, native, &table);
	for (const char *s = table.buf; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		const char *lang = s + strcspn(s, "\t\n") + 1, *by = lang + strcspn(lang, "\t\n") + 1, *dtype = s + strcspn(s, "/") + 1;
		if (by[-1] != '\t' || *by == '\t')
			strbuf_addf(&missing, " %.*s", (int)strcspn(dtype, "/"), dtype);
		else for (const char *w = by; *w && *w != '\t' && *w != '\n'; w += strspn(w, " ")) {
			char name[40];
			size_t n = strcspn(w, " \t\n");
			snprintf(name, sizeof(name), "%.*s", (int)n, w);
			if (!strstr(names.buf, name))
				strbuf_addf(&names, "%s%s", names.len ? " " : "", name);
			w += n;
		}
	}
	strbuf_addf(out, "<td>%s%s%s", names.len ? names.buf : "none", missing.len ? ", but not" : "", missing.buf);
	strbuf_release(&table);
	strbuf_release(&names);
	strbuf_release(&missing);
}

static void operator_row(struct strbuf *out, const struct op *op, const struct strbuf *selfcheck, const struct target *native)
{
	char family[64];

	op_family(op, family, sizeof(family));
	strbuf_addstr(out, "<tr><th scope=\"row\">");
	breakable(out, op->name);
	if (op->aliases) {
		strbuf_addstr(out, "<br>also ");
		breakable(out, op->aliases);
	}
	strbuf_addstr(out, "<br><span class=\"soft\" style=\"font-weight:normal\">");
	html_text(out, op->summary);
	strbuf_addf(out, "</span><td>%s<td>%s<td class=\"n\">%d, %d, %d<td>", family, op->dtypes, count_shapes(op, OP_CHECK), count_shapes(op, OP_HELDOUT),
		    count_shapes(op, OP_SEARCH | OP_FULL | OP_LARGE));
	strbuf_addf(out, "%s%s%s", op->body && op->reference ? "body, reference" : "", op->torch ? ", PyTorch" : "", op->opinfo ? " and its samples" : "");
	selfcheck_cell(out, selfcheck, op->name);
	served_cell(out, op, native);
	strbuf_addstr(out, "<td>");
	space_states(op, out);
	strbuf_addstr(out, "</tr>\n");
}

static int write_page(struct report *report, struct strbuf *err)
{
	struct strbuf out = STRBUF_INIT, rows = STRBUF_INIT, path = STRBUF_INIT, selfcheck = STRBUF_INIT, none = STRBUF_INIT;
	const struct target *native = target_find("native", &none);
	size_t count = 0, served = 0;
	const struct op *op;

	if (!native)
		native = target_table[0];
	strbuf_addf(&path, "%s/../selfcheck.tsv", report->folder);
	if (strbuf_read_file(&selfcheck, path.buf, &none))
		strbuf_reset(&selfcheck);
	for (; (op = op_at(count)); count++) {
		size_t before = rows.len;
		operator_row(&rows, op, &selfcheck, native);
		served += !strstr(rows.buf + before, "<td>declared</tr>");
	}
	html_open(&out, "Operators", "Operators");
	strbuf_addf(&out, "<p>%zu operators are declared; the generators serve %zu of them on some target. Each has a body in index notation, an "
			  "independent reference and a PyTorch expression; <code>km-generate ops</code> prints this table.</p>\n", count, served);
	suites(&out);
	strbuf_addstr(&out, "<h2>Operators</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>operator<th>family<th>dtypes<th class=\"n\">shapes"
			    "<th>opinions<th class=\"n\">cheats rejected<th>served by<th>states</tr></thead><tbody>\n");
	strbuf_addstr(&out, rows.buf);
	strbuf_addstr(&out, "</tbody></table></div>\n<p class=\"soft\">States: by target, the most that its generators and machines reach; "
			    "\"declared\": no generator serves it yet. Shapes: check, held out, other. Opinions: <code>make check</code> holds body, reference and PyTorch "
			    "together, also over PyTorch's own samples where it has them. Cheats rejected: of <code>km-evaluate selfcheck</code>, without those "
			    "that gave the honest numbers; \"-\": not run for this report. Served by: skeletons on this machine, as <code>km-generate "
			    "coverage</code> prints them.</p>\n");
	html_close(&out);
	int ret = report_publish(report, "operators.html", &out, err);
	strbuf_release(&out);
	strbuf_release(&rows);
	strbuf_release(&path);
	strbuf_release(&selfcheck);
	strbuf_release(&none);
	return ret;
}

const struct page page_operators = { .name = "operators", .write = write_page };
