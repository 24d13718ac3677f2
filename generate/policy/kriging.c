/*
 * kriging: a Gaussian process over each subspace (gauss.h) says what to expect of the neighbours of the
 * best trials, and of those points by chance, and their neighbours, that promise most; those of the greatest
 * expected improvement are proposed, each chosen as if those before it had come out as expected.
 *
 * When it has been long since a trial was better than all before, half of the proposals go down from
 * another place, drawn by chance, to the neighbours that promise most against where the descent is.
 */
#include "generate/gauss.h"
#include "generate/proposer.h"

#include <math.h>
#include <string.h>

enum { BEGIN = 12, FEWEST = 4, LESSONS = 200, FIT = 64, BY_CHANCE = 300, SEEDS = 6, POOL = 600, STUCK = 64 };
#define HARDLY 1.02
#define SLOWER 0.7   /* twice as slow */
#define UNLIKELY 1.6 /* standard deviations: about one in twenty */

/* A subspace, what is known of it and what is looked at in it. */
struct ground {
	size_t sub_index;
	struct gauss gauss;
	struct pool pool;
};

static bool learn(struct proposer *p, struct ground *g, size_t lessons, double slowest)
{
	size_t knob[SPACE_MAX_KNOBS], dims = proposer_free_knobs(p, g->sub_index, knob);
	size_t *trial = ARENA_ARRAY(p->arena, size_t, lessons), n = proposer_lessons(p, g->sub_index, lessons, trial);
	size_t *levels = ARENA_ARRAY(p->arena, size_t, dims);
	int16_t *x = ARENA_ARRAY(p->arena, int16_t, n * dims);
	double *y = ARENA_ARRAY(p->arena, double, n);

	for (size_t k = 0; k < dims; k++)
		levels[k] = p->search->ps->sub[g->sub_index].space.knob[knob[k]].value_count;
	for (size_t i = 0; i < n; i++) {
		const struct trial *t = &p->search->seen->trial[trial[i]];
		proposer_place(p, g->sub_index, &t->point, x + i * dims);
		y[i] = proposer_time(t, slowest);
	}
	return gauss_learn(&g->gauss, p->arena, x, y, n, levels, dims, FIT, p->rng);
}

static void look(struct proposer *p, struct gauss *gauss, const struct pool *pool, size_t room)
{
	int16_t *at = ARENA_ARRAY(p->arena, int16_t, pool->count * gauss->dims);

	for (size_t i = 0; i < pool->count; i++)
		proposer_place(p, pool->sub_index, &pool->point[i], at + i * gauss->dims);
	gauss_look(gauss, at, pool->count, room);
}

/* The most promising point that is not gone; its gain (log) in *gain, or -INFINITY. */
static size_t most_promising(const struct gauss *gauss, const struct pool *pool, double best, double *gain)
{
	size_t which = 0;

	*gain = -INFINITY;
	for (size_t i = 0; i < pool->count; i++) {
		double own = pool->gone[i] ? -INFINITY : gauss_log_improvement(gauss, i, best);
		if (own > *gain) {
			*gain = own;
			which = i;
		}
	}
	return which;
}

/* Looks at points by chance, then at the most promising of them, their neighbours and those of the best trials. */
static void fill_pool(struct proposer *p, struct ground *g, double best, size_t by_chance, size_t most)
{
	struct pool chance;
	double gain;

	pool_init(&chance, p, g->sub_index, by_chance);
	pool_add_chance(&chance, p, by_chance);
	look(p, &g->gauss, &chance, 0);
	pool_init(&g->pool, p, g->sub_index, most);
	for (int i = 0; i < SEEDS; i++) {
		size_t which = most_promising(&g->gauss, &chance, best, &gain);
		if (isinf(gain))
			break;
		chance.gone[which] = true;
		pool_add(&g->pool, p, &chance.point[which], "");
		pool_add_neighbours(&g->pool, p, &chance.point[which], "");
	}
	pool_add_best(&g->pool, p);
	look(p, &g->gauss, &g->pool, p->want);
}

/* ---- descents from elsewhere ----------------------------------------- */

