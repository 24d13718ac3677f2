/*
 * greedy: local search from the best few, with a share of random points.  A
 * neighbour differs in one knob, mostly by one step; now and then in two.  When
 * a parent's neighbourhood stops paying, the next best takes its turn, so that
 * the search restarts without forgetting.
 *
 * Before there are parents it begins with what skeletons say to begin with, and its
 * neighbours.  A skeleton in a language whose first few trials were far behind the best gets no
 * more: the slowest candidates cost the most.
 */
#include "generate/policy.h"

#include <string.h>

enum { PARENTS = 4, FIRST_TRIALS = 3, FAR_BEHIND = 5 };

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

static void random_point(const struct problem_space *ps, size_t sub, struct rng *rng, struct proposal *p)
{
	const struct space *space = &ps->sub[sub].space;

	p->sub_index = sub;
	for (size_t k = 0; k < space->knob_count; k++)
		p->point.value[k] = (int16_t)rng_below(rng, (int64_t)space->knob[k].value_count);
	p->parent = "";
	p->edge = "random";
}

/* The point that the skeleton begins with, after so many moves. */
static void start_point(const struct problem_space *ps, size_t sub, int64_t moves, struct rng *rng, struct proposal *p)
{
	const struct space *space = &ps->sub[sub].space;

	p->sub_index = sub;
	for (size_t k = 0; k < space->knob_count; k++)
		p->point.value[k] = space->knob[k].start;
	while (moves-- > 0)
		move(space, rng, &p->point);
	p->parent = "";
	p->edge = "start";
}

/* Subspaces that are worth another trial; *count of them in out[]. */
static const size_t *promising(struct arena *arena, const struct problem_space *ps, const struct history *seen, size_t *count)
{
	size_t *tried = ARENA_ARRAY(arena, size_t, ps->sub_count), *out = ARENA_ARRAY(arena, size_t, ps->sub_count);
	double *best = ARENA_ARRAY(arena, double, ps->sub_count), all = 0;

	for (size_t i = 0; i < seen->count; i++) {
		const struct trial *t = &seen->trial[i];
		if (!t->is_point)
			continue;
		tried[t->sub_index]++;
		best[t->sub_index] = t->fitness > best[t->sub_index] ? t->fitness : best[t->sub_index];
		all = t->fitness > all ? t->fitness : all;
	}
	*count = 0;
	for (size_t i = 0; i < ps->sub_count; i++)
		if ((tried[i] < FIRST_TRIALS || best[i] * FAR_BEHIND >= all) && !ps->sub[i].space.is_last_resort)
			out[(*count)++] = i;
	for (size_t i = 0; i < ps->sub_count && !*count; i++)
		out[i] = i;
	*count = *count ? *count : ps->sub_count;
	return out;
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

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	const struct problem_space *ps = search->ps;
	const struct history *seen = search->seen;
	size_t parent[PARENTS], parents = best_trials(seen, parent, PARENTS), subs;
	const size_t *sub = promising(arena, ps, seen, &subs);

	(void)err;
	for (size_t i = 0; i < want; i++) {
		/* A quarter explores; the better half of the parents gets most of the rest. */
		bool explore = !parents || !rng_below(rng, 4);
		size_t which = parents ? (size_t)rng_below(rng, (int64_t)parents) : 0;
		if (which && rng_below(rng, 2))
			which = 0;
		const struct trial *t = parents ? &seen->trial[parent[which]] : NULL;
		size_t any = parents ? (size_t)rng_below(rng, (int64_t)subs) : i % subs;
		bool is_first = !parents && i < subs;
		/* Of these none may have a legal point. */
		size_t which_sub = !parents && !is_first && !rng_below(rng, 16) ? (size_t)rng_below(rng, (int64_t)ps->sub_count) : sub[any];
		if (explore && ps->sub[which_sub].space.has_start && (is_first || rng_below(rng, 4))) {
			start_point(ps, which_sub, is_first ? 0 : 1 + rng_below(rng, 2), rng, &out[i]);
		} else if (explore || !t->is_point) {
			random_point(ps, which_sub, rng, &out[i]);
		} else {
			const struct space *space = &ps->sub[t->sub_index].space;
			out[i].sub_index = t->sub_index;
			out[i].point = t->point;
			move(space, rng, &out[i].point);
			if (!rng_below(rng, 3))
				move(space, rng, &out[i].point);
			out[i].parent = t->id;
			out[i].edge = "neighbour";
		}
	}
	return want;
}

const struct policy policy_greedy = {
	.name = "greedy",
	.summary = "local search from the best few trials, with a share of random points",
	.propose = propose,
};
