/*
 * model: boosted trees (LightGBM's C library) over the knobs of all subspaces at once, several with
 * different seeds; of the neighbours of the best and of points by chance those are proposed from which they
 * expect most, where they differ counting in favour.
 *
 * A knob of one name is one column, whatever skeleton or language it is of; a subspace is a category.
 */
#include "generate/lightgbm.h"
#include "generate/proposer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BEGIN = 16, LESSONS = 400, BY_CHANCE = 300, POOL = 500, BOOSTERS = 3, ROUNDS = 40, MOST_COLUMNS = 64 };
#define CURIOUS 1.0 /* standard deviations that count in favour */

struct columns {
	const char *name[MOST_COLUMNS];
	size_t count;
};

static size_t column_of(struct columns *columns, const char *name)
{
	for (size_t i = 1; i < columns->count; i++)
		if (!strcmp(columns->name[i], name))
			return i;
	if (columns->count < MOST_COLUMNS)
		columns->name[columns->count++] = name;
	return columns->count - 1;
}

/* A row: the subspace, then each knob's rank. */
static void write_row(const struct proposer *p, struct columns *columns, size_t sub_index, const struct point *point, double *row)
{
	const struct space *space = &p->search->ps->sub[sub_index].space;

	row[0] = (double)sub_index;
	for (size_t c = 1; c < columns->count; c++)
		row[c] = NAN;
	for (size_t k = 0; k < space->knob_count; k++)
		if (space->knob[k].value_count > 1)
			row[column_of(columns, space->knob[k].name)] = p->rank[k][sub_index][point->value[k]];
}

struct looked {
	size_t sub_index;
	const struct point *point;
	const char *parent;
	double score;
	bool gone;
};

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct proposer p;
	struct columns columns = { .name = { "subspace" }, .count = 1 };
	size_t lessons = 0, looked = 0;
	int misses = 0;

	proposer_init(&p, arena, search, rng, want, out);
	proposer_begin(&p);
	while (!proposer_is_full(&p) && misses < 50 && (search->seen->count + p.count < BEGIN || p.best_count < 2))
		misses += !proposer_explore(&p);
	if (proposer_is_full(&p) || p.best_count < 2)
		return p.count;
	size_t *lesson = ARENA_ARRAY(arena, size_t, LESSONS + p.sub_count);
	struct looked *look = ARENA_ARRAY(arena, struct looked, POOL + p.sub_count);
	for (size_t s = 0; s < p.sub_count; s++) {
		const struct space *space = &search->ps->sub[p.sub[s]].space;
		struct pool pool;
		for (size_t k = 0; k < space->knob_count; k++)
			if (space->knob[k].value_count > 1)
				column_of(&columns, space->knob[k].name);
		lessons += proposer_lessons(&p, p.sub[s], LESSONS / p.sub_count + 1, lesson + lessons);
		pool_init(&pool, &p, p.sub[s], POOL / p.sub_count + 1);
		pool_add_best(&pool, &p);
		pool_add_chance(&pool, &p, BY_CHANCE / p.sub_count + 1);
		for (size_t i = 0; i < pool.count; i++)
			look[looked++] = (struct looked){ p.sub[s], &pool.point[i], pool.parent[i], 0, false };
	}
	size_t n = columns.count;
	double *x = ARENA_ARRAY(arena, double, lessons * n), *at = ARENA_ARRAY(arena, double, looked * n), *expected = ARENA_ARRAY(arena, double, looked);
	double *sum = ARENA_ARRAY(arena, double, looked), *square = ARENA_ARRAY(arena, double, looked), slowest = proposer_slowest(&p);
	float *y = ARENA_ARRAY(arena, float, lessons);
	for (size_t i = 0; i < lessons; i++) {
		const struct trial *t = &search->seen->trial[lesson[i]];
		write_row(&p, &columns, t->sub_index, &t->point, x + i * n);
		y[i] = (float)proposer_time(t, slowest);
	}
	for (size_t i = 0; i < looked; i++)
		write_row(&p, &columns, look[i].sub_index, look[i].point, at + i * n);
	for (int b = 0; b < BOOSTERS && looked; b++) {
		char parameters[400];
		snprintf(parameters, sizeof(parameters),
			 "objective=regression learning_rate=0.15 num_leaves=12 min_data_in_leaf=2 min_data_in_bin=1 min_sum_hessian_in_leaf=0 extra_trees=true "
			 "bagging_fraction=0.8 bagging_freq=1 feature_fraction=0.8 feature_pre_filter=false seed=%d", (int)rng_below(rng, 1 << 30));
		if (lightgbm_expect(x, y, lessons, n, ROUNDS, parameters, at, looked, expected, err))
			return 0;
		for (size_t i = 0; i < looked; i++) {
			sum[i] += expected[i];
			square[i] += expected[i] * expected[i];
		}
	}
	for (size_t i = 0; i < looked; i++) {
		double mean = sum[i] / BOOSTERS;
		look[i].score = mean - CURIOUS * sqrt(fmax(square[i] / BOOSTERS - mean * mean, 0));
	}
	while (!proposer_is_full(&p)) {
		struct looked *best = NULL;
		for (size_t i = 0; i < looked; i++)
			if (!look[i].gone && (!best || look[i].score < best->score))
				best = &look[i];
		if (!best)
			break;
		best->gone = true;
		proposer_add(&p, best->sub_index, best->point, best->parent, "model");
	}
	while (!proposer_is_full(&p) && misses < 50)
		misses += !proposer_explore(&p);
	return p.count;
}

const struct policy policy_model = {
	.name = "model",
	.summary = "what boosted trees over the knobs (LightGBM) expect most from",
	.is_member = true,
	.propose = propose,
};
