#include "generate/proposer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_TRIALS = 3, FAR_BEHIND = 5, POOL_PARENTS = 10 };
/* Between the best (0) and the median (1), of the trials that passed: what is slower counts as this. */
#define SLOWEST 0.6

/* ---- what is known --------------------------------------------------- */

/*
 * Subspaces that are worth another trial; *count of them.  A skeleton in a language whose first few trials were far behind
 * the best gets no more: the slowest candidates cost the most.
 */
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

static int by_fitness(const void *a, const void *b, void *user)
{
	const struct history *seen = user;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	double u = seen->trial[x].fitness, v = seen->trial[y].fitness;

	return u > v ? -1 : u < v ? 1 : (x > y) - (x < y);
}

struct word_at {
	const char *word;
	int16_t position;
};

/* Numbers in ascending order; other words stay where they are. */
static int by_number(const void *a, const void *b)
{
	const struct word_at *x = a, *y = b;
	char *end_x, *end_y;
	double u = strtod(x->word, &end_x), v = strtod(y->word, &end_y);

	if (!*end_x && !*end_y && u != v)
		return u < v ? -1 : 1;
	return x->position - y->position;
}

static void rank_values(struct proposer *p, size_t sub_index)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;

	for (size_t k = 0; k < space->knob_count; k++) {
		const struct space_knob *knob = &space->knob[k];
		size_t n = knob->value_count;
		bool numbers = true;
		struct word_at *word = ARENA_ARRAY(p->arena, struct word_at, n);
		int16_t *rank = ARENA_ARRAY(p->arena, int16_t, n), *position = ARENA_ARRAY(p->arena, int16_t, n);
		for (size_t v = 0; v < n; v++) {
			char *end;
			word[v] = (struct word_at){ knob->value[v], (int16_t)v };
			strtod(knob->value[v], &end);
			numbers &= !*end;
		}
		if (numbers)
			qsort(word, n, sizeof(*word), by_number);
		for (size_t v = 0; v < n; v++) {
			rank[word[v].position] = (int16_t)v;
			position[v] = word[v].position;
		}
		p->rank[k][sub_index] = rank;
		p->position[k][sub_index] = position;
	}
}

void proposer_init(struct proposer *p, struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out)
{
	const struct history *seen = search->seen;
	size_t *best = ARENA_ARRAY(arena, size_t, seen->count);

	*p = (struct proposer){ .arena = arena, .search = search, .rng = rng, .out = out, .want = want, .best = best };
	p->sub = promising(arena, search->ps, seen, &p->sub_count);
	point_set_init(&p->closed, arena, seen->count + 4 * want);
	for (size_t i = 0; i < seen->count; i++) {
		if (!seen->trial[i].is_point)
			continue;
		point_set_add(&p->closed, seen->trial[i].sub_index, &seen->trial[i].point, i);
		if (seen->trial[i].fitness > 0)
			best[p->best_count++] = i;
	}
	qsort_r(best, p->best_count, sizeof(*best), by_fitness, (void *)(uintptr_t)seen);
	for (size_t k = 0; k < SPACE_MAX_KNOBS; k++) {
		p->rank[k] = ARENA_ARRAY(arena, int16_t *, search->ps->sub_count);
		p->position[k] = ARENA_ARRAY(arena, int16_t *, search->ps->sub_count);
	}
	for (size_t s = 0; s < search->ps->sub_count; s++)
		rank_values(p, s);
}

bool proposer_is_full(const struct proposer *p)
{
	return p->count >= p->want;
}

bool proposer_is_free(struct proposer *p, size_t sub_index, const struct point *point)
{
	const struct search *search = p->search;

	if (point_set_find(&p->closed, sub_index, point, NULL))
		return false;
	if (!search->is_new || search->is_new(search, sub_index, point))
		return true;
	point_set_add(&p->closed, sub_index, point, 0);
	return false;
}

bool proposer_add(struct proposer *p, size_t sub_index, const struct point *point, const char *parent, const char *edge)
{
	if (proposer_is_full(p) || !proposer_is_free(p, sub_index, point))
		return false;
	point_set_add(&p->closed, sub_index, point, 0);
	p->out[p->count++] = (struct proposal){ .sub_index = sub_index, .point = *point, .parent = parent, .edge = edge };
	return true;
}

/* ---- beginnings ------------------------------------------------------ */