/* The best trial of the last descent, or count: there is none, or its start failed. */
static size_t last_descent(const struct history *seen)
{
	size_t start = seen->count, best;

	while (start > 0 && !(seen->trial[start - 1].is_point && !strcmp(seen->trial[start - 1].edge, "restart")))
		start--;
	if (!start)
		return seen->count;
	best = start - 1;
	for (size_t i = start; i < seen->count; i++)
		if (seen->trial[i].is_point && !strcmp(seen->trial[i].edge, "descent") && seen->trial[i].fitness > seen->trial[best].fitness)
			best = i;
	return seen->trial[best].fitness > 0 ? best : seen->count;
}

/* Has it been long since the best came up, or what is hardly slower? */
static bool is_stuck(const struct history *seen)
{
	size_t first = 0;

	if (seen->best >= seen->count)
		return false;
	while (seen->trial[first].fitness * HARDLY < seen->trial[seen->best].fitness)
		first++;
	return first + STUCK < seen->count;
}

/* The neighbours of `from` that promise most against it, as many as there is room for; none when it is the end of a descent. */
static void descend(struct proposer *p, const struct trial *from, size_t most)
{
	struct ground g = { .sub_index = from->sub_index };
	double own = -log(from->fitness), gain;
	size_t before = p->count;

	pool_init(&g.pool, p, from->sub_index, proposer_neighbour_count(p, from->sub_index) + 1);
	pool_add_neighbours(&g.pool, p, &from->point, from->id);
	/* What is slower than where it is does tell, here. */
	if (!g.pool.count || !learn(p, &g, LESSONS, fmax(proposer_slowest(p), own + SLOWER)))
		return;
	look(p, &g.gauss, &g.pool, most);
	while (!proposer_is_full(p) && p->count < before + most) {
		size_t which = most_promising(&g.gauss, &g.pool, own, &gain);
		if (isinf(gain) || (own - g.gauss.expected[which]) < -UNLIKELY * g.gauss.unsure[which])
			break;
		g.pool.gone[which] = true;
		if (proposer_add(p, g.sub_index, &g.pool.point[which], from->id, "descent"))
			gauss_believe(&g.gauss, which);
	}
}

/* Stuck at a place, a search goes down from others, one after another. */
static void begin_elsewhere(struct proposer *p, size_t most)
{
	const struct history *seen = p->search->seen;
	size_t last = last_descent(seen), before = p->count;
	struct point point;

	if (last < seen->count)
		descend(p, &seen->trial[last], most);
	if (p->count > before)
		return;
	size_t sub_index = p->sub[rng_below(p->rng, (int64_t)p->sub_count)];
	if (proposer_random_point(p, sub_index, &point))
		proposer_add(p, sub_index, &point, "", "restart");
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct proposer p;
	size_t grounds = 0;
	int misses = 0;

	(void)err;
	proposer_init(&p, arena, search, rng, want, out);
	proposer_begin(&p);
	while (!proposer_is_full(&p) && misses < 50 && (search->seen->count + p.count < BEGIN || p.best_count < FEWEST))
		misses += !proposer_explore(&p);
	double best = p.best_count ? -log(search->seen->trial[p.best[0]].fitness) : 0;
	if (is_stuck(search->seen) && !proposer_is_full(&p))
		begin_elsewhere(&p, (want + 1) / 2);
	struct ground *ground = ARENA_ARRAY(arena, struct ground, p.sub_count);
	for (size_t i = 0; i < p.sub_count && !proposer_is_full(&p); i++) {
		ground[grounds] = (struct ground){ .sub_index = p.sub[i] };
		if (learn(&p, &ground[grounds], LESSONS / p.sub_count + 1, proposer_slowest(&p)))
			fill_pool(&p, &ground[grounds++], best, BY_CHANCE / p.sub_count + 1, POOL / p.sub_count + 1);
	}
	while (!proposer_is_full(&p)) {
		double most = -INFINITY, gain;
		struct ground *where = NULL;
		size_t which = 0;
		for (struct ground *g = ground; g < ground + grounds; g++) {
			size_t i = most_promising(&g->gauss, &g->pool, best, &gain);
			if (gain > most) {
				most = gain;
				where = g;
				which = i;
			}
		}
		if (!where)
			break;
		where->pool.gone[which] = true;
		if (proposer_add(&p, where->sub_index, &where->pool.point[which], where->pool.parent[which], "model"))
			gauss_believe(&where->gauss, which);
	}
	while (!proposer_is_full(&p) && misses < 50)
		misses += !proposer_explore(&p);
	return p.count;
}

const struct policy policy_kriging = {
	.name = "kriging",
	.summary = "greatest expected improvement by a Gaussian process over the knobs",
	.propose = propose,
};
