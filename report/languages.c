/* What each language of a target makes of an operator: its state, what serves it, what it refuses and why. */
#include "generate/space.h"
#include "report/html.h"
#include "report/report.h"

#include <string.h>

enum { MOST_ROWS = 96 };

/* Dtypes of which a language does the same. */
struct row {
	struct strbuf dtypes;
	const char *language, *served, *why, *state;
};

/* The best state of the language's trials that passed or compiled, of problems of this dtype; NULL: none did. */
static const char *state_of_trials(const struct report *report, const struct report_cell *cell, const char *language, const char *dtype)
{
	enum target_state best = STATE_GENERATED;
	size_t n = strlen(dtype);

	for (size_t i = 0; i < cell->problem_count; i++) {
		const char *own = strchr(cell->problem[i].problem, '/');
		if (!own || strncmp(own + 1, dtype, n) || own[1 + n] != '/')
			continue;
		for (size_t k = 0; k < cell->problem[i].evaluation_count; k++) {
			const struct evaluation *e = cell->problem[i].evaluation[k];
			const struct candidate *c = report_candidate(report, e->candidate);
			bool counts = e->verdict == VERDICT_PASSED || e->verdict == VERDICT_NOT_MEASURED;
			if (counts && c && !strcmp(c->lang, language) && e->state < best)
				best = e->state;
		}
	}
	return best < STATE_GENERATED ? target_state_name(best) : NULL;
}

/* Ends the text at its next tab or line end, and returns what follows. */
static char *cut(char *text)
{
	char *end = text + strcspn(text, "\t\n");
	char *next = end + (*end != 0);

	*end = 0;
	return next;
}

static size_t collect(const struct report *report, const struct report_cell *cell, char *table, struct row row[MOST_ROWS])
{
	size_t count = 0, k;

	for (char *problem = table, *next; *problem; problem = next) {
		char *language = cut(problem), *served = cut(language), *why = cut(served);
		next = cut(why);
		char *dtype = strchr(problem, '/') + 1;
		dtype[strcspn(dtype, "/")] = 0;
		const char *tried = state_of_trials(report, cell, language, dtype);
		const char *state = tried ? tried : *served ? target_state_name(STATE_GENERATED) : "refused";
		for (k = 0; k < count; k++)
			if (!strcmp(row[k].language, language) && !strcmp(row[k].served, served) && !strcmp(row[k].why, why) && !strcmp(row[k].state, state))
				break;
		if (k == MOST_ROWS)
			break;
		if (k == count)
			row[count++] = (struct row){ STRBUF_INIT, language, served, why, state };
		strbuf_addf(&row[k].dtypes, "%s%s", row[k].dtypes.len ? " " : "", dtype);
	}
	return count;
}

size_t report_languages(const struct report *report, const struct report_cell *cell, bool refused_only, struct strbuf *out)
{
	struct strbuf table = STRBUF_INIT, err = STRBUF_INIT;
	const struct target *target = target_find(cell->target, &err);
	const struct op *op = op_find(cell->op);
	struct row row[MOST_ROWS];
	size_t count, written = 0;

	if (op && target)
		space_coverage(op, target, &table);
	count = collect(report, cell, table.buf, row);
	for (size_t k = 0; k < count; k++) {
		bool is_refused = !strcmp(row[k].state, "refused");
		if (is_refused || !refused_only) {
			strbuf_addf(out, "<tr><td>%s<td>%s<td>%s<td%s>%s<td>", cell->op, row[k].language, row[k].dtypes.buf, is_refused ? " class=\"soft\"" : "", row[k].state);
			html_text(out, *row[k].served ? row[k].served : row[k].why);
			strbuf_addstr(out, "</tr>\n");
			written++;
		}
		strbuf_release(&row[k].dtypes);
	}
	strbuf_release(&table);
	strbuf_release(&err);
	return written;
}
