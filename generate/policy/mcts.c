/*
 * mcts: Monte Carlo tree search over decisions, a knob after another: a node of the tree is the set of
 * trials that begin with the same decisions.  The next one is chosen by UCT, its mean helped, where few
 * trials went through it, by the mean of all trials that decided so anywhere (all moves as first:
 * Gelly and Silver, Artificial Intelligence 175, 2011).  Proposed points count as visits of no reward.
 *
 * The tree is never built: it is the history (the best of it and the latest), sorted into nodes on the way down.
 */
#include "generate/proposer.h"

#include <math.h>

enum { LESSONS = 2000 };
#define BALANCE 0.2      /* of exploration against reward */
#define LIKE_ANYWHERE 4  /* trials through a node that weigh as much as all that decided so anywhere */

/* What a decision has come to. */
struct arm {
	double here, anywhere; /* sums of rewards */
	size_t visits, others;
};

struct tree {
	struct proposer p;
	double *reward;        /* of each trial, 0..1; proposals in the end: 0 */
	const struct point **point;
	size_t *sub_index, count;
	size_t *node;          /* the trials at the node where a walk is */
	struct arm *arm;
	struct arm **anywhere; /* [sub][knob * most arms + arm]: what the trials of a subspace that decided so came to */
	size_t most_arms;
};

/* Trial i counts for all its decisions, wherever they were taken. */
static void count_anywhere(struct tree *t, size_t i)
{
	const struct space *space = &t->p.search->ps->sub[t->sub_index[i]].space;

	for (size_t k = 0; k < space->knob_count; k++) {
		struct arm *arm = &t->anywhere[t->sub_index[i]][k * t->most_arms + (size_t)t->point[i]->value[k]];
		arm->anywhere += t->reward[i];
		arm->others++;
	}
}

static double value_of(const struct tree *t, const struct arm *arm, size_t visits)
{
	double anywhere = arm->others ? arm->anywhere / (double)arm->others : 1;
	double mean = (arm->here + LIKE_ANYWHERE * anywhere) / ((double)arm->visits + LIKE_ANYWHERE);

	/* Ties are broken by chance. */
	return mean + BALANCE * sqrt(log((double)visits + 2) / ((double)arm->visits + 1)) + 1e-6 * rng_unit(t->p.rng);
}

static size_t best_arm(struct tree *t, size_t arms, size_t visits)
{
	size_t best = 0;
	double most = -INFINITY;

	for (size_t a = 0; a < arms; a++) {
		double value = value_of(t, &t->arm[a], visits);
		if (value > most) {
			most = value;
			best = a;
		}
	}
	return best;
}

static size_t choose_subspace(struct tree *t)
{
	for (size_t s = 0; s < t->p.sub_count; s++) {
		t->arm[s] = (struct arm){ 0 };
		for (size_t i = 0; i < t->count; i++)
			if (t->sub_index[i] == t->p.sub[s]) {
				t->arm[s].here += t->reward[i];
				t->arm[s].visits++;
			}
		t->arm[s].anywhere = t->arm[s].here;
		t->arm[s].others = t->arm[s].visits;
	}
	return t->p.sub[best_arm(t, t->p.sub_count, t->count)];
}

/* Down the tree, knob by knob in an order of chance. */
static void walk(struct tree *t, size_t sub_index, struct point *point)
{
	const struct space *space = &t->p.search->ps->sub[sub_index].space;
	size_t knob[SPACE_MAX_KNOBS], knobs = proposer_free_knobs(&t->p, sub_index, knob), at_node = 0;

	*point = (struct point){ { 0 } };
	for (size_t i = 0; i < t->count; i++)
		if (t->sub_index[i] == sub_index)
			t->node[at_node++] = i;
	for (size_t k = 0; k < knobs; k++) {
		size_t j = k + (size_t)rng_below(t->p.rng, (int64_t)(knobs - k)), chosen = knob[j], left = 0;
		knob[j] = knob[k];
		size_t arms = space->knob[chosen].value_count;
		for (size_t a = 0; a < arms; a++)
			t->arm[a] = t->anywhere[sub_index][chosen * t->most_arms + a];
		for (size_t i = 0; i < at_node; i++) {
			struct arm *arm = &t->arm[t->point[t->node[i]]->value[chosen]];
			arm->here += t->reward[t->node[i]];
			arm->visits++;
		}
		point->value[chosen] = (int16_t)best_arm(t, arms, at_node);
		for (size_t i = 0; i < at_node; i++)
			if (t->point[t->node[i]]->value[chosen] == point->value[chosen])
				t->node[left++] = t->node[i];
		at_node = left;
	}
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	const struct history *seen = search->seen;
	size_t arms = search->ps->sub_count, room = LESSONS + search->ps->sub_count + want + 512;
	struct tree t = { .reward = ARENA_ARRAY(arena, double, room), .point = ARENA_ARRAY(arena, const struct point *, room),
			  .sub_index = ARENA_ARRAY(arena, size_t, room), .node = ARENA_ARRAY(arena, size_t, room) };
	struct proposer *p = &t.p;
	int misses = 0;

	(void)err;
	for (size_t s = 0; s < search->ps->sub_count; s++)
		for (size_t k = 0; k < search->ps->sub[s].space.knob_count; k++)
			arms = search->ps->sub[s].space.knob[k].value_count > arms ? search->ps->sub[s].space.knob[k].value_count : arms;
	t.arm = ARENA_ARRAY(arena, struct arm, arms);
	t.most_arms = arms;
	t.anywhere = ARENA_ARRAY(arena, struct arm *, search->ps->sub_count);
	for (size_t s = 0; s < search->ps->sub_count; s++)
		t.anywhere[s] = ARENA_ARRAY(arena, struct arm, search->ps->sub[s].space.knob_count * arms);
	proposer_init(p, arena, search, rng, want, out);
	proposer_begin(p);
	double slowest = proposer_slowest(p), best = p->best_count ? -log(seen->trial[p->best[0]].fitness) : 0;
	for (size_t s = 0; s < p->sub_count; s++) {
		size_t *lesson = ARENA_ARRAY(arena, size_t, LESSONS / p->sub_count + 1);
		size_t lessons = proposer_lessons(p, p->sub[s], LESSONS / p->sub_count + 1, lesson);
		for (size_t i = 0; i < lessons; i++) {
			const struct trial *trial = &seen->trial[lesson[i]];
			t.reward[t.count] = slowest > best ? (slowest - proposer_time(trial, slowest)) / (slowest - best) : 0;
			t.point[t.count] = &trial->point;
			t.sub_index[t.count] = trial->sub_index;
			count_anywhere(&t, t.count++);
		}
	}
	while (!proposer_is_full(p) && misses < 200) {
		struct point *point = ARENA_ARRAY(arena, struct point, 1);
		size_t sub_index = choose_subspace(&t);
		walk(&t, sub_index, point);
		if (!proposer_add(p, sub_index, point, "", "decisions"))
			misses++;
		/* Illegal ones, too, are visits: the next walk goes elsewhere. */
		if (t.count < room) {
			t.point[t.count] = point;
			t.sub_index[t.count] = sub_index;
			count_anywhere(&t, t.count++);
		}
	}
	for (misses = 0; !proposer_is_full(p) && misses < 50;)
		misses += !proposer_explore(p);
	return p->count;
}

const struct policy policy_mcts = {
	.name = "mcts",
	.summary = "Monte Carlo tree search (UCT) over the decisions of a point, a knob after another",
	.is_member = true,
	.propose = propose,
};
