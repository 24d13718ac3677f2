/*
 * greedy: local search from several tips at once.  A tip is a trial that no trial of a neighbouring
 * point was better than; the best few are searched from, so that each valley counts once however many
 * of its points are good, and the search restarts where the next best tip is.  A quarter of the
 * proposals are points by chance, from which other tips come.  A neighbour differs in one knob, mostly by
 * one step; now and then in two.
 */
#include "generate/proposer.h"

enum { TIPS = 4, LOOKED_THROUGH = 300 };

static bool are_neighbours(const struct trial *a, const struct trial *b, size_t knobs)
{
	size_t differ = 0;

	if (a->sub_index != b->sub_index)
		return false;
	for (size_t k = 0; k < knobs; k++)
		differ += a->point.value[k] != b->point.value[k];
	return differ <= 1;
}

/* The best tips, best first; returns how many. */
static size_t find_tips(const struct proposer *p, size_t *tip)
{
	const struct trial *trial = p->search->seen->trial;
	size_t count = 0;

	for (size_t i = 0; i < p->best_count && i < LOOKED_THROUGH && count < TIPS; i++) {
		bool is_tip = true;
		for (size_t j = 0; j < i && is_tip; j++)
			is_tip = !are_neighbours(&trial[p->best[i]], &trial[p->best[j]], p->search->ps->sub[trial[p->best[i]].sub_index].space.knob_count);
		if (is_tip)
			tip[count++] = p->best[i];
	}
	return count;
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct proposer p;
	size_t tip[TIPS];

	(void)err;
	proposer_init(&p, arena, search, rng, want, out);
	proposer_begin(&p);
	size_t tips = find_tips(&p, tip);
	for (int misses = 0; !proposer_is_full(&p) && misses < 200;) {
		/* The best tip gets most of what does not explore. */
		if (!tips || !rng_below(rng, 4) || misses >= 100) {
			misses += !proposer_explore(&p);
			continue;
		}
		size_t which = (size_t)rng_below(rng, (int64_t)tips);
		if (which && rng_below(rng, 2))
			which = 0;
		const struct trial *t = &search->seen->trial[tip[which]];
		struct point point = t->point;
		proposer_move(&p, t->sub_index, &point);
		if (!rng_below(rng, 3))
			proposer_move(&p, t->sub_index, &point);
		misses += !proposer_add(&p, t->sub_index, &point, t->id, "neighbour");
	}
	return p.count;
}

const struct policy policy_greedy = {
	.name = "greedy",
	.summary = "local search from the best few places that no neighbour is better than, with a share of random points",
	.is_member = true,
	.propose = propose,
};
