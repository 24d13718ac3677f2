/*
 * proposer.h: what policies share while they fill their proposals: what was tried, which subspaces are
 * worth a trial, the best trials, what a search begins with, neighbours.
 *
 * Nothing here looks at what a knob is called or at what a value means: of the values' words only the
 * order counts, of numbers ascending.
 */
#ifndef GENERATE_PROPOSER_H
#define GENERATE_PROPOSER_H

#include "generate/point_set.h"
#include "generate/policy.h"

struct proposer {
	struct arena *arena;
	const struct search *search;
	struct rng *rng;
	struct proposal *out;
	size_t want, count;
	struct point_set closed;   /* tried, proposed or found illegal: no more of it */
	const size_t *sub;         /* subspaces worth another trial */
	size_t sub_count;
	const size_t *best;        /* trials that passed and are points, best first */
	size_t best_count;
	int16_t **rank[SPACE_MAX_KNOBS]; /* [knob][sub][position]: place among the knob's values */
	int16_t **position[SPACE_MAX_KNOBS]; /* [knob][sub][rank] */
};

void proposer_init(struct proposer *p, struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out);
bool proposer_is_full(const struct proposer *p);
/* Is it legal and neither tried nor proposed?  Asks search->is_new at most once of a point. */
bool proposer_is_free(struct proposer *p, size_t sub_index, const struct point *point);
/* Proposes it where it is free and there is room; was it? */
bool proposer_add(struct proposer *p, size_t sub_index, const struct point *point, const char *parent, const char *edge);

/*
 * What a search begins with: the starts of the skeletons that have one, then the relatives' points, the best of each first.
 * Only in a history shorter than they are many; returns how many were proposed.
 */
size_t proposer_begin(struct proposer *p);
/* Adds what did well for relatives: the first of each, then the second of each, ... */
void proposer_relatives(struct proposer *p);
/* One free point by chance: near a start where the subspace has one, else anywhere.  False: none was found. */
bool proposer_explore(struct proposer *p);
/* A free point anywhere in a subspace into *point; false: none was found. */
bool proposer_random_point(struct proposer *p, size_t sub_index, struct point *point);
/* Moves one knob that has a choice, by one place mostly, to any sometimes. */
void proposer_move(struct proposer *p, size_t sub_index, struct point *point);

/* Points that differ from one in one knob: calls visit for each, free or not. */
size_t proposer_neighbour_count(const struct proposer *p, size_t sub_index);
/* The i-th of them. */
void proposer_neighbour(const struct proposer *p, size_t sub_index, const struct point *point, size_t i, struct point *out);
/* The knobs of a subspace that have a choice, into knob[SPACE_MAX_KNOBS]; returns how many. */
size_t proposer_free_knobs(const struct proposer *p, size_t sub_index, size_t *knob);
/* Where a point lies: of each knob that has a choice its value's rank, into x[]. */
void proposer_place(const struct proposer *p, size_t sub_index, const struct point *point, int16_t *x);

/* Times are told as logarithms: -log(fitness).  What is slower than this counts as no slower: how slow it is tells nothing of where the fast are. */
double proposer_slowest(const struct proposer *p);
/* A trial's time so; of one that failed the slowest. */
double proposer_time(const struct trial *trial, double slowest);
/* The trials of a subspace to learn from, at most `most`: two thirds the best of it, the rest the latest.  Returns how many. */
size_t proposer_lessons(const struct proposer *p, size_t sub_index, size_t most, size_t *trial);

/* Points of a subspace to choose from, none twice, none closed. */
struct pool {
	size_t sub_index, count, most;
	struct point *point;
	const char **parent; /* the trial's id that it is a neighbour of, or "" */
	bool *gone;          /* for the policy's own use */
	struct point_set in;
};
void pool_init(struct pool *pool, struct proposer *p, size_t sub_index, size_t most);
void pool_add(struct pool *pool, struct proposer *p, const struct point *point, const char *parent);
/* A point's neighbours; those of the best trials of the subspace; so many draws by chance. */
void pool_add_neighbours(struct pool *pool, struct proposer *p, const struct point *point, const char *parent);
void pool_add_best(struct pool *pool, struct proposer *p);
void pool_add_chance(struct pool *pool, struct proposer *p, size_t draws);

#endif
