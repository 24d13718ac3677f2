#include "generate/candidate.h"
#include "ops/core/hash.h"
#include "ops/core/plan.h"
#include "ops/core/rng.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* Stands for the id in printed symbols until the id is known. */
static const char placeholder[] = CANDIDATE_SYMBOL;

/* What defines a candidate: text, language, target, compile command.  Not how it was found. */
static void make_id(struct candidate *c, const struct lang *lang, const struct target *target)
{
	struct sha256 h;
	uint8_t digest[32];
	const char *part[] = { c->source, c->prologue, c->plan, lang->name, target->name, lang->compile, target->march,
			       target->compiler_flags ? target->compiler_flags : "" };

	sha256_init(&h);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		sha256_add(&h, part[i], strlen(part[i]) + 1);
	sha256_end(&h, digest);
	for (int i = 0; i < 8; i++) {
		static const char hex[] = "0123456789abcdef";
		c->id[2 * i] = hex[digest[i] >> 4];
		c->id[2 * i + 1] = hex[digest[i] & 15];
	}
	c->id[16] = 0;
}

static const char *keep(struct arena *arena, struct strbuf *text)
{
	const char *kept = arena_strdup(arena, text->buf);

	strbuf_release(text);
	return kept;
}

static const char *precision_of(const struct space *space, const struct point *point)
{
	const char *recipe = point_word(space, point, "RECIPE");

	return recipe ? recipe : CANDIDATE_STRICT;
}

int candidate_make(struct arena *arena, const struct problem_space *ps, size_t sub_index,
		   const struct point *point, struct candidate *c, struct strbuf *why_not)
{
	const struct subspace *sub = &ps->sub[sub_index];
	struct strbuf text = STRBUF_INIT, plan = STRBUF_INIT, symbol = STRBUF_INIT, canonical = STRBUF_INIT;
	struct printed printed = PRINTED_INIT;
	struct tile_program program;
	int ret = sub->skeleton->lower(arena, sub->match, &ps->problem, ps->target, &sub->space, point, &text, why_not);

	if (ret != 1)
		goto out;
	ret = -1;
	/* Unsound text is a bug of ours; what only this target cannot hold is an illegal point. */
	if (tile_parse(arena, text.buf, sub->skeleton->name, &program, why_not) || tile_verify(&program, NULL, why_not))
		goto out;
	ret = 0;
	if (tile_verify(&program, ps->target, why_not) || !sub->lang->accepts(&program, ps->target, why_not))
		goto out;
	ret = -1;
	if (sub->lang->print(&program, ps->target, placeholder, &printed, why_not))
		goto out;
	tile_plan(&program, sub->lang->artifact, placeholder, printed.scratch_bytes, printed.launch, &plan);
	*c = (struct candidate){ .target = ps->target->name, .lang = sub->lang->name, .skeleton = sub->skeleton->name,
				 .origin = "printed", .precision = precision_of(&sub->space, point), .parent = "", .edge = "", .policy = "" };
	c->prologue = printed.prologue.buf;
	c->source = printed.source.buf;
	c->plan = plan.buf;
	make_id(c, sub->lang, ps->target);
	strbuf_addf(&symbol, "km_%s", c->id);
	strbuf_replace(&printed.source, placeholder, symbol.buf);
	strbuf_replace(&plan, placeholder, symbol.buf);
	tile_print(&program, &canonical);
	c->tile = keep(arena, &canonical);
	c->plan = keep(arena, &plan);
	c->prologue = keep(arena, &printed.prologue);
	c->source = keep(arena, &printed.source);
	problem_print(&ps->problem, &canonical);
	c->problem = keep(arena, &canonical);
	point_print(sub, point, &canonical);
	c->knobs = keep(arena, &canonical);
	ret = 1;
out:
	if (ret == -1)
		strbuf_addf(why_not, "\nfrom the text:\n%s", text.buf);
	strbuf_release(&text);
	strbuf_release(&plan);
	strbuf_release(&symbol);
	strbuf_release(&canonical);
	printed_release(&printed);
	return ret;
}

