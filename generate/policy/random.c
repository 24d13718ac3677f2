#include "generate/proposer.h"

/* What relatives knew, then uniform over subspaces, then over each knob. */
static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct proposer p;

	(void)err;
	proposer_init(&p, arena, search, rng, want, out);
	proposer_relatives(&p);
	for (size_t misses = 0; !proposer_is_full(&p) && misses < 4 * search->ps->sub_count + 16;) {
		size_t sub = (size_t)rng_below(rng, (int64_t)search->ps->sub_count);
		struct point point;
		misses += !(proposer_random_point(&p, sub, &point) && proposer_add(&p, sub, &point, "", "random"));
	}
	return p.count;
}

const struct policy policy_random = {
	.name = "random",
	.summary = "uniform over skeletons and languages, then over every knob",
	.propose = propose,
};