/* The point that the skeleton begins with. */
static void start_point(const struct space *space, struct point *point)
{
	*point = (struct point){ { 0 } };
	for (size_t k = 0; k < space->knob_count; k++)
		point->value[k] = space->knob[k].start;
}

size_t proposer_begin(struct proposer *p)
{
	size_t before = p->count;

	for (size_t i = 0; i < p->sub_count; i++) {
		const struct space *space = &p->search->ps->sub[p->sub[i]].space;
		struct point point;
		if (!space->has_start)
			continue;
		start_point(space, &point);
		proposer_add(p, p->sub[i], &point, "", "start");
	}
	proposer_relatives(p);
	return p->count - before;
}

void proposer_relatives(struct proposer *p)
{
	const struct search *search = p->search;
	size_t rounds = 0;

	/* The first of each relative, then the second of each. */
	for (size_t i = 0, run = 0; i < search->relative_count; i++) {
		run = i && !strcmp(search->relative[i].from, search->relative[i - 1].from) ? run + 1 : 1;
		rounds = run > rounds ? run : rounds;
	}
	for (size_t round = 1; round <= rounds; round++)
		for (size_t i = 0, run = 0; i < search->relative_count; i++) {
			const struct relative *r = &search->relative[i];
			run = i && !strcmp(r->from, search->relative[i - 1].from) ? run + 1 : 1;
			if (run == round)
				proposer_add(p, r->sub_index, &r->point, "", "relative");
		}
}

bool proposer_random_point(struct proposer *p, size_t sub_index, struct point *point)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;

	*point = (struct point){ { 0 } };
	for (int tries = 0; tries < 200; tries++) {
		for (size_t k = 0; k < space->knob_count; k++)
			point->value[k] = (int16_t)rng_below(p->rng, (int64_t)space->knob[k].value_count);
		if (proposer_is_free(p, sub_index, point))
			return true;
	}
	/* Few are left: the next ones in order. */
	for (int tries = 0; tries < 2000; tries++) {
		for (size_t k = 0; k < space->knob_count; k++) {
			point->value[k] = (int16_t)((size_t)point->value[k] + 1 < space->knob[k].value_count ? point->value[k] + 1 : 0);
			if (point->value[k])
				break;
		}
		if (proposer_is_free(p, sub_index, point))
			return true;
	}
	return false;
}

void proposer_move(struct proposer *p, size_t sub_index, struct point *point)
{
	size_t knob[SPACE_MAX_KNOBS], knobs = proposer_free_knobs(p, sub_index, knob);

	if (!knobs)
		return;
	size_t k = knob[rng_below(p->rng, (int64_t)knobs)];
	int64_t n = (int64_t)p->search->ps->sub[sub_index].space.knob[k].value_count, v = p->rank[k][sub_index][point->value[k]];
	if (rng_below(p->rng, 3)) {
		int64_t next = v + (rng_below(p->rng, 2) ? 1 : -1);
		v = next < 0 ? 1 : next >= n ? n - 2 : next;
	} else {
		v = (v + 1 + rng_below(p->rng, n - 1)) % n;
	}
	point->value[k] = p->position[k][sub_index][v];
}

bool proposer_explore(struct proposer *p)
{
	/* Of the promising none may have a legal point. */
	bool any = !p->best_count && !rng_below(p->rng, 16);
	size_t sub = any ? (size_t)rng_below(p->rng, (int64_t)p->search->ps->sub_count) : p->sub[rng_below(p->rng, (int64_t)p->sub_count)];
	const struct space *space = &p->search->ps->sub[sub].space;
	struct point point;

	if (proposer_is_full(p))
		return false;
	if (space->has_start && rng_below(p->rng, 4)) {
		for (int tries = 0; tries < 16; tries++) {
			start_point(space, &point);
			for (int64_t moves = 1 + rng_below(p->rng, 2); moves > 0; moves--)
				proposer_move(p, sub, &point);
			if (proposer_add(p, sub, &point, "", "start"))
				return true;
		}
	}
	return proposer_random_point(p, sub, &point) && proposer_add(p, sub, &point, "", "random");
}

/* ---- neighbours ------------------------------------------------------ */

size_t proposer_free_knobs(const struct proposer *p, size_t sub_index, size_t *knob)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;
	size_t count = 0;

	for (size_t k = 0; k < space->knob_count; k++)
		if (space->knob[k].value_count > 1)
			knob[count++] = k;
	return count;
}

