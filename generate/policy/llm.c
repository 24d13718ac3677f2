/*
 * llm: a language model proposes.  One operator for all of it, in four memory modes: inherit (one parent, to be put right
 * or made faster), compare and combine (two trials), clean-slate (none).  It is asked for knobs under a schema made from
 * the space, or for a whole source.
 *
 *   --policy=llm            both, half of each where whole sources are taken
 *   --policy=llm:knobs      --policy=llm:sources
 *
 * Pure given the transcript (llm.h): what is asked depends on the search and its generator alone.
 */
#include "generate/llm.h"
#include "generate/llm_json.h"
#include "generate/llm_prompt.h"
#include "generate/policy.h"
#include "generate/whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PROPOSALS = 4, BEST = 4 };

/* The trials of greatest fitness, best first; returns how many. */
static size_t best_trials(const struct history *seen, size_t *out, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < seen->count; i++) {
		size_t at = count;
		if (!(seen->trial[i].fitness > 0))
			continue;
		while (at > 0 && seen->trial[i].fitness > seen->trial[out[at - 1]].fitness)
			at--;
		if (at >= most)
			continue;
		count += count < most;
		memmove(out + at + 1, out + at, (count - at - 1) * sizeof(*out));
		out[at] = i;
	}
	return count;
}

/* A whole source that did not pass, the latest: it may be put right. */
static const struct trial *broken_source(const struct search *search)
{
	for (size_t i = search->seen->count; i-- > 0;) {
		const struct trial *t = &search->seen->trial[i];
		const struct feedback *f = t->fitness > 0 || t->is_point ? NULL : feedback_find(search->feedback, t->id);
		if (f && *f->source && strcmp(t->verdict, "NOT_MEASURED"))
			return t;
	}
	return NULL;
}

static size_t sub_of_lang(const struct search *search, const char *lang)
{
	for (size_t i = 0; i < search->ps->sub_count; i++)
		if (!strcmp(search->ps->sub[i].lang->name, lang))
			return i;
	return 0;
}

/* Where to look without a parent: no last resort, unless there is nothing else. */
static size_t any_sub(const struct search *search, struct rng *rng)
{
	const struct problem_space *ps = search->ps;
	size_t at = 0;

	for (int tries = 0; tries < 16; tries++) {
		at = (size_t)rng_below(rng, (int64_t)ps->sub_count);
		if (!ps->sub[at].space.is_last_resort)
			break;
	}
	return at;
}

static void choose_trials(const struct search *search, struct rng *rng, struct prompt_plan *plan)
{
	const struct history *seen = search->seen;
	size_t best[BEST], count = best_trials(seen, best, BEST);
	const struct trial *broken = plan->wants_source ? broken_source(search) : NULL;

	plan->mode = (enum memory_mode)rng_below(rng, MODE_COUNT);
	if (broken && rng_below(rng, 2)) {
		plan->mode = MODE_INHERIT;
		plan->parent = broken;
		return;
	}
	if (!count || (count < 2 && plan->mode == MODE_COMBINE))
		plan->mode = MODE_CLEAN_SLATE;
	if (plan->mode == MODE_CLEAN_SLATE)
		return;
	size_t first = (size_t)rng_below(rng, (int64_t)count);
	plan->parent = &seen->trial[best[first]];
	if (plan->mode == MODE_COMBINE)
		plan->other = &seen->trial[best[(first + 1 + (size_t)rng_below(rng, (int64_t)count - 1)) % count]];
	/* A sibling: any that passed and is slower; without one there is nothing to compare with. */
	for (int tries = 0; plan->mode == MODE_COMPARE && !plan->other && tries < 64; tries++) {
		const struct trial *t = &seen->trial[rng_below(rng, (int64_t)seen->count)];
		if (t != plan->parent && t->fitness > 0 && t->fitness < plan->parent->fitness)
			plan->other = t;
	}
	if (!plan->other)
		plan->mode = MODE_INHERIT;
}

static bool serves_sources(const struct search *search)
{
	for (size_t i = 0; i < search->ps->sub_count; i++)
		if (whole_serves(search->ps->sub[i].lang))
			return true;
	return false;
}

static void choose(const struct search *search, struct rng *rng, size_t want, struct prompt_plan *plan)
{
	bool can = serves_sources(search);

	plan->wants_source = can && strcmp(search->argument, "knobs") && (!strcmp(search->argument, "sources") || rng_below(rng, 2));
	plan->most_proposals = want < MOST_PROPOSALS ? (int64_t)want : MOST_PROPOSALS;
	choose_trials(search, rng, plan);
	plan->sub_index = plan->parent && plan->parent->is_point ? plan->parent->sub_index : any_sub(search, rng);
	if (plan->wants_source) {
		const struct feedback *f = plan->parent ? feedback_find(search->feedback, plan->parent->id) : NULL;
		if (f && *f->source)
			plan->sub_index = sub_of_lang(search, f->lang);
		for (size_t i = 0; i < search->ps->sub_count && !whole_serves(search->ps->sub[plan->sub_index].lang); i++)
			plan->sub_index = i;
	}
	snprintf(plan->fence, sizeof(plan->fence), "%016llx", (unsigned long long)rng_next(rng));
}

