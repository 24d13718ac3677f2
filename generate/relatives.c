#include "generate/relatives.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "from\tshare\tknobs";

void relatives_write_header(struct strbuf *out)
{
	strbuf_addf(out, "%s\n", header);
}

void relatives_write(const char *from, double share, const char *knobs, struct strbuf *out)
{
	strbuf_addf(out, "%s\t%.6g\t%s\n", from, share, knobs);
}

/* The word after "name=" in knobs; *length 0: there is none. */
static const char *word_of(const char *knobs, const char *name, size_t *length)
{
	size_t n = strlen(name);

	for (const char *s = knobs; *s; s += strcspn(s, " "), s += *s == ' ')
		if (!strncmp(s, name, n) && s[n] == '=') {
			*length = strcspn(s + n + 1, " ");
			return s + n + 1;
		}
	*length = 0;
	return "";
}

static bool is_word(const char *text, const char *word, size_t length)
{
	return strlen(text) == length && !memcmp(text, word, length);
}

/* All of it as a number; NaN: it is none. */
static double number_of(const char *word, size_t length)
{
	char copy[32], *end;

	if (!length || length >= sizeof(copy))
		return NAN;
	memcpy(copy, word, length);
	copy[length] = 0;
	double value = strtod(copy, &end);
	return *end ? NAN : value;
}

/* How far apart two numbers are, by ratio; 0 counts as a half of 1. */
static double apart(double a, double b)
{
	return fabs(log2(fmax(fabs(a), 0.5)) - log2(fmax(fabs(b), 0.5))) + (a * b < 0 ? 1e3 : 0);
}

static int16_t nearest(const struct space_knob *knob, const char *word, size_t length)
{
	double wanted = number_of(word, length), least = INFINITY;
	int16_t best = knob->start;

	for (size_t v = 0; v < knob->value_count; v++)
		if (length && is_word(knob->value[v], word, length))
			return (int16_t)v;
	for (size_t v = 0; v < knob->value_count; v++) {
		double value = number_of(knob->value[v], strlen(knob->value[v]));
		if (!isnan(wanted) && !isnan(value) && apart(wanted, value) < least) {
			least = apart(wanted, value);
			best = (int16_t)v;
		}
	}
	return best;
}

static bool has_subspace(const struct problem_space *ps, const char *skeleton, size_t n, const char *lang, size_t m)
{
	for (size_t i = 0; i < ps->sub_count; i++)
		if (is_word(ps->sub[i].skeleton->name, skeleton, n) && is_word(ps->sub[i].lang->name, lang, m))
			return true;
	return false;
}

bool relative_place(const struct problem_space *ps, const char *knobs, size_t sub_index, struct point *point)
{
	const struct subspace *sub = &ps->sub[sub_index];
	size_t n, m;
	const char *skeleton = word_of(knobs, "skeleton", &n), *lang = word_of(knobs, "lang", &m);

	if (!is_word(sub->skeleton->name, skeleton, n) || (!is_word(sub->lang->name, lang, m) && has_subspace(ps, skeleton, n, lang, m)))
		return false;
	*point = (struct point){ { 0 } };
	for (size_t k = 2; k < sub->space.knob_count; k++) {
		size_t length;
		const char *word = word_of(knobs, sub->space.knob[k].name, &length);
		point->value[k] = nearest(&sub->space.knob[k], word, length);
	}
	return true;
}

static bool is_among(const struct relative *relative, size_t count, size_t sub_index, const struct point *point, size_t knobs)
{
	for (size_t i = 0; i < count; i++)
		if (relative[i].sub_index == sub_index && !memcmp(relative[i].point.value, point->value, knobs * sizeof(*point->value)))
			return true;
	return false;
}

/* Cuts a row into its three fields; false: it is none. */
static bool cut(char *row, char *field[3], double *share)
{
	char *end;

	for (int i = 0; i < 3; i++) {
		field[i] = row;
		row += strcspn(row, "\t");
		if ((i == 2) != !*row)
			return false;
		if (*row)
			*row++ = 0;
	}
	*share = strtod(field[1], &end);
	return end != field[1] && !*end && *share >= 0;
}

int relatives_read(struct arena *arena, const char *path, const struct problem_space *ps, struct relative **relative, size_t *count,
		   struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	size_t lines = 1;
	int ret = -1, line = 1;

	*count = 0;
	if (strbuf_read_file(&text, path, err))
		goto out;
	for (const char *s = text.buf; *s; s++)
		lines += *s == '\n';
	*relative = ARENA_ARRAY(arena, struct relative, lines * (ps->sub_count + 1));
	for (char *s = text.buf, *next; *s; s = next, line++) {
		size_t n = strcspn(s, "\n");
		char *field[3];
		double share = 0;
		next = s + n + (s[n] == '\n');
		s[n] = 0;
		if (line == 1 ? strcmp(s, header) != 0 : !cut(s, field, &share)) {
			strbuf_addf(err, "%s:%d: not a row of relatives: write it anew with 'km-evaluate trace relatives'", path, line);
			goto out;
		}
		for (size_t i = 0; line > 1 && i < ps->sub_count; i++) {
			struct point point;
			if (relative_place(ps, field[2], i, &point) && !is_among(*relative, *count, i, &point, ps->sub[i].space.knob_count))
				(*relative)[(*count)++] = (struct relative){ .sub_index = i, .point = point, .share = share, .from = arena_strdup(arena, field[0]) };
		}
	}
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}
