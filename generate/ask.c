#include "generate/ask.h"
#include "generate/describe.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- asking ---------------------------------------------------------- */

static cJSON *row(const char *kind)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", kind);
	return o;
}

/* JSON has no NaN: null. */
static void add_real(cJSON *o, const char *name, double value)
{
	if (isfinite(value))
		cJSON_AddNumberToObject(o, name, value);
	else
		cJSON_AddNullToObject(o, name);
}

static void end_row(cJSON *o, struct strbuf *out)
{
	char *text = cJSON_PrintUnformatted(o);

	strbuf_addf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static void write_problem(struct arena *arena, const struct problem_space *ps, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT;

	problem_describe(&ps->problem, &text);
	/* Infinite attributes are as Python writes them, which cJSON does not read. */
	strbuf_replace(&text, "-Infinity", "-1e999");
	strbuf_replace(&text, "Infinity", "1e999");
	cJSON *o = cJSON_Parse(text.buf), *kind = cJSON_CreateString("problem"), *languages = cJSON_CreateArray();
	cJSON_InsertItemInArray(o, 0, kind);
	kind->string = strdup("kind");
	cJSON_AddStringToObject(o, "target", ps->target->name);
	cJSON_AddStringToObject(o, "artifact", ps->target->artifact);
	for (size_t i = 0; lang_table[i]; i++)
		if (!strcmp(lang_table[i]->artifact, ps->target->artifact))
			cJSON_AddItemToArray(languages, cJSON_CreateString(lang_table[i]->name));
	cJSON_AddItemToObject(o, "languages", languages);
	cJSON_AddStringToObject(o, "symbol", CANDIDATE_SYMBOL);
	strbuf_reset(&text);
	cJSON_AddStringToObject(o, "plan", candidate_plan(arena, ps, &text) ? text.buf : "");
	end_row(o, out);
	strbuf_release(&text);
}

static void write_space(const struct subspace *sub, struct strbuf *out)
{
	cJSON *o = row("space"), *knobs = cJSON_CreateArray();
	struct strbuf start = STRBUF_INIT;
	struct point point;

	for (size_t k = 0; k < sub->space.knob_count; k++)
		point.value[k] = sub->space.knob[k].start;
	point_print(sub, &point, &start);
	cJSON_AddStringToObject(o, "skeleton", sub->skeleton->name);
	cJSON_AddStringToObject(o, "lang", sub->lang->name);
	cJSON_AddStringToObject(o, "start", start.buf);
	for (size_t k = 0; k < sub->space.knob_count; k++) {
		cJSON *knob = cJSON_CreateObject(), *values = cJSON_AddArrayToObject(knob, "values");
		cJSON_AddStringToObject(knob, "name", sub->space.knob[k].name);
		for (size_t v = 0; v < sub->space.knob[k].value_count; v++)
			cJSON_AddItemToArray(values, cJSON_CreateString(sub->space.knob[k].value[v]));
		cJSON_AddItemToArray(knobs, knob);
	}
	cJSON_AddItemToObject(o, "knobs", knobs);
	end_row(o, out);
	strbuf_release(&start);
}

static void write_relative(const struct problem_space *ps, const struct relative *r, struct strbuf *out)
{
	cJSON *o = row("relative");
	struct strbuf knobs = STRBUF_INIT;

	point_print(&ps->sub[r->sub_index], &r->point, &knobs);
	cJSON_AddStringToObject(o, "from", r->from);
	add_real(o, "share", r->share);
	cJSON_AddStringToObject(o, "knobs", knobs.buf);
	end_row(o, out);
	strbuf_release(&knobs);
}

static void write_trial(const struct trial *t, struct strbuf *out)
{
	cJSON *o = row("trial");

	cJSON_AddStringToObject(o, "id", t->id);
	cJSON_AddStringToObject(o, "knobs", t->knobs);
	cJSON_AddStringToObject(o, "verdict", t->verdict);
	cJSON_AddStringToObject(o, "detail", t->detail ? t->detail : "");
	add_real(o, "time_ns", t->time_ns);
	add_real(o, "fitness", t->fitness);
	add_real(o, "sol_ratio", t->sol_ratio);
	add_real(o, "baseline_ns", t->baseline_ns);
	cJSON_AddNumberToObject(o, "generation", (double)t->generation);
	cJSON_AddStringToObject(o, "parent", t->parent);
	cJSON_AddStringToObject(o, "edge", t->edge);
	cJSON_AddStringToObject(o, "policy", t->policy);
	end_row(o, out);
}

static void write_source(const struct candidate *c, struct strbuf *out)
{
	cJSON *o = row("source");

	cJSON_AddStringToObject(o, "id", c->id);
	cJSON_AddStringToObject(o, "knobs", c->knobs);
	cJSON_AddStringToObject(o, "lang", c->lang);
	cJSON_AddStringToObject(o, "prologue", c->prologue);
	cJSON_AddStringToObject(o, "source", c->source);
	cJSON_AddStringToObject(o, "plan", c->plan);
	end_row(o, out);
}

/* Of the best few trials that are points, or where none passed of one to begin with. */
static void write_sources(struct arena *arena, const struct search *search, struct strbuf *out)
{
	enum { MOST_SOURCES = 3 };
	const struct history *seen = search->seen;
	bool *told = ARENA_ARRAY(arena, bool, seen->count + 1);
	struct candidate c;
	size_t count = 0;

	while (count < MOST_SOURCES) {
		size_t best = seen->count;
		for (size_t i = 0; i < seen->count; i++)
			if (!told[i] && seen->trial[i].is_point && seen->trial[i].fitness > 0 && (best == seen->count || seen->trial[i].fitness > seen->trial[best].fitness))
				best = i;
		if (best == seen->count)
			break;
		struct strbuf why = STRBUF_INIT;
		told[best] = true;
		if (candidate_make(arena, search->ps, seen->trial[best].sub_index, &seen->trial[best].point, &c, &why) == 1) {
			write_source(&c, out);
			count++;
		}
		strbuf_release(&why);
	}
	if (!count && candidate_start(arena, search->ps, &c))
		write_source(&c, out);
}

void ask_write(struct arena *arena, const struct search *search, struct strbuf *out)
{
	write_problem(arena, search->ps, out);
	for (size_t i = 0; i < search->ps->sub_count; i++)
		write_space(&search->ps->sub[i], out);
	for (size_t i = 0; i < search->relative_count; i++)
		write_relative(search->ps, &search->relative[i], out);
	for (size_t i = 0; i < search->seen->count; i++)
		write_trial(&search->seen->trial[i], out);
	write_sources(arena, search, out);
}

void ask_write_refused(int64_t line, const char *why, struct strbuf *out)
{
	cJSON *o = row("refused");

	cJSON_AddNumberToObject(o, "line", (double)line);
	cJSON_AddStringToObject(o, "why", why);
	end_row(o, out);
}

void ask_write_end(size_t want, uint64_t seed, struct strbuf *out)
{
	cJSON *o = row("ask");

	cJSON_AddNumberToObject(o, "want", (double)want);
	cJSON_AddNumberToObject(o, "seed", (double)(seed >> 11));
	end_row(o, out);
}

/* ---- the answer ------------------------------------------------------ */

/* "BN=8 ..." of an object of words and numbers.  False: another thing is in it. */
static bool knobs_text(const cJSON *knobs, struct strbuf *text)
{
	if (cJSON_IsString(knobs)) {
		strbuf_addstr(text, knobs->valuestring);
		return true;
	}
	if (!cJSON_IsObject(knobs))
		return false;
	for (const cJSON *k = knobs->child; k; k = k->next) {
		strbuf_addf(text, "%s%s=", text->len ? " " : "", k->string);
		if (cJSON_IsString(k))
			strbuf_addstr(text, k->valuestring);
		else if (cJSON_IsNumber(k))
			strbuf_addf(text, "%.15g", k->valuedouble);
		else
			return false;
	}
	return true;
}

static int read_point(struct arena *arena, const struct search *search, const cJSON *knobs, struct proposal *p, struct candidate *c, struct strbuf *why)
{
	struct strbuf text = STRBUF_INIT;
	int made = 0;

	if (!knobs_text(knobs, &text))
		strbuf_addstr(why, "'knobs' is a text, or an object of words and numbers");
	else if (!point_parse(search->ps, text.buf, &p->sub_index, &p->point, why))
		made = candidate_make(arena, search->ps, p->sub_index, &p->point, c, why);
	strbuf_release(&text);
	return made;
}

/* The lines of an array of texts; false: it is none. */
static bool steps_text(const cJSON *steps, struct strbuf *text)
{
	if (!steps)
		strbuf_addstr(text, "main grid=1");
	if (steps && (!cJSON_IsArray(steps) || !steps->child))
		return false;
	for (const cJSON *s = steps ? steps->child : NULL; s; s = s->next) {
		if (!cJSON_IsString(s) || strpbrk(s->valuestring, "\r\n"))
			return false;
		strbuf_addf(text, "%s%s", text->len ? "\n" : "", s->valuestring);
	}
	return true;
}

static int read_whole(struct arena *arena, const struct search *search, const cJSON *o, struct candidate *c, struct strbuf *why)
{
	const cJSON *lang = cJSON_GetObjectItemCaseSensitive(o, "lang"), *plan = cJSON_GetObjectItemCaseSensitive(o, "plan");
	struct written_source whole = { .source = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "source")), .origin = "foreign" };
	struct strbuf steps = STRBUF_INIT;
	int made = 0;

	whole.lang = cJSON_GetStringValue(lang);
	whole.plan = cJSON_GetStringValue(plan);
	if (!whole.source || !whole.lang || (plan && !whole.plan) || !steps_text(cJSON_GetObjectItemCaseSensitive(o, "steps"), &steps)) {
		strbuf_addstr(why, "a whole source has texts 'source' and 'lang', and may have a text 'plan' or an array of texts 'steps'");
	} else {
		whole.steps = steps.buf;
		made = candidate_written(arena, search->ps, &whole, c, why);
	}
	strbuf_release(&steps);
	return made;
}