/* ---- answers ----------------------------------------------------------- */

/* The point that a proposal sets; false where it names what the space has not. */
static bool take_knobs(const struct space *space, const cJSON *o, struct point *point)
{
	for (const cJSON *c = o->child; c; c = c->next) {
		char number[32];
		const char *word = cJSON_GetStringValue(c);
		bool found = false;
		if (cJSON_IsNumber(c) && c->valuedouble == (double)(int64_t)c->valuedouble) {
			snprintf(number, sizeof(number), "%lld", (long long)c->valuedouble);
			word = number;
		}
		for (size_t k = 0; k < space->knob_count && word && !found; k++)
			for (size_t v = 0; v < space->knob[k].value_count && !strcmp(space->knob[k].name, c->string) && !found; v++)
				if (!strcmp(space->knob[k].value[v], word)) {
					point->value[k] = (int16_t)v;
					found = true;
				}
		if (!found)
			return false;
	}
	return true;
}

static struct point base_point(const struct search *search, const struct prompt_plan *plan)
{
	const struct space *space = &search->ps->sub[plan->sub_index].space;
	struct point point = { { 0 } };

	if (plan->parent && plan->parent->is_point && plan->parent->sub_index == plan->sub_index)
		return plan->parent->point;
	for (size_t k = 0; k < space->knob_count; k++)
		point.value[k] = space->knob[k].start;
	return point;
}

static size_t take_settings(const struct search *search, const struct prompt_plan *plan, const char *answer, size_t want, struct proposal *out, const char **why)
{
	const char *text = answer, *block;
	size_t length = strlen(answer), count = 0;

	/* Some put JSON into a fence; then it is the only one. */
	if (strstr(answer, "```")) {
		if (chat_fenced(answer, &block, &length, why))
			return 0;
		text = block;
	}
	cJSON *root = llm_json_read(text, length, why);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "proposals");
	if (root)
		*why = cJSON_IsArray(list) ? "no legal setting of knobs" : "no list of 'proposals'";
	for (const cJSON *c = cJSON_IsArray(list) ? list->child : NULL; c && count < want; c = c->next) {
		struct point point = base_point(search, plan);
		if (!cJSON_IsObject(c) || !take_knobs(&search->ps->sub[plan->sub_index].space, c, &point)) {
			*why = "values that the knobs do not have";
			continue;
		}
		out[count].sub_index = plan->sub_index;
		out[count++].point = point;
	}
	cJSON_Delete(root);
	return count;
}

static size_t take_source(struct arena *arena, const struct search *search, const struct prompt_plan *plan, const char *answer, struct proposal *out, const char **why)
{
	struct strbuf why_not = STRBUF_INIT;
	struct candidate *c = ARENA_ARRAY(arena, struct candidate, 1);
	const char *block;
	size_t length;

	if (chat_fenced(answer, &block, &length, why))
		return 0;
	int made = whole_make(arena, search->ps, search->ps->sub[plan->sub_index].lang, arena_strndup(arena, block, length), "model", c, &why_not);
	if (made == 1) {
		out->whole = c;
		out->sub_index = plan->sub_index;
	} else {
		*why = arena_strdup(arena, why_not.buf);
	}
	strbuf_release(&why_not);
	return made == 1;
}

/* Ids of what the answer gave, for the transcript: those of legal points and of sources. */
static const char *ids_of(struct arena *arena, const struct search *search, const struct proposal *p, size_t count)
{
	struct strbuf ids = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		struct arena scratch = ARENA_INIT;
		struct strbuf why = STRBUF_INIT;
		struct candidate c;
		if (p[i].whole)
			c = *p[i].whole;
		if (p[i].whole || candidate_make(&scratch, search->ps, p[i].sub_index, &p[i].point, &c, &why) == 1)
			strbuf_addf(&ids, "%s%s", ids.len ? " " : "", c.id);
		strbuf_release(&why);
		arena_release(&scratch);
	}
	const char *kept = arena_strdup(arena, ids.buf);
	strbuf_release(&ids);
	return kept;
}

/* ---- asking ------------------------------------------------------------ */

static bool is_known(const struct search *search, const struct proposal *out, size_t count, const struct proposal *p)
{
	const struct history *seen = search->seen;

	if (p->whole)
		return false;
	size_t bytes = search->ps->sub[p->sub_index].space.knob_count * sizeof(p->point.value[0]);
	for (size_t i = 0; i < seen->count; i++)
		if (seen->trial[i].is_point && seen->trial[i].sub_index == p->sub_index && !memcmp(seen->trial[i].point.value, p->point.value, bytes))
			return true;
	for (size_t i = 0; i < count; i++)
		if (!out[i].whole && out[i].sub_index == p->sub_index && !memcmp(out[i].point.value, p->point.value, bytes))
			return true;
	return false;
}