size_t proposer_neighbour_count(const struct proposer *p, size_t sub_index)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;
	size_t count = 0;

	for (size_t k = 0; k < space->knob_count; k++)
		count += space->knob[k].value_count - 1;
	return count;
}

void proposer_neighbour(const struct proposer *p, size_t sub_index, const struct point *point, size_t i, struct point *out)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;

	*out = *point;
	for (size_t k = 0; k < space->knob_count; k++) {
		size_t others = space->knob[k].value_count - 1;
		if (i < others) {
			out->value[k] = (int16_t)(i < (size_t)point->value[k] ? i : i + 1);
			return;
		}
		i -= others;
	}
}

void proposer_place(const struct proposer *p, size_t sub_index, const struct point *point, int16_t *x)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;
	size_t at = 0;

	for (size_t k = 0; k < space->knob_count; k++)
		if (space->knob[k].value_count > 1)
			x[at++] = p->rank[k][sub_index][point->value[k]];
}

/* ---- what is learned from -------------------------------------------- */

double proposer_slowest(const struct proposer *p)
{
	const struct trial *trial = p->search->seen->trial;

	if (!p->best_count)
		return 0;
	double best = -log(trial[p->best[0]].fitness), median = -log(trial[p->best[p->best_count / 2]].fitness);
	return best + SLOWEST * (median - best);
}

double proposer_time(const struct trial *trial, double slowest)
{
	return trial->fitness > 0 ? fmin(-log(trial->fitness), slowest) : slowest;
}

size_t proposer_lessons(const struct proposer *p, size_t sub_index, size_t most, size_t *out)
{
	const struct history *seen = p->search->seen;
	bool *taken = ARENA_ARRAY(p->arena, bool, seen->count);
	size_t count = 0;

	for (size_t i = 0; i < p->best_count && count < most * 2 / 3; i++)
		if (seen->trial[p->best[i]].sub_index == sub_index) {
			out[count++] = p->best[i];
			taken[p->best[i]] = true;
		}
	for (size_t i = seen->count; i-- > 0 && count < most;)
		if (!taken[i] && seen->trial[i].is_point && seen->trial[i].sub_index == sub_index)
			out[count++] = i;
	return count;
}

/* ---- what is chosen from --------------------------------------------- */

void pool_init(struct pool *pool, struct proposer *p, size_t sub_index, size_t most)
{
	*pool = (struct pool){ .sub_index = sub_index, .most = most, .point = ARENA_ARRAY(p->arena, struct point, most),
			       .parent = ARENA_ARRAY(p->arena, const char *, most), .gone = ARENA_ARRAY(p->arena, bool, most) };
	point_set_init(&pool->in, p->arena, most);
}

void pool_add(struct pool *pool, struct proposer *p, const struct point *point, const char *parent)
{
	if (pool->count == pool->most || point_set_find(&p->closed, pool->sub_index, point, NULL) || !point_set_add(&pool->in, pool->sub_index, point, 0))
		return;
	pool->point[pool->count] = *point;
	pool->parent[pool->count++] = parent;
}

void pool_add_neighbours(struct pool *pool, struct proposer *p, const struct point *point, const char *parent)
{
	size_t count = proposer_neighbour_count(p, pool->sub_index);

	for (size_t k = 0; k < count; k++) {
		struct point neighbour;
		proposer_neighbour(p, pool->sub_index, point, k, &neighbour);
		pool_add(pool, p, &neighbour, parent);
	}
}

void pool_add_best(struct pool *pool, struct proposer *p)
{
	size_t parents = 0;

	for (size_t i = 0; i < p->best_count && parents < POOL_PARENTS; i++) {
		const struct trial *t = &p->search->seen->trial[p->best[i]];
		if (t->sub_index != pool->sub_index)
			continue;
		parents++;
		pool_add_neighbours(pool, p, &t->point, t->id);
	}
}

void pool_add_chance(struct pool *pool, struct proposer *p, size_t draws)
{
	const struct space *space = &p->search->ps->sub[pool->sub_index].space;

	while (draws-- > 0) {
		struct point point = { { 0 } };
		for (size_t k = 0; k < space->knob_count; k++)
			point.value[k] = (int16_t)rng_below(p->rng, (int64_t)space->knob[k].value_count);
		pool_add(pool, p, &point, "");
	}
}
