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

size_t policy_ask(const struct policy *policy, struct arena *arena, const struct search *search, struct rng *rng, size_t want,
		  policy_taker *take, void *user, struct strbuf *err)
{
	size_t count = 0;

	for (int dry = 0; count < want && dry < 60;) {
		struct proposal proposal[64] = { 0 };
		size_t n = policy->propose(arena, search, rng, want - count < 64 ? want - count : 64, proposal, err);
		size_t before = count;
		if (!n)
			break;
		for (size_t i = 0; i < n; i++)
			count += take(&proposal[i], user);
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
	/* Well above 1 the measured peak is in doubt, not the search at its end. */
	if (budget->sol_ratio > 0 && best && best->sol_ratio >= budget->sol_ratio && best->sol_ratio <= 1.05)
		return "speed of light";
	if (budget->stall && best && (int64_t)(seen->count - 1 - seen->best) >= budget->stall)
		return "stall";
	return NULL;
}
