#include "generate/space.h"

#include <stdlib.h>
#include <string.h>

static bool lowers_for(const struct skeleton *skeleton, const struct lang *lang, const struct target *target)
{
	return target->warp <= 1 ? !skeleton->needs_warps : (lang->has_tiles ? skeleton->serves_tiles : skeleton->serves_simt);
}

int space_open(struct problem_space *ps, const struct problem *problem, const struct target *target, struct strbuf *err)
{
	struct strbuf why = STRBUF_INIT;
	size_t skeletons = 0, langs = 0;

	*ps = (struct problem_space){ .problem = *problem, .target = target };
	if (normal_form(&ps->arena, problem->op, problem->dtype, problem->attr, &ps->normal, err)) {
		space_close(ps);
		return -1;
	}
	while (skeleton_table[skeletons])
		skeletons++;
	while (lang_table[langs])
		langs++;
	ps->sub = ARENA_ARRAY(&ps->arena, struct subspace, skeletons * langs + 1);
	for (size_t s = 0; s < skeletons; s++) {
		struct strbuf reason = STRBUF_INIT;
		const struct match *match = skeleton_table[s]->match(&ps->arena, &ps->problem, &ps->normal, &reason);
		if (match && !dtype_is_real(problem->dtype) && !skeleton_table[s]->serves_whole) {
			strbuf_addf(&reason, "%s: its tiles hold real numbers only", skeleton_table[s]->name);
			match = NULL;
		}
		if (match && (skeleton_table[s]->isa & ~target->isa)) {
			strbuf_addf(&reason, "%s: '%s' has not its instructions", skeleton_table[s]->name, target->name);
			match = NULL;
		}
		size_t before = ps->sub_count;
		for (size_t l = 0; match && l < langs; l++) {
			if (strcmp(lang_table[l]->artifact, target->artifact) || !lowers_for(skeleton_table[s], lang_table[l], target))
				continue;
			struct subspace *sub = &ps->sub[ps->sub_count++];
			sub->skeleton = skeleton_table[s];
			sub->lang = lang_table[l];
			sub->match = match;
			const char *words[] = { sub->skeleton->name, sub->lang->name };
			for (int k = 0; k < 2; k++) {
				struct space_knob *knob = &sub->space.knob[sub->space.knob_count++];
				knob->name = k ? "lang" : "skeleton";
				knob->value = ARENA_ARRAY(&ps->arena, const char *, 1);
				knob->value[0] = words[k];
				knob->value_count = 1;
			}
			sub->skeleton->knobs(&ps->arena, match, &ps->problem, target, &sub->space);
		}
		if (match && ps->sub_count == before)
			strbuf_addf(&reason, "%s: not for this device so far", skeleton_table[s]->name);
		if (ps->sub_count == before)
			strbuf_addf(&why, "%s%s", why.len ? "; " : "", reason.buf);
		strbuf_release(&reason);
	}
	if (!ps->sub_count) {
		strbuf_addf(err, "no skeleton and language serve '%s' on '%s': %s", problem->op->name, target->name,
			    why.len ? why.buf : "no language makes its artifact");
		strbuf_release(&why);
		space_close(ps);
		return -1;
	}
	strbuf_release(&why);
	return 0;
}

void space_close(struct problem_space *ps)
{
	arena_release(&ps->arena);
	ps->sub_count = 0;
}

bool space_keep_lang(struct problem_space *ps, const char *lang)
{
	size_t kept = 0;

	for (size_t i = 0; i < ps->sub_count; i++)
		if (!strcmp(ps->sub[i].lang->name, lang))
			ps->sub[kept++] = ps->sub[i];
	ps->sub_count = kept;
	return kept > 0;
}

void point_print(const struct subspace *sub, const struct point *point, struct strbuf *out)
{
	for (size_t i = 0; i < sub->space.knob_count; i++)
		strbuf_addf(out, "%s%s=%s", i ? " " : "", sub->space.knob[i].name, sub->space.knob[i].value[point->value[i]]);
}

/* The word after "name=" in text, or NULL. */
static const char *word_of(const char *text, const char *name, size_t *len)
{
	size_t n = strlen(name);

	for (const char *s = text; (s = strstr(s, name)); s += n)
		if ((s == text || s[-1] == ' ') && s[n] == '=') {
			*len = strcspn(s + n + 1, " ");
			return s + n + 1;
		}
	return NULL;
}

static int parse_in(const struct subspace *sub, const char *text, struct point *point, struct strbuf *err)
{
	*point = (struct point){ { 0 } };
	for (size_t i = 0; i < sub->space.knob_count; i++) {
		const struct space_knob *k = &sub->space.knob[i];
		size_t len = 0, v;
		const char *word = word_of(text, k->name, &len);
		if (!word) {
			strbuf_addf(err, "knob '%s' is missing in '%s'", k->name, text);
			return -1;
		}
		for (v = 0; v < k->value_count; v++)
			if (strlen(k->value[v]) == len && !memcmp(k->value[v], word, len))
				break;
		if (v == k->value_count) {
			strbuf_addf(err, "knob '%s' has no value '%.*s': it has", k->name, (int)len, word);
			for (v = 0; v < k->value_count; v++)
				strbuf_addf(err, " %s", k->value[v]);
			return -1;
		}
		point->value[i] = (int16_t)v;
	}
	for (const char *s = text + strspn(text, " "); *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, "="), i;
		for (i = 0; i < sub->space.knob_count; i++)
			if (strlen(sub->space.knob[i].name) == n && !memcmp(sub->space.knob[i].name, s, n))
				break;
		if (i == sub->space.knob_count) {
			strbuf_addf(err, "unknown knob '%.*s' for skeleton '%s'", (int)n, s, sub->skeleton->name);
			return -1;
		}
		s += strcspn(s, " ");
	}
	return 0;
}

int point_parse(const struct problem_space *ps, const char *text, size_t *sub_index,
		struct point *point, struct strbuf *err)
{
	size_t n = 0, m = 0;
	const char *skeleton = word_of(text, "skeleton", &n), *lang = word_of(text, "lang", &m);

	for (size_t i = 0; skeleton && lang && i < ps->sub_count; i++) {
		const struct subspace *sub = &ps->sub[i];
		if (strlen(sub->skeleton->name) == n && !memcmp(sub->skeleton->name, skeleton, n) && strlen(sub->lang->name) == m &&
		    !memcmp(sub->lang->name, lang, m)) {
			*sub_index = i;
			return parse_in(sub, text, point, err);
		}
	}
	strbuf_addf(err, "knobs '%s' name no skeleton and language of this problem: there are", text);
	for (size_t i = 0; i < ps->sub_count; i++)
		strbuf_addf(err, "%s skeleton=%s lang=%s", i ? "," : "", ps->sub[i].skeleton->name, ps->sub[i].lang->name);
	return -1;
}

int64_t subspace_size(const struct subspace *sub)
{
	int64_t n = 1;

	for (size_t i = 0; i < sub->space.knob_count; i++)
		n *= (int64_t)sub->space.knob[i].value_count;
	return n;
}