/* Text with one name for another, in the arena. */
static const char *renamed(struct arena *arena, const char *text, const char *from, const char *to)
{
	struct strbuf copy = STRBUF_INIT;

	strbuf_addstr(&copy, text);
	strbuf_replace(&copy, from, to);
	return keep(arena, &copy);
}

/* Gives *c, whose text and plan have the placeholder, its id. */
static void christen(struct arena *arena, struct candidate *c, const struct lang *lang, const struct target *target)
{
	make_id(c, lang, target);
	const char *symbol = arena_printf(arena, "km_%s", c->id);
	c->source = renamed(arena, c->source, placeholder, symbol);
	c->plan = renamed(arena, c->plan, placeholder, symbol);
}

static bool is_of_target(const struct lang *lang, const char *name, const struct target *target, struct strbuf *why_not)
{
	if (lang && !strcmp(lang->artifact, target->artifact))
		return true;
	strbuf_addf(why_not, "'%s' is no language of target '%s'", name, target->name);
	return false;
}

bool candidate_start(struct arena *arena, const struct problem_space *ps, struct candidate *c)
{
	enum { TRIES = 64 };

	for (int last_resort = 0; last_resort < 2; last_resort++)
		for (size_t i = 0; i < ps->sub_count; i++) {
			const struct space *space = &ps->sub[i].space;
			struct rng rng = { i, 0 };
			for (int tries = 0; tries < TRIES && space->is_last_resort == last_resort; tries++) {
				struct strbuf why = STRBUF_INIT;
				struct point point = { { 0 } };
				for (size_t k = 0; k < space->knob_count; k++)
					point.value[k] = tries ? (int16_t)rng_below(&rng, (int64_t)space->knob[k].value_count) : space->knob[k].start;
				int made = candidate_make(arena, ps, i, &point, c, &why);
				strbuf_release(&why);
				if (made == 1)
					return true;
			}
		}
	return false;
}

bool candidate_plan(struct arena *arena, const struct problem_space *ps, struct strbuf *plan)
{
	static const char *const kept[] = { "plan:", "dim:", "static:", "buffer:" };
	struct candidate c;

	if (!candidate_start(arena, ps, &c))
		return false;
	for (const char *line = c.plan; *line; line += strcspn(line, "\n") + 1) {
		bool keeps = false;
		int n = (int)strcspn(line, "\n");
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			keeps |= !strncmp(line, kept[i], strlen(kept[i]));
		const char *role = memmem(line, (size_t)n, " tmp ", 5);
		if (keeps && !role)
			strbuf_addf(plan, "%.*s\n", n, line);
	}
	return true;
}

int candidate_written(struct arena *arena, const struct problem_space *ps, const struct written_source *whole, struct candidate *c,
		    struct strbuf *why_not)
{
	const struct lang *lang = lang_find(whole->lang);
	struct strbuf plan = STRBUF_INIT, why = STRBUF_INIT;
	struct plan parsed;
	int ret = 0;

	if (!is_of_target(lang, whole->lang, ps->target, why_not))
		goto out;
	if (!strstr(whole->source, placeholder)) {
		strbuf_addf(why_not, "the source has no symbol %s_<kernel>", placeholder);
		goto out;
	}
	if (whole->plan) {
		strbuf_addstr(&plan, whole->plan);
	} else {
		if (!candidate_plan(arena, ps, &plan)) {
			strbuf_addstr(why_not, "it has no plan, and there is none to go by");
			goto out;
		}
		for (const char *s = whole->steps; *s; s += strcspn(s, "\n") + (s[strcspn(s, "\n")] != 0))
			strbuf_addf(&plan, "step: %s_%.*s\n", placeholder, (int)strcspn(s, "\n"), s);
	}
	if (plan_parse(arena, plan.buf, "plan", &parsed, &why)) {
		strbuf_addf(why_not, "%s", why.buf);
		goto out;
	}
	*c = (struct candidate){ .target = ps->target->name, .lang = lang->name, .skeleton = "whole", .tile = "", .prologue = "", .origin = whole->origin,
				 .precision = CANDIDATE_STRICT, .parent = "", .edge = "", .policy = "" };
	c->source = arena_strdup(arena, whole->source);
	c->plan = arena_strdup(arena, plan.buf);
	christen(arena, c, lang, ps->target);
	c->knobs = arena_printf(arena, "whole lang=%s", lang->name);
	strbuf_reset(&why);
	problem_print(&ps->problem, &why);
	c->problem = arena_strdup(arena, why.buf);
	ret = 1;
out:
	strbuf_release(&plan);
	strbuf_release(&why);
	return ret;
}