/* One exchange: up to `want` proposals.  -1: nobody answered, *why. */
static int ask(struct arena *arena, const struct search *search, int64_t number, uint64_t batch_seed, const char *knowledge,
	       size_t want, struct proposal *out, struct strbuf *why)
{
	/* Each question has its own generator: what is asked at a place of a search hangs on no question before it. */
	struct rng own = { batch_seed, (uint64_t)(number + 1) << 32 }, *rng = &own;
	const struct llm_settings *settings = llm_settings_of(search->llm);
	struct prompt_plan plan = { .most_bytes = (size_t)settings->prompt_bytes, .knowledge = knowledge };
	struct strbuf system = STRBUF_INIT, prompt = STRBUF_INIT, schema = STRBUF_INIT, problem = STRBUF_INIT;
	const char *unfit = "";
	struct exchange x;
	size_t count = 0;

	choose(search, rng, want, &plan);
	prompt_write(search, &plan, &system, &prompt);
	if (!plan.wants_source)
		prompt_schema(search, &plan, &schema);
	problem_print(&search->ps->problem, &problem);
	const struct llm_question q = {
		.problem = arena_strdup(arena, problem.buf), .target = search->ps->target->name, .mode = memory_mode_name(plan.mode),
		.wants = plan.wants_source ? search->ps->sub[plan.sub_index].lang->name : "knobs", .batch_seed = batch_seed, .number = number,
		.model = llm_model_of(settings, rng), .seed = rng_next(rng), .system = arena_strdup(arena, system.buf), .prompt = arena_strdup(arena, prompt.buf),
		.schema = plan.wants_source ? NULL : arena_strdup(arena, schema.buf),
	};
	int answered = llm_ask(arena, search->llm, &q, &x, why);
	if (!answered) {
		count = plan.wants_source ? take_source(arena, search, &plan, x.answer, out, &unfit)
					  : take_settings(search, &plan, x.answer, want < MOST_PROPOSALS ? want : MOST_PROPOSALS, out, &unfit);
		x.candidates = ids_of(arena, search, out, count);
		x.outcome = *x.candidates ? x.outcome : LLM_UNFIT;
		x.words = *x.candidates ? x.words : unfit;
	}
	/* Before it is used it is kept: what cannot be replayed is not tried. */
	if (llm_keep(search->llm, &x, why)) {
		answered = -1;
		count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		out[i].parent = plan.parent ? plan.parent->id : "";
		out[i].edge = q.mode;
	}
	strbuf_release(&system);
	strbuf_release(&prompt);
	strbuf_release(&schema);
	strbuf_release(&problem);
	return answered ? -1 : (int)count;
}

/* Told before: trials were made, and of the last batch none was a model's. */
static bool is_told(const struct history *seen)
{
	int64_t last = seen->count ? seen->trial[seen->count - 1].generation : 0;

	for (size_t i = seen->count; i-- > 0 && seen->trial[i].generation == last;)
		if (!strcmp(seen->trial[i].policy, "llm"))
			return false;
	return seen->count > 0;
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct strbuf why = STRBUF_INIT, knowledge = STRBUF_INIT;
	uint64_t batch_seed = rng->seed;
	size_t count = 0;

	if (*search->argument && strcmp(search->argument, "knobs") && strcmp(search->argument, "sources")) {
		strbuf_addf(&why, "it is llm, llm:knobs or llm:sources, not llm:%.40s", search->argument);
	} else if (!search->llm) {
		strbuf_addstr(&why, "no model is opened for this search");
	} else {
		knowledge_folder(&knowledge);
		for (int64_t number = 0; count < want && number < llm_settings_of(search->llm)->exchanges; number++) {
			struct proposal got[MOST_PROPOSALS] = { 0 };
			int n = ask(arena, search, number, batch_seed, knowledge.buf, want - count, got, &why);
			if (n < 0)
				break;
			for (int i = 0; i < n; i++)
				if (!is_known(search, out, count, &got[i]))
					out[count++] = got[i];
		}
		if (!why.len && !count)
			strbuf_addstr(&why, "nothing of its answers can be tried");
	}
	if (why.len && !is_told(search->seen))
		strbuf_addf(err, "the language model proposes nothing%s: %s", count ? " more" : "", why.buf);
	strbuf_release(&why);
	strbuf_release(&knowledge);
	return count;
}

const struct policy policy_llm = {
	.name = "llm",
	.summary = "a language model, by trials, diagnosis and knowledge: knobs, or whole sources (llm:knobs, llm:sources)",
	.is_outside = true,
	.stands_in = "greedy",
	.propose = propose,
};
