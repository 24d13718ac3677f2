#include "generate/llm.h"
#include "generate/policy.h"

#include <string.h>

#define X(name) extern const struct policy policy_##name;
#include "generate/policy.list"
#undef X

const struct policy *const policy_table[] = {
#define X(name) &policy_##name,
#include "generate/policy.list"
#undef X
	NULL
};

const struct policy *policy_find(const char *text, const char **argument)
{
	size_t n = strcspn(text, ":");

	if (argument)
		*argument = text[n] ? text + n + 1 : "";
	for (size_t i = 0; policy_table[i]; i++)
		if (strlen(policy_table[i]->name) == n && !strncmp(policy_table[i]->name, text, n))
			return policy_table[i];
	return NULL;
}

double history_baseline_sol(const struct history *seen)
{
	for (size_t i = seen->count; i-- > 0;) {
		const struct trial *t = &seen->trial[i];
		if (t->sol_ratio > 0 && t->time_ns > 0 && t->baseline_ns > 0)
			return t->sol_ratio * t->time_ns / t->baseline_ns;
	}
	return 0;
}

/* Is the share reached, and to be believed?  Well above 1 the measured peak is in doubt, not the search at its end. */
static bool is_reached(double sol_ratio, const struct budget *budget)
{
	return budget->sol_ratio > 0 && sol_ratio >= budget->sol_ratio && sol_ratio <= 1.05;
}

static bool beats_baseline(const struct history *seen)
{
	return seen->best < seen->count && seen->trial[seen->best].fitness > 1;
}

/* Of so many candidates a language model is asked for one, where a policy goes on besides. */
enum { MODEL_SHARE = 8 };

/* Takes proposals of a policy's; returns how many were. */
static size_t take_all(const struct policy *policy, struct proposal *proposal, size_t n, policy_taker *take, void *user)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!proposal[i].policy)
			proposal[i].policy = policy->name;
		count += take(&proposal[i], user);
	}
	return count;
}

size_t policy_ask(const struct policy *policy, struct arena *arena, const struct search *search, struct rng *rng, size_t want,
		  policy_taker *take, void *user, struct strbuf *err)
{
	const struct policy *stand_in = policy->stands_in ? policy_find(policy->stands_in, NULL) : NULL;
	size_t count = 0;

	if (policy->asks_model && llm_is_there(search->llm)) {
		const struct policy *model = policy_find("llm", NULL);
		struct proposal proposal[64] = { 0 };
		size_t share = (want + MODEL_SHARE - 1) / MODEL_SHARE;
		count = take_all(model, proposal, model->propose(arena, search, rng, share < 64 ? share : 64, proposal, err), take, user);
	}
	for (int dry = 0, asked = 0; count < want && dry < 60; asked++) {
		struct proposal proposal[64] = { 0 };
		/* Who is outside is not asked again for what it did not answer. */
		size_t before = count, n = policy->is_outside && asked ? 0 : policy->propose(arena, search, rng, want - count < 64 ? want - count : 64, proposal, err);
		if (!n && (count || !stand_in))
			break;
		if (!n) {
			policy = stand_in;
			stand_in = NULL;
			continue;
		}
		count += take_all(policy, proposal, n, take, user);
		dry = count > before ? 0 : dry + 1;
	}
	return count;
}

const char *budget_spent(const struct budget *budget, const struct history *seen)
{
	const struct trial *best = seen->best < seen->count ? &seen->trial[seen->best] : NULL;

	if (budget->evaluations && (int64_t)seen->count >= budget->evaluations)
		return "evaluations";
	if (budget->seconds > 0 && seen->count && seen->trial[seen->count - 1].elapsed_s >= budget->seconds)
		return "seconds";
	if (best && is_reached(best->sol_ratio, budget))
		return "speed of light";
	if (best && !beats_baseline(seen) && is_reached(history_baseline_sol(seen), budget))
		return STOP_NO_WIN ": the baseline is at the speed of light";
	if (budget->stall && best && (int64_t)(seen->count - 1 - seen->best) >= budget->stall)
		return "stall";
	return NULL;
}

static bool is_tried(const struct history *seen, size_t sub_index, const struct point *point, size_t knobs)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->trial[i].is_point && seen->trial[i].sub_index == sub_index && !memcmp(seen->trial[i].point.value, point->value, knobs * sizeof(*point->value)))
			return true;
	return false;
}

/* Is the point legal and its candidate, which other knobs may make too, not among those tried? */
static bool is_left(const struct problem_space *ps, const struct history *seen, size_t sub_index, const struct point *point)
{
	struct arena arena = ARENA_INIT;
	struct strbuf why = STRBUF_INIT;
	struct candidate c;
	bool left = !is_tried(seen, sub_index, point, ps->sub[sub_index].space.knob_count) && candidate_make(&arena, ps, sub_index, point, &c, &why) == 1;

	for (size_t i = 0; left && i < seen->count; i++)
		left = strcmp(seen->trial[i].id, c.id) != 0;
	strbuf_release(&why);
	arena_release(&arena);
	return left;
}

/* The next point in the order of an odometer; false after the last. */
static bool step(const struct space *space, struct point *point)
{
	for (size_t k = space->knob_count; k-- > 0;) {
		if ((size_t)++point->value[k] < space->knob[k].value_count)
			return true;
		point->value[k] = 0;
	}
	return false;
}

const char *space_spent(const struct problem_space *ps, const struct history *seen)
{
	enum { MOST_POINTS = 2048 };
	int64_t points = 0;

	for (size_t i = 0; i < ps->sub_count && points <= MOST_POINTS; i++)
		points += subspace_size(&ps->sub[i]);
	if (points > MOST_POINTS || beats_baseline(seen) || !seen->count || !(seen->trial[seen->count - 1].baseline_ns > 0))
		return "space";
	for (size_t i = 0; i < ps->sub_count; i++) {
		struct point point = { { 0 } };
		do
			if (is_left(ps, seen, i, &point))
				return "space";
		while (step(&ps->sub[i].space, &point));
	}
	return STOP_NO_WIN ": every candidate was tried";
}