int candidate_adopt(struct arena *arena, const struct problem_space *ps, const struct candidate *given, struct candidate *c, struct strbuf *why_not)
{
	const struct lang *lang = lang_find(given->lang);
	struct strbuf problem = STRBUF_INIT, why = STRBUF_INIT;
	struct plan parsed;
	int ret = 0;

	problem_print(&ps->problem, &problem);
	if (strcmp(given->problem, problem.buf) || strcmp(given->target, ps->target->name)) {
		strbuf_addf(why_not, "it is for problem '%s' and target '%s'", given->problem, given->target);
		goto out;
	}
	if (!is_of_target(lang, given->lang, ps->target, why_not))
		goto out;
	if (plan_parse(arena, given->plan, "plan", &parsed, &why)) {
		strbuf_addf(why_not, "%s", why.buf);
		goto out;
	}
	*c = *given;
	const char *symbol = arena_printf(arena, "km_%s", given->id);
	c->source = renamed(arena, given->source, symbol, placeholder);
	c->plan = renamed(arena, given->plan, symbol, placeholder);
	christen(arena, c, lang, ps->target);
	/* A claim that would be believed where nobody looks. */
	if (!strcmp(c->origin, "printed") && !candidate_is_printed(c))
		c->origin = "foreign";
	ret = 1;
out:
	strbuf_release(&problem);
	strbuf_release(&why);
	return ret;
}

/* The string fields, once: name in JSON, offset in the struct. */
static const struct {
	const char *key;
	size_t offset;
} field[] = {
	{ "problem", offsetof(struct candidate, problem) }, { "target", offsetof(struct candidate, target) },
	{ "lang", offsetof(struct candidate, lang) }, { "skeleton", offsetof(struct candidate, skeleton) },
	{ "knobs", offsetof(struct candidate, knobs) }, { "tile", offsetof(struct candidate, tile) },
	{ "plan", offsetof(struct candidate, plan) }, { "prologue", offsetof(struct candidate, prologue) },
	{ "source", offsetof(struct candidate, source) }, { "origin", offsetof(struct candidate, origin) }, { "precision", offsetof(struct candidate, precision) }, { "parent", offsetof(struct candidate, parent) },
	{ "edge", offsetof(struct candidate, edge) }, { "policy", offsetof(struct candidate, policy) },
};

void candidate_write(const struct candidate *c, struct strbuf *out)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", c->id);
	for (size_t i = 0; i < ARRAY_SIZE(field); i++)
		cJSON_AddStringToObject(o, field[i].key, *(const char *const *)((const char *)c + field[i].offset));
	struct strbuf seed = STRBUF_INIT;
	strbuf_addf(&seed, "%llu", (unsigned long long)c->seed);
	cJSON_AddStringToObject(o, "seed", seed.buf);
	strbuf_release(&seed);
	cJSON_AddNumberToObject(o, "generation", (double)c->generation);
	char *text = cJSON_PrintUnformatted(o);
	strbuf_addf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

