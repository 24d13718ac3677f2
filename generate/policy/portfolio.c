/*
 * portfolio: no policy is the best everywhere.  The Gaussian process (kriging) proposes most; of every eight
 * proposals one is another member's, drawn by what the proposals of each came to so far.  A member that proposes
 * nothing leaves its share to the first.  Where there is a language model it has an eighth of each batch, too.
 */
#include "generate/policy.h"

#include <string.h>

enum { OTHERS = 8 }; /* one of so many */

extern const struct policy policy_kriging;

/* How often its proposals were better than all before, by how many there were: one of each to begin with. */
static double credit(const struct history *seen, const struct policy *policy)
{
	double best = 0, gains = 1, trials = 1;

	for (size_t i = 0; i < seen->count; i++) {
		const struct trial *t = &seen->trial[i];
		bool is_own = t->policy && !strcmp(t->policy, policy->name);
		trials += is_own;
		gains += is_own && t->fitness > best;
		best = t->fitness > best ? t->fitness : best;
	}
	return gains / trials;
}

static size_t ask(const struct policy *policy, struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		  struct strbuf *err)
{
	size_t n = want ? policy->propose(arena, search, rng, want, out, err) : 0;

	for (size_t i = 0; i < n; i++)
		out[i].policy = out[i].policy ? out[i].policy : policy->name;
	return n;
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	const struct policy *who = NULL;
	double total = 0;
	size_t n = 0;

	for (size_t i = 0; policy_table[i]; i++)
		total += policy_table[i]->is_member ? credit(search->seen, policy_table[i]) : 0;
	double at = rng_unit(rng) * total;
	for (size_t i = 0; policy_table[i] && at >= 0; i++)
		if (policy_table[i]->is_member) {
			who = policy_table[i];
			at -= credit(search->seen, who);
		}
	/* The whole part, and one more by chance. */
	size_t share = (want + (size_t)rng_below(rng, OTHERS)) / OTHERS;
	/* To begin with all do the same. */
	if (search->seen->count && share < want && who)
		n = ask(who, arena, search, rng, share, out, err);
	return n + ask(&policy_kriging, arena, search, rng, want - n, out + n, err);
}

const struct policy policy_portfolio = {
	.name = "portfolio",
	.summary = "a Gaussian process for most proposals, the other policies, by what they came to, for the rest",
	.asks_model = true,
	.propose = propose,
};
