#include "generate/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DETAIL_BYTES = 600 };
static const char header[] = "id\tgeneration\tverdict\ttime_ns\tfitness\tsol_ratio\telapsed_s\tparent\tedge\tpolicy\tknobs";
static const char later[] = "\tbaseline_ns\tdetail"; /* columns that older files lack */

void history_write_header(struct strbuf *out)
{
	strbuf_addf(out, "%s%s\n", header, later);
}

void history_write(const struct trial *t, struct strbuf *out)
{
	strbuf_addf(out, "%s\t%lld\t%s\t%.17g\t%.17g\t%.17g\t%.17g\t%s\t%s\t%s\t%s\t%.17g\t", t->id, (long long)t->generation, t->verdict, t->time_ns,
		    t->fitness, t->sol_ratio, t->elapsed_s, t->parent, t->edge, t->policy, t->knobs, t->baseline_ns);
	for (const char *s = t->detail ? t->detail : ""; *s && s < t->detail + DETAIL_BYTES; s++)
		strbuf_addch(out, (unsigned char)*s < ' ' ? ' ' : *s);
	strbuf_addch(out, '\n');
}

/* One number of a row; false when it is none. */
static bool number(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end;
}

static int read_row(struct arena *arena, char *row, bool has_later, struct trial *t)
{
	char *cell[13] = { 0 };
	double generation;
	int cells = has_later ? 13 : 11;

	for (int i = 0; i < cells; i++) {
		size_t n = strcspn(row, "\t");
		bool last = !row[n];
		row[n] = 0;
		cell[i] = arena_strdup(arena, row);
		if (last != (i == cells - 1))
			return -1;
		row += n + 1;
	}
	*t = (struct trial){ .id = cell[0], .verdict = cell[2], .parent = cell[7], .edge = cell[8], .policy = cell[9], .knobs = cell[10], .detail = cell[12] };
	if (!number(cell[1], &generation) || !number(cell[3], &t->time_ns) || !number(cell[4], &t->fitness) || !number(cell[5], &t->sol_ratio) ||
	    !number(cell[6], &t->elapsed_s) || (has_later && !number(cell[11], &t->baseline_ns)) ||
	    !(generation >= 0 && generation < 0x1p53))
		return -1;
	t->generation = (int64_t)generation;
	return 0;
}

int history_read(struct arena *arena, const char *path, struct history *history,
		 struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	size_t lines = 0;
	bool has_later = false;
	int ret = -1;

	*history = (struct history){ 0 };
	if (access(path, F_OK) && errno == ENOENT)
		return 0;
	if (strbuf_read_file(&text, path, err))
		goto out;
	for (const char *s = text.buf; *s; s++)
		lines += *s == '\n';
	history->trial = ARENA_ARRAY(arena, struct trial, lines + 1);
	int line = 0;
	for (char *s = text.buf; *s;) {
		size_t n = strcspn(s, "\n");
		char *next = s + n + (s[n] == '\n');
		s[n] = 0;
		line++;
		if (line == 1)
			has_later = n == sizeof(header) - 1 + sizeof(later) - 1 && !strcmp(s + sizeof(header) - 1, later);
		if (line == 1 ? strncmp(s, header, sizeof(header) - 1) || (s[sizeof(header) - 1] && !has_later)
			      : n && read_row(arena, s, has_later, &history->trial[history->count])) {
			strbuf_addf(err, "%s:%d: not a row of a search history: write it anew with 'km-evaluate trace history'", path, line);
			goto out;
		}
		history->count += line > 1 && n;
		s = next;
	}
	history->best = history->count;
	for (size_t i = 0; i < history->count; i++)
		if (history->trial[i].fitness > 0 &&
		    (history->best == history->count || history->trial[i].fitness > history->trial[history->best].fitness))
			history->best = i;
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}

void history_place(struct history *history, const struct problem_space *ps)
{
	for (size_t i = 0; i < history->count; i++) {
		struct trial *t = &history->trial[i];
		struct strbuf err = STRBUF_INIT;
		t->is_point = !point_parse(ps, t->knobs, &t->sub_index, &t->point, &err);
		strbuf_release(&err);
	}
}