int candidate_read(struct arena *arena, const char *line, struct candidate *c, struct strbuf *err)
{
	cJSON *o = cJSON_Parse(line);
	const char *id = o ? cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "id")) : NULL;
	int ret = -1;

	if (!id || strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16) {
		strbuf_addstr(err, "not a candidate: no JSON object with an 'id' of 16 digits");
		goto out;
	}
	*c = (struct candidate){ 0 };
	memcpy(c->id, id, 17);
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, field[i].key));
		/* What says nothing of its origin and has no tile program before it was written elsewhere. */
		if (!value && field[i].offset == offsetof(struct candidate, origin))
			value = *c->tile ? "printed" : "foreign";
		if (!value && field[i].offset == offsetof(struct candidate, precision))
			value = CANDIDATE_STRICT;
		if (!value) {
			strbuf_addf(err, "candidate '%s' has no '%s'", id, field[i].key);
			goto out;
		}
		*(const char **)((char *)c + field[i].offset) = arena_strdup(arena, value);
	}
	const char *seed = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "seed"));
	const cJSON *generation = cJSON_GetObjectItemCaseSensitive(o, "generation");
	c->seed = seed ? strtoull(seed, NULL, 10) : 0;
	c->generation = cJSON_IsNumber(generation) && generation->valuedouble >= 0 && generation->valuedouble < 0x1p53 ? (int64_t)generation->valuedouble : 0;
	ret = 0;
out:
	cJSON_Delete(o);
	return ret;
}

int candidate_read_file(struct arena *arena, const char *path, struct candidate **c, size_t *count,
			struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT, why = STRBUF_INIT;
	size_t lines = 0;
	int ret = -1;

	*count = 0;
	if (!strcmp(path, "-") ? strbuf_read_fd(&text, 0) : strbuf_read_file(&text, path, err)) {
		if (!strcmp(path, "-"))
			strbuf_addstr(err, "cannot read standard input");
		goto out;
	}
	for (const char *s = text.buf; *s; s++)
		lines += *s == '\n';
	*c = ARENA_ARRAY(arena, struct candidate, lines + 1);
	int line = 0;
	for (char *s = text.buf; *s;) {
		size_t n = strcspn(s, "\n");
		char *next = s + n + (s[n] == '\n');
		s[n] = 0;
		line++;
		if (n && candidate_read(arena, s, &(*c)[*count], &why)) {
			strbuf_addf(err, "%s:%d: %s", path, line, why.buf);
			goto out;
		}
		*count += n > 0;
		s = next;
	}
	ret = 0;
out:
	strbuf_release(&text);
	strbuf_release(&why);
	return ret;
}

bool candidate_is_printed(const struct candidate *c)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct problem_space ps;
	struct candidate again;
	struct problem problem;
	struct point point;
	size_t sub;
	const struct target *target = target_find(c->target, &err);
	bool yes = false;

	if (target && !strcmp(c->origin, "printed") && !problem_parse(c->problem, &problem, &err) && !space_open(&ps, &problem, target, &err)) {
		yes = !point_parse(&ps, c->knobs, &sub, &point, &err) && candidate_make(&arena, &ps, sub, &point, &again, &err) == 1 &&
		      !strcmp(again.source, c->source) && !strcmp(again.prologue, c->prologue) && !strcmp(again.plan, c->plan) && !strcmp(again.id, c->id);
		space_close(&ps);
	}
	strbuf_release(&err);
	arena_release(&arena);
	return yes;
}

void candidate_reproduce(const struct candidate *c, struct strbuf *out)
{
	/* What was not printed cannot be printed again: the traces have it. */
	if (*c->origin && strcmp(c->origin, "printed")) {
		strbuf_addf(out, "km-evaluate trace candidate traces.h5 %s | km-evaluate run --problem='%s' --target=%s --journal=trial.journal -", c->id,
			    c->problem, c->target);
		return;
	}
	strbuf_addf(out, "km-generate emit --problem='%s' --target=%s --knobs='%s' | km-evaluate run --problem='%s' --target=%s --journal=trial.journal -",
		    c->problem, c->target, c->knobs, c->problem, c->target);
}
