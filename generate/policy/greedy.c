/*
 * greedy: local search from the best few, with a share of random points.  A
 * neighbour differs in one knob, mostly by one step; now and then in two.  When
 * a parent's neighbourhood stops paying, the next best takes its turn, so that
 * the search restarts without forgetting.
 */
#include "generate/policy.h"

#include <string.h>

enum { PARENTS = 4 };

static void random_point(const struct problem_space *ps, struct rng *rng, struct proposal *p)
{
	p->sub_index = (size_t)rng_below(rng, (int64_t)ps->sub_count);
	const struct space *space = &ps->sub[p->sub_index].space;
	for (size_t k = 0; k < space->knob_count; k++)
		p->point.value[k] = (int16_t)rng_below(rng, (int64_t)space->knob[k].value_count);
	p->parent = "";
	p->edge = "random";
}

/* Moves one knob that has a choice, to the next value mostly, to any sometimes. */
static void move(const struct space *space, struct rng *rng, struct point *point)
{
	for (int tries = 0; tries < 32; tries++) {
		size_t k = (size_t)rng_below(rng, (int64_t)space->knob_count);
		int64_t n = (int64_t)space->knob[k].value_count, v = point->value[k];
		if (n < 2)
			continue;
		if (rng_below(rng, 3)) {
			int64_t next = v + (rng_below(rng, 2) ? 1 : -1);
			v = next < 0 ? 1 : next >= n ? n - 2 : next;
		} else {
			v = (v + 1 + rng_below(rng, n - 1)) % n;
		}
		point->value[k] = (int16_t)v;
		return;
	}
}

/* The trials of greatest fitness, best first; returns how many. */
static size_t best_trials(const struct history *seen, size_t *out, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < seen->count; i++) {
		if (!(seen->trial[i].fitness > 0))
			continue;
		size_t at = count;
		while (at > 0 && seen->trial[i].fitness > seen->trial[out[at - 1]].fitness)
			at--;
		if (at >= most)
			continue;
		if (count < most)
			count++;
		memmove(out + at + 1, out + at, (count - at - 1) * sizeof(*out));
		out[at] = i;
	}
	return count;
}

static size_t propose(struct arena *arena, const struct problem_space *ps, const struct history *seen, struct rng *rng,
		      size_t want, struct proposal *out)
{
	size_t parent[PARENTS], parents = best_trials(seen, parent, PARENTS);

	(void)arena;
	for (size_t i = 0; i < want; i++) {
		struct strbuf err = STRBUF_INIT;
		/* A quarter explores; the better half of the parents gets most of the rest. */
		bool explore = !parents || !rng_below(rng, 4);
		size_t which = parents ? (size_t)rng_below(rng, (int64_t)parents) : 0;
		if (which && rng_below(rng, 2))
			which = 0;
		const struct trial *t = parents ? &seen->trial[parent[which]] : NULL;
		if (explore || point_parse(ps, t->knobs, &out[i].sub_index, &out[i].point, &err)) {
			random_point(ps, rng, &out[i]);
		} else {
			const struct space *space = &ps->sub[out[i].sub_index].space;
			move(space, rng, &out[i].point);
			if (!rng_below(rng, 3))
				move(space, rng, &out[i].point);
			out[i].parent = t->id;
			out[i].edge = "neighbour";
		}
		strbuf_release(&err);
	}
	return want;
}

const struct policy policy_greedy = {
	.name = "greedy",
	.summary = "local search from the best few trials, with a share of random points",
	.propose = propose,
};