static int read_candidate(struct arena *arena, const struct search *search, const cJSON *o, struct candidate *c, struct strbuf *why)
{
	char *text = cJSON_PrintUnformatted(o);
	struct candidate given;
	int made = candidate_read(arena, text, &given, why) ? 0 : candidate_adopt(arena, search->ps, &given, c, why);

	free(text);
	return made;
}

static const struct trial *trial_of(const struct history *seen, const char *id)
{
	for (size_t i = 0; id && i < seen->count; i++)
		if (!strcmp(seen->trial[i].id, id))
			return &seen->trial[i];
	return NULL;
}

/* A word of a trace. */
static bool is_word(const char *text)
{
	return text && *text && strlen(text) <= 32 && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == 0;
}

/* 1: *p and its candidate's id; 0: *why not. */
static int read_line(struct arena *arena, const struct search *search, const char *line, struct proposal *p, struct candidate *c, struct strbuf *why)
{
	cJSON *o = cJSON_Parse(line);
	const cJSON *knobs = cJSON_GetObjectItemCaseSensitive(o, "knobs"), *source = cJSON_GetObjectItemCaseSensitive(o, "source"),
		    *whole = cJSON_GetObjectItemCaseSensitive(o, "candidate");
	const cJSON *parent = cJSON_GetObjectItemCaseSensitive(o, "parent"), *edge = cJSON_GetObjectItemCaseSensitive(o, "edge");
	const char *parent_id = cJSON_GetStringValue(parent), *edge_word = cJSON_GetStringValue(edge);
	int made = 0;

	if (!cJSON_IsObject(o) || !!knobs + !!source + !!whole != 1)
		strbuf_addstr(why, "not an object with one of 'knobs', 'source' and 'candidate'");
	else if (parent && (!parent_id || (*parent_id && !trial_of(search->seen, parent_id))))
		strbuf_addstr(why, "its 'parent' is no trial's id");
	else if (edge && !is_word(edge_word))
		strbuf_addstr(why, "its 'edge' is no word of letters, digits, '_' and '-'");
	else if (knobs)
		made = read_point(arena, search, knobs, p, c, why);
	else
		made = source ? read_whole(arena, search, o, c, why) : read_candidate(arena, search, whole, c, why);
	if (made == 1) {
		if (!knobs)
			p->whole = memcpy(ARENA_ARRAY(arena, struct candidate, 1), c, sizeof(*c));
		p->parent = parent_id && *parent_id ? trial_of(search->seen, parent_id)->id : "";
		p->edge = edge ? arena_strdup(arena, edge_word) : "asked";
	}
	cJSON_Delete(o);
	return made == 1;
}

