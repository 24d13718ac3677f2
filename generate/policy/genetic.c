/*
 * genetic: the best trials of each subspace are parents; a child takes each knob from one of two
 * of them, and now and then a value by chance.
 */
#include "generate/proposer.h"

enum { POPULATION = 20 };

/* A parent among the first so many of the best, the better the likelier: the best of two drawn. */
static size_t draw_parent(struct proposer *p, size_t population)
{
	size_t a = (size_t)rng_below(p->rng, (int64_t)population), b = (size_t)rng_below(p->rng, (int64_t)population);

	return a < b ? a : b;
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct proposer p;
	const struct trial *trial = search->seen->trial;

	(void)err;
	proposer_init(&p, arena, search, rng, want, out);
	proposer_begin(&p);
	size_t population = p.best_count < POPULATION ? p.best_count : POPULATION;
	for (int misses = 0; !proposer_is_full(&p) && misses < 200;) {
		if (search->seen->count + p.count < POPULATION || population < 2 || misses >= 100) {
			misses += !proposer_explore(&p);
			continue;
		}
		const struct trial *mother = &trial[p.best[draw_parent(&p, population)]], *father = &trial[p.best[draw_parent(&p, population)]];
		struct point child = mother->point;
		size_t sub = mother->sub_index, knob[SPACE_MAX_KNOBS], knobs = proposer_free_knobs(&p, sub, knob);
		for (size_t k = 0; k < knobs; k++) {
			const struct space_knob *value = &search->ps->sub[sub].space.knob[knob[k]];
			if (father->sub_index == sub && rng_below(rng, 2))
				child.value[knob[k]] = father->point.value[knob[k]];
			if (!rng_below(rng, (int64_t)knobs))
				child.value[knob[k]] = (int16_t)rng_below(rng, (int64_t)value->value_count);
		}
		misses += !proposer_add(&p, sub, &child, mother->id, "crossover");
	}
	return p.count;
}

const struct policy policy_genetic = {
	.name = "genetic",
	.summary = "children of the best twenty trials: each knob from one of two parents, or by chance",
	.is_member = true,
	.propose = propose,
};
