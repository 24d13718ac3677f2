#include "generate/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RECENT_SHARE 0.2
#define MOST_OF_GROUP 2.0     /* times the share of light that the best of a group reached */
#define ROOM_UNKNOWN 2.0
#define ROOM_OF_NOTHING 8.0

static double room_of(const struct split_cell *c, double reached)
{
	if (!(c->best > 0))
		return log(ROOM_OF_NOTHING);
	if (!(c->light > 0))
		return log(ROOM_UNKNOWN);
	return fmax(0, log(fmin(1, MOST_OF_GROUP * reached) / c->light));
}

double split_gain(const struct split_cell *c, double reached, int64_t given)
{
	int64_t late = c->evaluations - c->before_evaluations;
	double now = (double)(c->evaluations + given), recent = 0;

	if (now < 1)
		return INFINITY;
	if (late > 0 && c->before > 0 && c->best > c->before)
		recent = log(c->best / c->before) / (double)late * (double)c->evaluations / now;
	return c->weight * (RECENT_SHARE * recent + (1 - RECENT_SHARE) * room_of(c, reached) / now);
}

static double reached_by_group(const struct split_cell *cell, size_t count, const char *group)
{
	double most = 0;

	for (size_t i = 0; i < count; i++)
		if (cell[i].light > most && !strcmp(cell[i].group, group))
			most = cell[i].light;
	return most;
}

int64_t split_evaluations(struct split_cell *cell, size_t count, int64_t evaluations, int64_t unit)
{
	double *reached = calloc(count + 1, sizeof(*reached));
	int64_t given = 0;

	for (size_t i = 0; reached && i < count; i++) {
		reached[i] = reached_by_group(cell, count, cell[i].group);
		cell[i].next = 0;
	}
	while (reached && given < evaluations) {
		size_t best = count;
		double most = -1;
		for (size_t i = 0; i < count; i++) {
			double gain = cell[i].is_open ? split_gain(&cell[i], reached[i], cell[i].next) : -1;
			if (gain > most) {
				most = gain;
				best = i;
			}
		}
		if (best == count)
			break;
		int64_t some = evaluations - given < unit ? evaluations - given : unit;
		cell[best].next += some;
		given += some;
	}
	free(reached);
	return given;
}

/* ---- files ----------------------------------------------------------- */

static const char header[] = "cell\tgroup\tweight\tevaluations\tbest\tbefore\tbefore_evaluations\tlight\topen";
static const char curves_header[] = "cell\tgroup\tspeed\tlight";

void split_write_header(struct strbuf *out)
{
	strbuf_addf(out, "%s\n", header);
}

void split_write(const struct split_cell *c, struct strbuf *out)
{
	strbuf_addf(out, "%s\t%s\t%.6g\t%lld\t%.6g\t%.6g\t%lld\t%.6g\t%d\n", c->name, c->group, c->weight, (long long)c->evaluations, c->best, c->before,
		    (long long)c->before_evaluations, c->light, c->is_open);
}

enum { MOST_FIELDS = 9 };

/* Cuts a row into fields[0..count-1] of which all but the first two are numbers that are not negative. */
static bool cut(struct arena *arena, char *row, size_t count, const char *name[2], double number[MOST_FIELDS])
{
	for (size_t i = 0; i < count; i++) {
		size_t n = strcspn(row, "\t");
		bool is_last = !row[n];
		char *end;
		row[n] = 0;
		if (i < 2)
			name[i] = arena_strdup(arena, row);
		else if (number[i] = strtod(row, &end), end == row || *end || !(number[i] >= 0 && number[i] < 0x1p53))
			return false;
		if (is_last != (i == count - 1))
			return false;
		row += n + !is_last;
	}
	return true;
}

/* Calls fn for every row after the header; 0, or -1 with *err. */
static int each_row(struct arena *arena, const char *path, const char *first, size_t fields, void (*fn)(const char *const name[2], const double *number, void *user),
		    void *user, const char *writer, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = strbuf_read_file(&text, path, err), line = 1;

	for (char *s = text.buf, *next; !ret && *s; s = next, line++) {
		const char *name[2] = { "", "" };
		double number[MOST_FIELDS] = { 0 };
		size_t n = strcspn(s, "\n");
		next = s + n + (s[n] == '\n');
		s[n] = 0;
		if (line == 1 ? strcmp(s, first) != 0 : !cut(arena, s, fields, name, number)) {
			strbuf_addf(err, "%s:%d: not a row of '%s'", path, line, writer);
			ret = -1;
		} else if (line > 1) {
			fn(name, number, user);
		}
	}
	strbuf_release(&text);
	return ret;
}

struct cell_list {
	struct arena *arena;
	struct split_cell *cell;
	size_t count;
};

