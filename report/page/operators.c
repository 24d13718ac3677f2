/* Every declared operator: family, dtypes, shapes, what the generators serve; and the published suites. */
#include "generate/space.h"
#include "report/html.h"
#include "report/report.h"

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

static void operator_row(struct strbuf *out, const struct op *op)
{
	char family[64];

	op_family(op, family, sizeof(family));
	strbuf_addstr(out, "<tr><th scope=\"row\">");
	breakable(out, op->name);
	if (op->aliases) {
		strbuf_addstr(out, "<br><span class=\"soft\">");
		breakable(out, op->aliases);
		strbuf_addstr(out, "</span>");
	}
	strbuf_addf(out, "<td>%s<td>%s<td class=\"n\">%d<td class=\"n\">%d<td class=\"n\">%d<td>", family, op->dtypes, count_shapes(op, OP_CHECK),
		    count_shapes(op, OP_HELDOUT), count_shapes(op, OP_SEARCH | OP_FULL | OP_LARGE));
	space_states(op, out);
	strbuf_addstr(out, "<td>");
	html_text(out, op->summary);
	strbuf_addstr(out, "</tr>\n");
}

static int write_page(struct report *report, struct strbuf *err)
{
	struct strbuf out = STRBUF_INIT, rows = STRBUF_INIT;
	size_t count = 0, served = 0;
	const struct op *op;

	for (; (op = op_at(count)); count++) {
		size_t before = rows.len;
		operator_row(&rows, op);
		served += !strstr(rows.buf + before, "<td>declared<td>");
	}
	html_open(&out, "Operators", "Operators");
	strbuf_addf(&out, "<p>%zu operators are declared; the generators serve %zu of them on some target. Each has a body in index notation, an "
			  "independent reference and a PyTorch expression; <code>km-generate ops</code> prints this table.</p>\n", count, served);
	suites(&out);
	strbuf_addstr(&out, "<h2>Operators</h2><div class=\"wrap\"><table class=\"sort\"><thead><tr><th>operator<th>family<th>dtypes<th class=\"n\">check shapes"
			    "<th class=\"n\">held out<th class=\"n\">other shapes<th>states<th>what it does</tr></thead><tbody>\n");
	strbuf_addstr(&out, rows.buf);
	strbuf_addstr(&out, "</tbody></table></div>\n<p class=\"soft\">States: by target, the most that its generators and machines reach; "
			    "\"declared\": no generator serves it yet.</p>\n");
	html_close(&out);
	int ret = report_publish(report, "operators.html", &out, err);
	strbuf_release(&out);
	strbuf_release(&rows);
	return ret;
}

const struct page page_operators = { .name = "operators", .write = write_page };
