/*
 * Shapes at the edges of a kernel's own tiles.  Where its tile is larger than every shape it
 * is checked on, no second tile ever ran, and a corpus would serve what nobody has seen: so
 * each dimension is grown, alone, to where its tile is full or nearly so, and to just beyond,
 * where an axis of the kernel's grids grows.
 */
#include "evaluate/evaluate.h"
#include "ops/core/proc.h"

#include <string.h>

enum { EDGES = 4 /* of a dimension */, EACH = 5 /* shapes an edge */, MOST_SHAPES = EDGES * EACH * PLAN_MAX_NAMES, SHORT = 7 };
static const int64_t LONGEST = 1 << 20;

/* Instances of all steps where the plan's dims are dim[]; -1: it does not serve them. */
static int64_t instances(const struct plan *plan, const int64_t *dim)
{
	int64_t sum = 0;

	if (!plan_accepts(plan, dim, NULL))
		return -1;
	for (size_t i = 0; i < plan->step_count; i++) {
		int64_t n = plan_step_instances(plan, i, dim);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

/* The least value of dimension d, all others as they are, where this axis of a grid is longer than it is; 0: none. */
static int64_t edge_of(const struct plan *plan, const struct expr *axis, const int64_t *base, size_t d)
{
	int64_t dim[PLAN_MAX_NAMES], low = base[d], high = 2 * base[d];
	int64_t first = plan_value(plan, axis, base);

	memcpy(dim, base, plan->dim_count * sizeof(*dim));
	for (;; low = high, high *= 2) {
		if (high > LONGEST)
			return 0;
		dim[d] = high;
		if (plan_value(plan, axis, dim) > first)
			break;
	}
	while (low + 1 < high) {
		dim[d] = low + (high - low) / 2;
		*(plan_value(plan, axis, dim) > first ? &high : &low) = dim[d];
	}
	return high;
}

/* The greatest value of dimension d that the plan accepts, all others as they are; 0: it has no bound. */
static int64_t longest_of(const struct plan *plan, const int64_t *base, size_t d)
{
	int64_t dim[PLAN_MAX_NAMES], low = base[d], high = LONGEST;

	memcpy(dim, base, plan->dim_count * sizeof(*dim));
	dim[d] = high;
	if (plan_accepts(plan, dim, NULL))
		return 0;
	while (low + 1 < high) {
		dim[d] = low + (high - low) / 2;
		*(plan_accepts(plan, dim, NULL) ? &low : &high) = dim[d];
	}
	return low;
}

static int64_t elements(const struct problem *p)
{
	int64_t sum = 0;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		sum += problem_elems(p, t);
	return sum;
}

/* Is it a shape that the operator has, with elements in each tensor?  A window may be wider than what is short. */
static bool is_shape(const struct problem *p)
{
	struct strbuf ignored = STRBUF_INIT;
	bool is = !problem_require(p, &ignored);

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		is = is && problem_elems(p, t) > 0;
	strbuf_release(&ignored);
	return is;
}

/* What a shape may have. */
struct most {
	int64_t elements;
	double work;
};
static const struct most MOST = { 1 << 23, 3e7 /* sanitizers make kernels slow */ }, MOST_ONCE = { 1 << 25, 1.2e9 /* where there is no other shape beyond a tile */ };
static const struct most MOST_LONGEST = { 1 << 23, 5e9 /* what sorts does less than its notation, which counts pairs */ };

/* The extent of dimension d nearest to that, downwards or upwards, that the plan accepts, all others as they are; 0: none near. */
static int64_t nearest(const struct plan *plan, const int64_t *base, size_t d, int64_t extent, int step)
{
	enum { NEAR = 64 };
	int64_t dim[PLAN_MAX_NAMES];

	memcpy(dim, base, plan->dim_count * sizeof(*dim));
	for (int i = 0; i < NEAR && extent > 0; i++, extent += step) {
		dim[d] = extent;
		if (plan_accepts(plan, dim, NULL))
			return extent;
	}
	return 0;
}

static bool is_too_much(const struct problem *p, struct most most) { return elements(p) > most.elements || problem_work(p) > most.work; }

/* The smallest shape of the stage that the plan serves; NULL: none. */
static const struct problem *smallest(const struct contestant *c, int64_t *dim)
{
	const struct stage *stage = &c->session->stage;
	const struct problem *best = NULL;

	for (size_t i = 1; i < stage->count; i++) {
		const struct problem *p = &stage->stage_case[i].problem;
		int64_t own[PLAN_MAX_NAMES];
		for (size_t d = 0; d < c->plan.dim_count; d++)
			own[d] = p->dim[c->plan_dim[d]];
		if (instances(&c->plan, own) <= 0 || (best && elements(p) >= elements(best)))
			continue;
		best = p;
		memcpy(dim, own, c->plan.dim_count * sizeof(*dim));
	}
	return best;
}

/* A small shape that the plan serves, and its dims as the plan has them; false: none. */
static bool small_shape(const struct contestant *c, struct problem *p, int64_t *dim)
{
	const struct problem *found = smallest(c, dim);

	if (found)
		*p = *found;
	/* What has the problem's own filter may be as large as it, and along one of one all that is summed or scaled is the same. */
	for (size_t d = 0; found && d < c->plan.dim_count; d++) {
		struct problem other = *p;
		int64_t own = dim[d];
		if (own <= SHORT && own > 1)
			continue;
		problem_set_dim(&other, c->plan_dim[d], dim[d] = SHORT);
		if (is_shape(&other) && instances(&c->plan, dim) > 0)
			*p = other;
		else
			dim[d] = own;
	}
	return found;
}

/* Dimension d of p at `extent`, and where that is too much for memory, the others shorter; false: no such shape has no more than most. */
static bool grow(const struct contestant *c, struct problem *p, const int64_t *base, size_t d, int64_t extent, struct most most)
{
	static const int64_t shorter[] = { 3, 2, 1 };
	int64_t dim[PLAN_MAX_NAMES];

	if (extent < 1)
		return false;
	memcpy(dim, base, c->plan.dim_count * sizeof(*dim));
	problem_set_dim(p, c->plan_dim[d], dim[d] = extent);
	for (size_t i = 0; i < ARRAY_SIZE(shorter); i++)
		for (size_t k = 0; k < c->plan.dim_count && is_too_much(p, most); k++) {
			struct problem other = *p;
			int64_t own = dim[k];
			if (k == d || own <= shorter[i])
				continue;
			problem_set_dim(&other, c->plan_dim[k], dim[k] = shorter[i]);
			if (is_shape(&other) && instances(&c->plan, dim) > 0)
				*p = other;
			else
				dim[k] = own;
		}
	return is_shape(p) && !is_too_much(p, most);
}

/* Edges of all the plan's dimensions, each alone. */
struct edges {
	int64_t dim[PLAN_MAX_NAMES]; /* the shape that is grown */
	struct problem base;         /* the same */
	int64_t edge[PLAN_MAX_NAMES][EDGES];
	const struct expr *axis[PLAN_MAX_NAMES][EDGES]; /* whose other dimensions are 1; NULL: all are as they are in base */
	size_t count[PLAN_MAX_NAMES];
};

static void add_edge(struct edges *x, size_t d, int64_t edge, const struct expr *axis)
{
	for (size_t i = 0; i < x->count[d]; i++)
		if (x->edge[d][i] == edge)
			return;
	if (edge > 0 && x->count[d] < EDGES) {
		x->axis[d][x->count[d]] = axis;
		x->edge[d][x->count[d]++] = edge;
	}
}

/* base, but for an axis' dimensions beside d, which are 1: its tile is cut along d alone. */
static struct problem alone(const struct contestant *c, const struct expr *axis, const struct edges *x, size_t d, int64_t *dim)
{
	struct problem p = x->base;

	memcpy(dim, x->dim, c->plan.dim_count * sizeof(*dim));
	for (size_t k = 0; k < c->plan.dim_count; k++)
		if (k != d && expr_uses(axis, c->plan.dim[k]))
			problem_set_dim(&p, c->plan_dim[k], dim[k] = 1);
	return p;
}

/* A full tile of dimension d where all others but the axis' own have two: what counts tiles along d is told by where the next of another lies. */
static bool corner(const struct contestant *c, const struct edges *x, size_t d, size_t e, const struct problem *base, const int64_t *base_dim, struct problem *p)
{
	const struct expr *axis = x->axis[d][e];
	int64_t dim[PLAN_MAX_NAMES];

	memcpy(dim, base_dim, c->plan.dim_count * sizeof(*dim));
	*p = *base;
	for (size_t k = 0; k < c->plan.dim_count; k++)
		if (k != d && x->count[k] && !(axis && expr_uses(axis, c->plan.dim[k])))
			problem_set_dim(p, c->plan_dim[k], dim[k] = x->edge[k][0]);
	problem_set_dim(p, c->plan_dim[d], dim[d] = nearest(&c->plan, dim, d, x->edge[d][e] - 1, -1));
	return dim[d] && is_shape(p) && !is_too_much(p, MOST);
}

static void add_case(struct stage_case *out, size_t *count, const struct problem *p, uint64_t secret)
{
	out[*count] = (struct stage_case){ .problem = *p, .distribution = check_distribution(p), .seed = secret + *count, .sets = 1 };
	(*count)++;
}

/* Of each axis twice: a tile that is cut along several dimensions is full, and no more, where the others are 1. */
static void find_edges_of(const struct contestant *c, struct edges *x, size_t d)
{
	const struct plan *plan = &c->plan;
	int64_t dim[PLAN_MAX_NAMES];

	for (size_t s = 0; s < plan->step_count; s++)
		for (int g = 0; g < plan->step[s].grid_count; g++) {
			const struct expr *axis = plan->step[s].grid[g];
			struct problem p = alone(c, axis, x, d, dim);
			bool is_other = memcmp(dim, x->dim, plan->dim_count * sizeof(*dim)) && is_shape(&p) && instances(plan, dim) > 0;
			add_edge(x, d, edge_of(plan, axis, x->dim, d), NULL);
			if (is_other)
				add_edge(x, d, edge_of(plan, axis, dim, d), axis);
		}
}

/* The shapes beside an edge of dimension d; their number. */
static size_t beside(const struct contestant *c, const struct edges *x, size_t d, size_t e, struct problem out[EACH])
{
	/* A tile but for one, which has vectors and a tail; a full one; one more than a tile, and then some. */
	static const int64_t by[] = { -2, -1, 0, 2 };
	const struct expr *axis = x->axis[d][e];
	int64_t edge = x->edge[d][e], dim[PLAN_MAX_NAMES];
	struct problem base = x->base;
	size_t count = 0;

	memcpy(dim, x->dim, c->plan.dim_count * sizeof(*dim));
	if (axis)
		base = alone(c, axis, x, d, dim);
	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		out[count] = base;
		count += grow(c, &out[count], dim, d, nearest(&c->plan, dim, d, edge + by[i], by[i] < 0 ? -1 : 1), MOST);
	}
	/* Where all of them would be too much, the one with a second tile alone. */
	if (!count) {
		out[0] = base;
		count = grow(c, &out[0], dim, d, edge, MOST_ONCE);
	}
	return count + corner(c, x, d, e, &base, dim, &out[count]);
}

static size_t find_edges(const struct contestant *c, struct stage_case *out, uint64_t secret)
{
	struct problem shape[EACH];
	struct edges x = { .count = { 0 } };
	size_t count = 0;
	bool any = small_shape(c, &x.base, x.dim);

	for (size_t d = 0; any && d < c->plan.dim_count; d++)
		find_edges_of(c, &x, d);
	for (size_t d = 0; any && d < c->plan.dim_count; d++) {
		for (size_t e = 0; e < x.count[d]; e++) {
			size_t shapes = beside(c, &x, d, e, shape);
			for (size_t i = 0; i < shapes && count < MOST_SHAPES; i++)
				add_case(out, &count, &shape[i], secret);
		}
		/* And as long as it may be. */
		shape[0] = x.base;
		int64_t longest = longest_of(&c->plan, x.dim, d);
		if (longest > x.dim[d] && count < MOST_SHAPES && grow(c, &shape[0], x.dim, d, longest, MOST_LONGEST))
			add_case(out, &count, &shape[0], secret);
	}
	return count;
}

/* Judges a worker of its own on the session's present stage; again where somebody else killed it. */
static enum verdict check_all(const struct contestant *c, struct check_result *worst, struct strbuf *detail)
{
	struct session *s = c->session;
	enum verdict v = VERDICT_PASSED;
	bool was_killed = true;

	for (int tries = 0; tries < 3 && was_killed; tries++) {
		struct contestant own;
		strbuf_reset(detail);
		v = contestant_start_sanitized(s, c->candidate, c->artifact, c->sanitizer, &own, detail);
		for (size_t i = 0; i < s->stage.count && v == VERDICT_PASSED; i++)
			v = contestant_check_case(&own, i, worst, detail);
		was_killed = v != VERDICT_PASSED && own.was_killed;
		contestant_end(&own);
	}
	return v;
}

enum verdict contestant_check_edges(const struct contestant *c, struct check_result *worst, struct strbuf *detail)
{
	struct session *s = c->session;
	struct stage_case wanted[MOST_SHAPES];
	struct expected *expected[MOST_SHAPES] = { NULL };
	uint64_t secret = s->is_model ? 1 : (uint64_t)wall_ns();
	size_t count = find_edges(c, wanted, secret);
	struct stage stage, kept = s->stage;
	struct expected **kept_expected = s->expected;
	enum verdict v = VERDICT_HARNESS_ERROR;

	if (!count)
		return VERDICT_PASSED;
	bool ok = !stage_open(&stage, wanted, count, detail);
	for (size_t i = 0; i < count && ok; i++) {
		const void *in[OP_MAX_TENSORS];
		const struct problem *p = &stage.stage_case[i].problem;
		stage_inputs(&stage, i, in);
		expected[i] = expected_open(p, in, problem_work(p) <= 5e8 ? 0 : 4096, secret + i, detail);
		ok = expected[i] != NULL;
	}
	if (ok) {
		/* A device's worker has the other stage's memory. */
		struct worker kept_device = s->device;
		int64_t kept_life = s->life;
		s->stage = stage;
		s->expected = expected;
		s->device = (struct worker)WORKER_INIT;
		v = check_all(c, worst, detail);
		device_end(s);
		s->device = kept_device;
		s->life = kept_life;
		stage = s->stage;
		s->stage = kept;
		s->expected = kept_expected;
	}
	for (size_t i = 0; i < count; i++)
		expected_close(expected[i]);
	stage_close(&stage);
	return v;
}