static void add_cell(const char *const name[2], const double *number, void *user)
{
	struct cell_list *l = user;

	if (!(l->count & (l->count - 1))) {
		struct split_cell *grown = ARENA_ARRAY(l->arena, struct split_cell, 2 * l->count + 1);
		if (l->count)
			memcpy(grown, l->cell, l->count * sizeof(*grown));
		l->cell = grown;
	}
	l->cell[l->count++] = (struct split_cell){ .name = name[0], .group = name[1], .weight = number[2], .evaluations = (int64_t)number[3], .best = number[4],
						   .before = number[5], .before_evaluations = (int64_t)number[6], .light = number[7], .is_open = number[8] > 0 };
}

int split_read(struct arena *arena, const char *path, struct split_cell **cell, size_t *count, struct strbuf *err)
{
	struct cell_list l = { .arena = arena };
	int ret = each_row(arena, path, header, 9, add_cell, &l, "km-evaluate trace progress", err);

	*cell = l.cell;
	*count = l.count;
	return ret;
}

/* ---- recorded searches ----------------------------------------------- */

struct curve_list {
	struct arena *arena;
	struct split_curve *curve;
	size_t count;
};

static double *grown(struct arena *arena, double *value, int64_t count)
{
	if (count & (count - 1))
		return value;
	double *more = ARENA_ARRAY(arena, double, 2 * count + 1);
	if (count)
		memcpy(more, value, (size_t)count * sizeof(*more));
	return more;
}

/* The trials of a cell stand together. */
static void add_trial(const char *const name[2], const double *number, void *user)
{
	struct curve_list *l = user;

	if (!l->count || strcmp(l->curve[l->count - 1].name, name[0])) {
		if (!(l->count & (l->count - 1))) {
			struct split_curve *more = ARENA_ARRAY(l->arena, struct split_curve, 2 * l->count + 1);
			if (l->count)
				memcpy(more, l->curve, l->count * sizeof(*more));
			l->curve = more;
		}
		l->curve[l->count++] = (struct split_curve){ .name = name[0], .group = name[1] };
	}
	struct split_curve *c = &l->curve[l->count - 1];
	c->speed = grown(l->arena, c->speed, c->count);
	c->light = grown(l->arena, c->light, c->count);
	c->speed[c->count] = number[2];
	c->light[c->count++] = number[3];
}

int split_read_curves(struct arena *arena, const char *path, struct split_curve **curve, size_t *count, struct strbuf *err)
{
	struct curve_list l = { .arena = arena };
	int ret = each_row(arena, path, curves_header, 4, add_trial, &l, "km-evaluate trace progress --curves", err);

	*curve = l.curve;
	*count = l.count;
	return ret;
}

struct split_cell split_at(const struct split_curve *curve, int64_t evaluations)
{
	struct split_cell c = { .name = curve->name, .group = curve->group, .weight = 1, .evaluations = evaluations, .is_open = evaluations < curve->count,
				.before_evaluations = evaluations * 3 / 4 };

	for (int64_t i = 0; i < evaluations && i < curve->count; i++) {
		if (curve->speed[i] > c.best) {
			c.best = curve->speed[i];
			c.light = curve->light[i];
		}
		if (i < c.before_evaluations)
			c.before = c.best;
	}
	return c;
}

static double mean_speed(const struct split_curve *curve, size_t count, const int64_t *given)
{
	double sum = 0;
	size_t passed = 0;

	for (size_t i = 0; i < count; i++) {
		double best = split_at(&curve[i], given[i]).best;
		if (best > 0) {
			sum += log(best);
			passed++;
		}
	}
	return passed ? exp(sum / (double)passed) : 0;
}

double split_replay_equal(const struct split_curve *curve, size_t count, int64_t total, int64_t *given)
{
	for (size_t i = 0; i < count; i++) {
		int64_t share = total / (int64_t)count + ((int64_t)i < total % (int64_t)count);
		given[i] = share < curve[i].count ? share : curve[i].count;
	}
	return mean_speed(curve, count, given);
}

int64_t split_first(int64_t total, int64_t cells)
{
	int64_t first = cells ? total / (4 * cells) : 0;

	return first < 1 ? 1 : first > 24 ? 24 : first;
}

int64_t split_round(int64_t total, int64_t cells)
{
	int64_t first = split_first(total, cells), left = total - first * cells, round = (left + 7) / 8;

	return round < first ? first : round;
}

double split_replay_gain(const struct split_curve *curve, size_t count, int64_t total, int64_t *given)
{
	struct split_cell *cell = calloc(count + 1, sizeof(*cell));
	int64_t first = split_first(total, (int64_t)count), round = split_round(total, (int64_t)count), spent = 0, some = 1;

	for (size_t i = 0; i < count; i++) {
		given[i] = first < curve[i].count ? first : curve[i].count;
		spent += given[i];
	}
	while (cell && spent < total && some) {
		for (size_t i = 0; i < count; i++)
			cell[i] = split_at(&curve[i], given[i]);
		split_evaluations(cell, count, total - spent < round ? total - spent : round, first);
		some = 0;
		for (size_t i = 0; i < count; i++) {
			int64_t next = given[i] + cell[i].next < curve[i].count ? given[i] + cell[i].next : curve[i].count;
			some += next - given[i];
			given[i] = next;
		}
		spent += some;
	}
	free(cell);
	return mean_speed(curve, count, given);
}