void ask_read(struct arena *arena, const struct search *search, char *answer, struct proposal *out, size_t *count, size_t most,
	      struct strbuf *refused)
{
	char (*id)[17] = (char (*)[17])ARENA_ARRAY(arena, char, 17 * (most + 1));
	size_t had = *count;
	int64_t number = 0;

	for (char *line = answer; *line && *count < most;) {
		size_t n = strcspn(line, "\n");
		char *next = line + n + (line[n] == '\n');
		struct strbuf why = STRBUF_INIT;
		struct proposal p = { 0 };
		struct candidate c;
		line[n] = 0;
		number++;
		if (line[strspn(line, " \t\r")]) {
			bool good = read_line(arena, search, line, &p, &c, &why);
			if (good && trial_of(search->seen, c.id)) {
				strbuf_addstr(&why, "it was tried already");
				good = false;
			}
			for (size_t i = had; good && i < *count; i++)
				if (!strcmp(id[i], c.id)) {
					strbuf_addstr(&why, "it is the same as an earlier one");
					good = false;
				}
			if (good) {
				memcpy(id[*count], c.id, sizeof(c.id));
				out[(*count)++] = p;
			} else {
				why.len = strcspn(why.buf, "\n");
				why.buf[why.len] = 0;
				ask_write_refused(number, why.buf, refused);
			}
		}
		strbuf_release(&why);
		line = next;
	}
}
