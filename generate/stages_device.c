/*
 * Stages on devices of warps (simt_points.h): blocks are tiles of a statement's indices, a thread a point, or
 * LANES of them, which deal out the longest range of a reduction.
 */
#include "generate/polynomial.h"
#include "generate/stages.h"

#include <string.h>

/* The reduction in a value, NULL: there is none, or more than one. */
static const struct expr *only_reduction(const struct expr *e)
{
	const struct expr *found = e->kind == EXPR_REDUCE ? e : NULL;

	for (size_t i = 0; i < e->arg_count && e->kind != EXPR_REDUCE; i++) {
		const struct expr *r = only_reduction(e->arg[i]);
		if (r && found)
			return NULL;
		found = r ? r : found;
	}
	return found;
}

/* Ranges up to this are unrolled (emit_c_reduce.c); with all points of a thread no more terms than that. */
enum { LEAST_LOOP = 16, MOST_UNROLLED = 512 };

/* Results that a thread holds in registers. */
enum { MOST_SHARED = 64 };

/* Rows that fill no tile have a thread an element. */
enum { LEAST_TILE = 512 };

/* Does an access's index depend on memory? */
static bool reads_by_tensor(const struct expr *e)
{
	bool reads = false;

	for (size_t i = 0; i < e->arg_count && !reads; i++)
		reads = (e->kind == EXPR_ACCESS && reads_any_tensor(e->arg[i])) || reads_by_tensor(e->arg[i]);
	return reads;
}

/* Is it a value of reals an element, at places that no tensor tells: what tiles are for? */
static bool is_tile(const struct problem *problem, const struct stage *x)
{
	const struct normal_stmt *s = x->stmt;

	return x->scheme == PLAIN && s->kind == KIND_REAL && dtype_is_real(problem->dtype) && s->index_count >= 1 && s->index_count <= 3 && !only_reduction(s->value) &&
	       !reads_by_tensor(s->value) && extent_value(problem, s->index[s->index_count - 1].hi) >= LEAST_TILE;
}

/* Terms that a thread's code has one behind the other: those of the reduction's short ranges. */
static int64_t window_of(const struct problem *problem, const struct expr *reduction)
{
	int64_t terms = 1;

	for (size_t i = 0; i < reduction->range_count; i++) {
		int64_t n = extent_value(problem, reduction->range[i].hi);
		terms *= n > 0 && n <= LEAST_LOOP ? n : 1;
	}
	return terms;
}

/* Threads enough to keep a device's memory busy. */
enum { ENOUGH_POINTS = 1 << 19 };

/* The fewest points that a reduction has. */
static int64_t points_of_results(const struct match *m, const struct problem *problem)
{
	int64_t fewest = ENOUGH_POINTS;

	for (size_t i = 0; i < m->count; i++) {
		const struct normal_stmt *s = m->stage[i].stmt;
		int64_t points = 1;
		for (size_t k = 0; k < s->index_count; k++)
			points *= extent_value(problem, s->index[k].hi);
		if (s->value->kind == EXPR_REDUCE && points < fewest)
			fewest = points;
	}
	return fewest;
}

/* Is there an index of an access that both of them move: that of a window? */
static bool move_window(const struct expr *e, const char *index, const char *range)
{
	bool move = false;

	for (size_t i = 0; i < e->arg_count && !move; i++)
		move = (e->kind == EXPR_ACCESS && expr_uses(e->arg[i], index) && expr_uses(e->arg[i], range)) || move_window(e->arg[i], index, range);
	return move;
}

/* The remainder of which a condition asks, of an index, by that number: the index's stride; 0: of none. */
static int64_t remainder_of(const struct expr *e, const char *index)
{
	int64_t number = 0;

	if (e && e->kind == EXPR_BINARY && e->op == OP_MOD && e->arg[1]->kind == EXPR_INT && expr_uses(e->arg[0], index))
		return e->arg[1]->int_value;
	for (size_t i = 0; e && i < e->arg_count && !number; i++)
		number = remainder_of(e->arg[i], index);
	return number;
}

/*
 * The statement's index along which a thread may compute several points, -1: none.  The one, not the last, along
 * which windows overlap, or the last; or the last, where what is reduced depends on its remainder.
 */
static int patched_index(const struct normal_stmt *s)
{
	const struct expr *e = only_reduction(s->value);

	if (!e || e->op > OP_MIN || !s->index_count)
		return -1;
	for (size_t k = 0; k < e->range_count; k++)
		if (!range_is_static(&e->range[k], s->index, s->index_count))
			return -1;
	if (e->filter)
		return remainder_of(e->filter, s->index[s->index_count - 1].name) > 1 ? (int)s->index_count - 1 : -1;
	for (int n = (int)s->index_count; n-- > 0;) {
		/* The last index comes last. */
		int i = n ? n - 1 : (int)s->index_count - 1;
		for (size_t k = 0; k < e->range_count; k++)
			if (move_window(e->arg[0], s->index[i].name, e->range[k].name))
				return i;
	}
	return -1;
}

/* Is e that index by a quotient of its by a number of points a group, *group, alone, or not at all? */
static bool uses_group_alone(const struct expr *e, const char *index, const struct expr **group)
{
	bool alone = e->kind != EXPR_NAME || strcmp(e->name, index);

	if (e->kind == EXPR_BINARY && e->op == OP_FLOORDIV && e->arg[0]->kind == EXPR_NAME && !strcmp(e->arg[0]->name, index)) {
		if (*group && !expr_equal(*group, e->arg[1]))
			return false;
		*group = e->arg[1];
		return !expr_uses(e->arg[1], index);
	}
	for (size_t i = 0; i < e->arg_count && alone; i++)
		alone = uses_group_alone(e->arg[i], index, group);
	return alone && (!e->otherwise || uses_group_alone(e->otherwise, index, group));
}

/*
 * The statement's index, not its last, several points of which read the same of one factor of what is summed: the
 * output channels of a convolution.  *group: such points are those of a quotient by it; NULL: all.  -1: there is none.
 */
static int shared_index(const struct normal_stmt *s, const struct expr **group)
{
	const struct expr *e = s->value->kind == EXPR_REDUCE ? s->value : NULL;

	if (!e || e->op > OP_MIN || e->arg[0]->kind != EXPR_BINARY || e->arg[0]->op != OP_MUL)
		return -1;
	for (size_t k = 0; k < e->range_count; k++)
		if (!range_is_static(&e->range[k], s->index, s->index_count))
			return -1;
	for (int i = 0; i + 1 < (int)s->index_count; i++)
		for (int f = 0; f < 2; f++) {
			const struct expr *factor = e->arg[0]->arg[f], *other = e->arg[0]->arg[1 - f];
			*group = NULL;
			/* The last index moves it, or it would be the weights. */
			if (expr_uses(factor, s->index[s->index_count - 1].name) && (!e->filter || !expr_uses(e->filter, s->index[i].name)) &&
			    uses_group_alone(factor, s->index[i].name, group) && expr_uses(other, s->index[i].name))
				return i;
		}
	return -1;
}

/* Points of the index whose factor is the same: of a group, or all. */
static const char *shared_extent(struct stages_writer *w, const struct normal_stmt *s, int index, const struct expr *group)
{
	return group ? expr_text(w->arena, group, NULL) : stages_extent(w, s, (size_t)index);
}

/* e at point j of a block of the index's points, that are of one group: quotients are the block's. */
static struct expr *at_shared(struct arena *arena, const struct expr *e, const char *index, const char *block, int64_t j)
{
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	bool is_index = e->kind == EXPR_NAME && !strcmp(e->name, index);

	if (is_index)
		return expr_binary(arena, OP_ADD, expr_name(arena, block), expr_int(arena, j));
	if (e->kind == EXPR_BINARY && (e->op == OP_FLOORDIV || e->op == OP_MOD) && e->arg[0]->kind == EXPR_NAME && !strcmp(e->arg[0]->name, index)) {
		struct expr *of_block = expr_binary(arena, e->op, expr_name(arena, block), e->arg[1]);
		return e->op == OP_MOD ? expr_binary(arena, OP_ADD, of_block, expr_int(arena, j)) : of_block;
	}
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = at_shared(arena, e->arg[i], index, block, j);
	copy->filter = e->filter ? at_shared(arena, e->filter, index, block, j) : NULL;
	copy->otherwise = e->otherwise ? at_shared(arena, e->otherwise, index, block, j) : NULL;
	return copy;
}

/* Quotients and remainders without the multiples of their divisor: (5*w+i)//5 is w + i//5. */
static struct expr *without_multiples(struct arena *arena, const struct expr *e)
{
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);

	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = without_multiples(arena, e->arg[i]);
	copy->filter = e->filter ? without_multiples(arena, e->filter) : NULL;
	copy->otherwise = e->otherwise ? without_multiples(arena, e->otherwise) : NULL;
	if (e->kind != EXPR_BINARY || (e->op != OP_MOD && e->op != OP_FLOORDIV) || e->arg[1]->kind != EXPR_INT || e->arg[1]->int_value < 2)
		return copy;
	struct facts none = { NULL, 0 };
	struct polynomial p = polynomial_of(arena, &none, copy->arg[0]), multiples = { ARENA_ARRAY(arena, struct polynomial_term, p.count + 1), 0 },
			  rest = { ARENA_ARRAY(arena, struct polynomial_term, p.count + 1), 0 };
	int64_t divisor = e->arg[1]->int_value;
	for (size_t i = 0; i < p.count; i++) {
		bool is_multiple = p.term[i].factor_count && p.term[i].coefficient % divisor == 0;
		struct polynomial *to = is_multiple ? &multiples : &rest;
		to->term[to->count] = p.term[i];
		to->term[to->count++].coefficient /= is_multiple ? divisor : 1;
	}
	if (!multiples.count)
		return copy;
	struct expr *of_rest = expr_binary(arena, e->op, polynomial_expr(arena, &rest), expr_int(arena, divisor));
	return e->op == OP_MOD ? of_rest : expr_binary(arena, OP_ADD, polynomial_expr(arena, &multiples), of_rest);
}

/* More terms than this times the points of a reduction, and most threads of a device have none. */
enum { MANY_TERMS = 16, LONG_RANGE = 1 << 16 };

static int64_t terms_of(const struct normal_stmt *s, const struct problem *problem)
{
	int64_t terms = 1;

	for (size_t i = 0; i < s->value->range_count; i++) {
		const struct expr_range *r = &s->value->range[i];
		/* What other indices bound may be as long as they are. */
		terms *= range_is_static(r, s->index, s->index_count) ? extent_value(problem, r->hi) : LONG_RANGE;
	}
	return terms;
}

void stages_device_knobs(struct arena *arena, const struct match *m, const struct problem *problem, struct space *space)
{
	add_knob(arena, space, "THREADS", (const int[]){ 128, 64, 256, 512, -1 });
	add_knob(arena, space, "LANES", (const int[]){ 1, 8, 32, 128, -1 });
	if (dtype_is_real(problem->dtype) && problem->dtype != DTYPE_f64)
		add_choice(arena, space, "REAL", (const char *const[]){ "f32", "f64", NULL });
	/* A few groups of threads go through all of a long row, or of a tensor. */
	for (size_t i = 0; i < m->count; i++)
		space->is_last_resort |= m->stage[i].scheme == PREFIX || (m->stage[i].scheme == PLAIN && terms_of(m->stage[i].stmt, problem) > MANY_TERMS * points_of_results(m, problem));
	/* Points under each other that a thread computes, of windows that overlap. */
	for (size_t i = 0; i < m->count; i++)
		if (patched_index(m->stage[i].stmt) >= 0) {
			const struct normal_stmt *s = m->stage[i].stmt;
			const struct expr *filter = only_reduction(s->value)->filter;
			int remainders = filter ? (int)remainder_of(filter, s->index[s->index_count - 1].name) : 0;
			add_knob(arena, space, "PATCH", remainders ? (const int[]){ 1, remainders, 2 * remainders, -1 } : (const int[]){ 1, 2, 4, 8, 16, -1 });
			int64_t terms = window_of(problem, only_reduction(s->value));
			/* What a thread reads it holds in registers. */
			start_knob(space, "PATCH", remainders ? arena_printf(arena, "%d", remainders) : terms <= 16 ? "4" : terms <= 32 ? "2" : "1");
			break;
		}
	/* Points of an index that go through a reduction together, as they read the same. */
	for (size_t i = 0; i < m->count; i++) {
		const struct expr *group;
		if (m->stage[i].scheme != PLAIN || shared_index(m->stage[i].stmt, &group) < 0)
			continue;
		add_knob(arena, space, "SHARE", (const int[]){ 1, 4, 8, 16, -1 });
		start_knob(space, "SHARE", "8");
		break;
	}
	/* Values of a row's elements, several a thread; 0: one. */
	for (size_t i = 0; i < m->count; i++)
		if (is_tile(problem, &m->stage[i])) {
			add_knob(arena, space, "TILES", (const int[]){ FIRST_TILES, 1024, 0, -1 });
			break;
		}
	start_knob(space, "THREADS", "256");
	start_knob(space, "LANES", points_of_results(m, problem) < ENOUGH_POINTS ? "8" : "1");
	/* The values of a thread; 0: the whole row. */
	if (stages_have(m, PREFIX))
		add_knob(arena, space, "PART", (const int[]){ 0, 16, 64, 256, -1 });
	/* The positions that are sorted together, by counting; 0: the whole row. */
	if (m->sorts)
		add_knob(arena, space, "RUN", (const int[]){ 0, 256, 1024, 4096, -1 });
}

/* An index as instances and points of a block: p1*64+c. */
struct spread_index {
	const char *name, *extent; /* text */
	int64_t points;
};

/* The longest range of each reduction in e, added to *names; the value's part that several threads can share. */
static void add_longest(struct stages_writer *w, const struct expr *e, struct strbuf *names)
{
	int64_t most = -1;
	const char *longest = NULL;

	if (e->kind != EXPR_REDUCE) {
		for (size_t i = 0; i < e->arg_count; i++)
			add_longest(w, e->arg[i], names);
		return;
	}
	for (size_t i = 0; i < e->range_count && e->op <= OP_ARGMIN; i++) {
		int64_t n = extent_value(w->problem, e->range[i].hi);
		/* What a tensor bounds may be long. */
		n = n < 0 ? 64 : n;
		if (n > most) {
			most = n;
			longest = e->range[i].name;
		}
	}
	/* Of shorter ones some would have none. */
	if (longest && most >= w->lanes / 2)
		strbuf_addf(names, "%s%s", names->len ? "," : "", longest);
}

/* Does some access inside e go along the range by its last index: do terms lie side by side in memory? */
static bool lies_along(const struct expr *e, const char *range)
{
	bool lies = e->kind == EXPR_ACCESS && e->arg_count && expr_uses(e->arg[e->arg_count - 1], range);

	for (size_t i = 0; i < e->arg_count && !lies; i++)
		lies = lies_along(e->arg[i], range);
	return lies;
}

/*
 * Opens kernel <name> over blocks of the indices, which get as many points as the block has threads, the last index
 * first.  at: the place; mapping: name, text of each index there.  `value` is what the lanes share, or NULL.
 */
static const char *open_block(struct stages_writer *w, const char *name, struct spread_index *index, size_t count, const struct expr *value, const char **mapping)
{
	struct strbuf at = STRBUF_INIT, indices = STRBUF_INIT, across = STRBUF_INIT;

	if (value && w->lanes > 1)
		add_longest(w, value, &across);
	int64_t lanes = across.len ? w->lanes : 1, left = w->threads / lanes, points = 1;
	w->uses_lanes |= lanes > 1;
	for (size_t i = count; i-- > 0; left /= index[i].points) {
		index[i].points = index[i].points < left ? index[i].points : left;
		points *= index[i].points;
	}
	strbuf_addf(w->text, "kernel %s grid [", name);
	for (size_t i = 0; i < count; i++) {
		struct spread_index *x = &index[i];
		if (x->points > 1)
			strbuf_addf(&indices, " %s<%lld of %s-p%zu*%lld", x->name, (long long)x->points, x->extent, i, (long long)x->points);
		mapping[2 * i] = x->name;
		mapping[2 * i + 1] = x->points > 1 ? arena_printf(w->arena, "p%zu*%lld+%s", i, (long long)x->points, x->name) : arena_printf(w->arena, "p%zu", i);
		strbuf_addf(w->text, x->points > 1 ? "%scdiv(%s, %lld)" : "%s%s", i ? ", " : "", x->extent, (long long)x->points);
		strbuf_addf(&at, "%s%s", i ? ", " : "", mapping[2 * i + 1]);
	}
	mapping[2 * count] = NULL;
	strbuf_addf(w->text, "%s] threads %lld\n", count ? "" : "1", (long long)round_up(points * lanes, w->warp));
	if (indices.len)
		strbuf_addf(w->text, "  index%s\n", indices.buf);
	strbuf_addf(w->text, "  knob LANES=%lld", (long long)lanes);
	if (lanes > 1)
		strbuf_addf(w->text, " ACROSS=%s", across.buf);
	/* Where the points are what lies side by side, the threads of one are apart. */
	if (lanes > 1 && points > 1 && !strchr(across.buf, ',') && !lies_along(value, across.buf) && lies_along(value, index[count - 1].name))
		strbuf_addstr(w->text, " APART=1");
	if (value)
		strbuf_addstr(w->text, " TU=8");
	strbuf_addf(w->text, "%s%s\n", w->is_short ? " INDEX=32" : "", w->is_double ? " REAL=f64" : "");
	const char *kept = arena_strdup(w->arena, at.buf);
	strbuf_release(&at);
	strbuf_release(&indices);
	strbuf_release(&across);
	return kept;
}

/* The least power of two that holds n points, at most 1024; of what is not known, all of it. */
static int64_t points_of(int64_t n)
{
	int64_t points = 1;

	while (points < 1024 && (n < 0 || points < n))
		points *= 2;
	return points;
}

static size_t spread_of(struct stages_writer *w, const struct expr_range *range, size_t count, struct spread_index *index)
{
	for (size_t i = 0; i < count; i++)
		index[i] = (struct spread_index){ range[i].name, expr_text(w->arena, range[i].hi, NULL), points_of(extent_value(w->problem, range[i].hi)) };
	return count;
}

static const char *kernel_name(struct stages_writer *w, size_t number, const char *part)
{
	return arena_printf(w->arena, "s%zu%s", number, part);
}

/* A block of TILES values of a row, several a thread, in wide words. */
static void write_tile(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct strbuf grid = STRBUF_INIT, at = STRBUF_INIT;
	const char *mapping[2 * OP_MAX_RANK + 1];
	size_t last = s->index_count - 1;
	long long columns = (long long)w->tiles;

	for (size_t i = 0; i <= last; i++) {
		mapping[2 * i] = s->index[i].name;
		mapping[2 * i + 1] = i < last ? arena_printf(w->arena, "p%zu", i) : arena_printf(w->arena, "p%zu*%lld+%s", i, columns, s->index[i].name);
		strbuf_addf(&grid, i < last ? "%s, " : "cdiv(%s, %lld)", stages_extent(w, s, i), columns);
		strbuf_addf(&at, "%s%s", i ? ", " : "", mapping[2 * i + 1]);
	}
	mapping[2 * last + 2] = NULL;
	strbuf_addf(w->text, "kernel %s grid [%s] threads %lld\n  index %s<%lld of %s-p%zu*%lld\n%s", kernel_name(w, number, ""), grid.buf, (long long)w->threads,
		    s->index[last].name, columns, stages_extent(w, s, last), last, columns, w->is_double ? "  knob REAL=f64\n" : "");
	stages_write_stores(w, x, "  ", at.buf, expr_text(w->arena, stages_in_memory(w, s->value), mapping));
	strbuf_release(&grid);
	strbuf_release(&at);
}

static void write_points(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1];
	struct expr *value = stages_in_memory(w, s->value);

	if (x->scheme == SEARCH)
		value->op = OP_BISECT;
	size_t count = spread_of(w, s->index, s->index_count, index);
	int patched = w->patch > 1 && w->lanes == 1 && x->scheme == PLAIN ? patched_index(s) : -1;
	const struct expr *group = NULL;
	int shared = w->share > 1 && w->lanes == 1 && x->scheme == PLAIN ? shared_index(s, &group) : -1;
	/* Along the last index a thread's points lie a block's width apart, so that neighbours' are neighbours. */
	bool is_last = patched >= 0 && patched == (int)s->index_count - 1, is_apart = is_last && !only_reduction(s->value)->filter;
	if (patched >= 0) {
		int64_t extent = extent_value(w->problem, s->index[patched].hi);
		index[patched].extent = arena_printf(w->arena, "cdiv(%s, %lld)", index[patched].extent, (long long)w->patch);
		index[patched].points = points_of((extent + w->patch - 1) / w->patch);
		/* Blocks of such points are whole: what is outside is not stored. */
		if (is_apart)
			index[patched].extent = arena_printf(w->arena, "rup(%s, %lld)", index[patched].extent,
							     (long long)(index[patched].points < w->threads ? index[patched].points : w->threads));
		w->uses_patch = true;
		w->is_too_long |= window_of(w->problem, only_reduction(s->value)) * w->patch > MOST_UNROLLED;
	}
	if (shared >= 0 && shared != patched) {
		w->uses_share = true;
		index[shared].extent = arena_printf(w->arena, "(%s)//%lld", index[shared].extent, (long long)w->share);
		index[shared].points = 1;
		w->is_too_long |= (patched < 0 ? 1 : w->patch) * w->share > MOST_SHARED;
	} else {
		shared = -1;
	}
	const char *at = open_block(w, kernel_name(w, number, ""), index, count, value, mapping);
	if (shared >= 0)
		strbuf_addstr(w->text, "  knob TOGETHER=1\n");
	const char *block = patched < 0 ? NULL : mapping[2 * patched + 1];
	const char *first = shared < 0 ? NULL : arena_printf(w->arena, "(%s*%lld)", mapping[2 * shared + 1], (long long)w->share);
	const int64_t points = patched < 0 ? 1 : w->patch, all = points * (shared < 0 ? 1 : w->share);
	for (int64_t i = 0; i < all; i++) {
		struct strbuf place = STRBUF_INIT;
		const struct expr *here = value;
		if (is_apart && index[patched].points > 1)
			mapping[2 * patched + 1] = arena_printf(w->arena, "p%d*%lld+%s+%lld", patched, (long long)(index[patched].points * w->patch), s->index[patched].name,
								(long long)(i % points * index[patched].points));
		else if (patched >= 0)
			mapping[2 * patched + 1] = arena_printf(w->arena, "(%s)*%lld+%lld", block, (long long)w->patch, (long long)(i % points));
		if (shared >= 0) {
			here = at_shared(w->arena, value, s->index[shared].name, "shared_", i / points);
			mapping[2 * shared] = "shared_";
			mapping[2 * shared + 1] = first;
		}
		for (size_t k = 0; k < count; k++)
			strbuf_addf(&place, (int)k == shared ? "%s%s+%lld" : "%s%s", k ? ", " : "", mapping[2 * k + 1], (long long)(i / points));
		here = expr_mapped(w->arena, here, mapping);
		stages_write_stores(w, x, "  ", all == 1 ? at : place.buf, expr_text(w->arena, patched < 0 ? here : without_multiples(w->arena, here), NULL));
		strbuf_release(&place);
	}
}

/* Ranks are counted: the value goes to the place that they tell. */
static void write_scattered(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	struct expr_range range[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1], *ranks = stages_kept_name(w->arena, stages_find(w->match, x->ranks->name));
	size_t last = s->index_count - 1;
	struct strbuf to = STRBUF_INIT;

	memcpy(range, s->index, s->index_count * sizeof(*range));
	range[last] = s->value->range[0];
	const char *at = open_block(w, kernel_name(w, number, ""), index, spread_of(w, range, s->index_count, index), NULL, mapping);
	for (size_t i = 0; i < last; i++)
		strbuf_addf(&to, "%s, ", mapping[2 * i + 1]);
	strbuf_addf(&to, "%s[%s]", ranks, at);
	stages_write_stores(w, x, "  ", to.buf, expr_text(w->arena, stages_in_memory(w, s->value->arg[0]), mapping));
	strbuf_release(&to);
}

/* Opens a kernel over the rows of a statement, at which a loop goes along the last index. */
static const char *open_rows_block(struct stages_writer *w, const char *name, struct spread_index *index, size_t rows, const char *n, const char **mapping)
{
	const char *at = open_block(w, name, index, rows, NULL, mapping);

	return rows ? arena_printf(w->arena, "%s, %s", at, n) : n;
}

static void write_row_recurrence(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1], *n = s->index[s->index_count - 1].name;
	size_t rows = spread_of(w, s->index, s->index_count - 1, index);
	const char *at = open_rows_block(w, kernel_name(w, number, ""), index, rows, n, mapping);

	strbuf_addf(w->text, "  for %s in 0..%s step 1\n", n, stages_extent(w, s, rows));
	stages_write_stores(w, x, "    ", at, expr_text(w->arena, stages_in_memory(w, s->value), mapping));
	strbuf_addstr(w->text, "  end\n");
}

/* A thread's running sum, at the indices that its block spreads. */
static const char *open_sum(struct stages_writer *w, const struct stage *x, const struct spread_index *index, size_t count, const char *first)
{
	struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		if (index[i].points > 1)
			strbuf_addf(&names, "%s%s", names.len ? ", " : "", index[i].name);
	const char *sum = stages_place(w, "sum_", names.buf);
	strbuf_addf(w->text, "  tile sum_ %s [%s] @reg\n  %s = %s\n", x->stmt->kind == KIND_REAL ? "f64" : "i64", names.buf, sum, first);
	strbuf_release(&names);
	return sum;
}

static bool is_inclusive(const struct stage *x)
{
	return x->stmt->value->range[0].hi->kind == EXPR_BINARY;
}

/* The loop of a running sum over n places, its index in the row as text: the sum before or behind the term. */
static void write_running(struct stages_writer *w, const struct stage *x, const char *sum, const char *trips, const char *counter, const char *row, const char *n,
			  const char **mapping, size_t mapped)
{
	const char *at = arena_printf(w->arena, "%s%s%s", row, *row ? ", " : "", n);

	mapping[mapped] = x->stmt->value->range[0].name;
	mapping[mapped + 1] = n;
	mapping[mapped + 2] = NULL;
	strbuf_addf(w->text, "  for %s in 0..%s step 1\n", counter, trips);
	if (!is_inclusive(x))
		stages_write_stores(w, x, "    ", at, sum);
	strbuf_addf(w->text, "    %s = %s + (%s)\n", sum, sum, expr_text(w->arena, stages_in_memory(w, x->stmt->value->arg[0]), mapping));
	if (is_inclusive(x))
		stages_write_stores(w, x, "    ", at, sum);
	strbuf_addstr(w->text, "  end\n");
}

static void write_row_prefix(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 3], *n = s->index[s->index_count - 1].name;
	size_t rows = spread_of(w, s->index, s->index_count - 1, index);
	const char *row = open_block(w, kernel_name(w, number, ""), index, rows, NULL, mapping);
	const char *sum = open_sum(w, x, index, rows, "0");

	write_running(w, x, sum, stages_extent(w, s, rows), n, row, n, mapping, 2 * rows);
}

/* The memory of a prefix in parts: what each part sums up to, and all before it. */
static const char *part_name(struct stages_writer *w, const struct stage *x, const char *what)
{
	return arena_printf(w->arena, "%s_%s", x->stmt->name, what);
}

static void write_part_memory(struct stages_writer *w, const struct stage *x)
{
	const struct normal_stmt *s = x->stmt;

	for (int i = 0; i < 2; i++) {
		strbuf_addf(w->text, "buffer %s %s [", part_name(w, x, i ? "before" : "sum"), s->kind == KIND_REAL ? "f64" : "i64");
		for (size_t k = 0; k + 1 < s->index_count; k++)
			strbuf_addf(w->text, "%s, ", stages_extent(w, s, k));
		strbuf_addf(w->text, "cdiv(%s, %lld)] tmp\n", stages_extent(w, s, s->index_count - 1), (long long)w->part);
	}
}

static void write_part_prefix(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 3], *n = s->index[s->index_count - 1].name, *j = s->value->range[0].name;
	size_t rows = s->index_count - 1;
	long long part = (long long)w->part;
	const char *whole = stages_extent(w, s, rows), *parts = arena_printf(w->arena, "cdiv(%s, %lld)", whole, part);
	const char *b = part_name(w, x, "part");

	/* The sum of each part. */
	spread_of(w, s->index, rows, index);
	index[rows] = (struct spread_index){ b, parts, points_of((extent_value(w->problem, s->index[rows].hi) + part - 1) / part) };
	const char *at = open_block(w, kernel_name(w, number, "a"), index, rows + 1, s->value, mapping);
	const char *here = mapping[2 * rows + 1];
	mapping[2 * rows] = NULL;
	strbuf_addf(w->text, "  %s[%s] = sum(%s in (%s)*%lld..minimum(((%s)+1)*%lld, %s)) (%s)\n", part_name(w, x, "sum"), at, j, here, part, here, part, whole,
		    expr_text(w->arena, stages_in_memory(w, s->value->arg[0]), mapping));
	/* The sums before each: a thread a row. */
	spread_of(w, s->index, rows, index);
	const char *row = open_block(w, kernel_name(w, number, "b"), index, rows, NULL, mapping);
	const char *sum = open_sum(w, x, index, rows, "0");
	at = arena_printf(w->arena, "%s%s%s", row, *row ? ", " : "", b);
	strbuf_addf(w->text, "  for %s in 0..%s step 1\n    %s[%s] = %s\n    %s = %s + %s[%s]\n  end\n", b, parts, part_name(w, x, "before"), at, sum, sum, sum,
		    part_name(w, x, "sum"), at);
	/* The values, part by part.  What lies behind the last is dropped. */
	spread_of(w, s->index, rows, index);
	index[rows] = (struct spread_index){ b, parts, points_of((extent_value(w->problem, s->index[rows].hi) + part - 1) / part) };
	at = open_block(w, kernel_name(w, number, "c"), index, rows + 1, NULL, mapping);
	here = mapping[2 * rows + 1];
	sum = open_sum(w, x, index, rows + 1, stages_place(w, part_name(w, x, "before"), at));
	const char *comma = strrchr(at, ',');
	row = arena_printf(w->arena, "%.*s", comma ? (int)(comma - at) : 0, at);
	write_running(w, x, sum, arena_printf(w->arena, "%lld", part), n, row, arena_printf(w->arena, "(%s)*%lld+%s", here, part, n), mapping, 2 * rows);
}

static const char *runs_name(struct stages_writer *w, const struct stage *x, const char *what)
{
	return arena_printf(w->arena, "%s_%s", x->stmt->name, what);
}

static void write_runs_memory(struct stages_writer *w, const struct stage *x)
{
	const struct normal_stmt *s = x->stmt;

	for (int i = 0; i < 2; i++) {
		strbuf_addf(w->text, "buffer %s i32 [", runs_name(w, x, i ? "sorted" : "rank"));
		for (size_t k = 0; k < s->index_count; k++)
			strbuf_addf(w->text, "%s%s", k ? ", " : "", stages_extent(w, s, k));
		strbuf_addstr(w->text, "] tmp\n");
	}
}

/*
 * Ranks of long rows: runs of positions are sorted by their ranks inside, which are counted; the rank of a
 * position is how many of every run are before it, which bisection tells.
 */
static void write_ranks_by_runs(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 3], *j = s->value->range[0].name;
	size_t last = s->index_count - 1;
	const char *whole = stages_extent(w, s, last), *rank = runs_name(w, x, "rank"), *sorted = runs_name(w, x, "sorted");
	const struct expr *before = stages_in_memory(w, s->value->arg[0]);
	long long run = (long long)w->run;

	/* The rank inside the run. */
	const char *at = open_block(w, kernel_name(w, number, "a"), index, spread_of(w, s->index, last + 1, index), s->value, mapping);
	const char *first = arena_printf(w->arena, "(%s)//%lld*%lld", mapping[2 * last + 1], run, run);
	strbuf_addf(w->text, "  %s[%s] = sum(%s in %s..minimum(%s+%lld, %s)) (%s)\n", rank, at, j, first, first, run, whole, expr_text(w->arena, before, mapping));
	/* Its position there. */
	at = open_block(w, kernel_name(w, number, "b"), index, spread_of(w, s->index, last + 1, index), NULL, mapping);
	strbuf_addf(w->text, "  %s[", sorted);
	for (size_t i = 0; i < last; i++)
		strbuf_addf(w->text, "%s, ", mapping[2 * i + 1]);
	strbuf_addf(w->text, "(%s)//%lld*%lld + %s[%s]] = %s\n", mapping[2 * last + 1], run, run, rank, at, mapping[2 * last + 1]);
	/* All that are before it, run by run. */
	at = open_block(w, kernel_name(w, number, "c"), index, spread_of(w, s->index, last + 1, index), NULL, mapping);
	struct strbuf row = STRBUF_INIT;
	for (size_t i = 0; i < last; i++)
		strbuf_addf(&row, "%s, ", mapping[2 * i + 1]);
	const char *sum = open_sum(w, x, index, last + 1, "0");
	mapping[2 * last + 2] = j;
	mapping[2 * last + 3] = arena_printf(w->arena, "%s[%s%s]", sorted, row.buf, j);
	mapping[2 * last + 4] = NULL;
	strbuf_addf(w->text, "  for run_ in 0..cdiv(%s, %lld) step 1\n    %s = %s + bisect(%s in run_*%lld..minimum((run_+1)*%lld, %s)) (%s)\n  end\n", whole, run, sum, sum, j, run,
		    run, whole, expr_text(w->arena, before, mapping));
	strbuf_addf(w->text, "  %s[%s] = %s\n", stages_kept_name(w->arena, x), at, sum);
	strbuf_release(&row);
}

static void write_stage(struct stages_writer *w, const struct stage *x, size_t number)
{
	w->uses_tiles |= is_tile(w->problem, x);
	if (w->tiles > 0 && is_tile(w->problem, x)) {
		write_tile(w, x, number);
		return;
	}
	if (x->scheme == RANKS && w->run) {
		write_ranks_by_runs(w, x, number);
		return;
	}
	if (x->scheme == PREFIX && w->part)
		write_part_prefix(w, x, number);
	else if (x->scheme == PREFIX)
		write_row_prefix(w, x, number);
	else if (x->scheme == RECURRENCE)
		write_row_recurrence(w, x, number);
	else if (x->scheme == BY_RANK)
		write_scattered(w, x, number);
	else
		write_points(w, x, number);
}

int stages_lower_device(struct stages_writer *w, struct strbuf *why_not)
{
	const struct match *m = w->match;
	size_t kernels = m->count;

	for (size_t i = 0; i < m->count; i++) {
		const struct stage *x = &m->stage[i];
		bool in_parts = w->part && x->scheme == PREFIX, in_runs = w->run && x->scheme == RANKS;
		kernels += in_parts || in_runs ? 2 : 0;
		if (in_parts)
			write_part_memory(w, x);
		if (in_runs)
			write_runs_memory(w, x);
	}
	if (w->lanes > w->threads) {
		strbuf_addstr(why_not, "LANES exceed THREADS");
		return 0;
	}
	for (size_t i = 0; i < m->count && w->share > 1 && w->lanes == 1; i++) {
		const struct normal_stmt *s = m->stage[i].stmt;
		const struct expr *group = NULL;
		int shared = m->stage[i].scheme == PLAIN ? shared_index(s, &group) : -1;
		if (shared < 0)
			continue;
		const char *extent = shared_extent(w, s, shared, group);
		if (extent_value(w->problem, group ? group : s->index[shared].hi) % w->share) {
			strbuf_addf(why_not, "SHARE does not divide %s", extent);
			return 0;
		}
		strbuf_addf(w->text, "require %s %% %lld == 0\n", extent, (long long)w->share);
	}
	if (kernels > TILE_MAX_KERNELS) {
		strbuf_addf(why_not, "more than %d kernels", TILE_MAX_KERNELS);
		return 0;
	}
	for (size_t i = 0; i < m->count; i++)
		write_stage(w, &m->stage[i], i);
	if (!w->uses_tiles && w->tiles != FIRST_TILES && w->tiles != NO_TILES) {
		strbuf_addstr(why_not, "TILES does nothing: what it is for is computed where it is read");
		return 0;
	}
	if (w->is_too_long) {
		strbuf_addf(why_not, "a thread's points have more than %d terms, or are more than %d", MOST_UNROLLED, MOST_SHARED);
		return 0;
	}
	if (w->share > 1 && !w->uses_share) {
		strbuf_addstr(why_not, "SHARE does nothing where several threads share a point, or along the index of PATCH");
		return 0;
	}
	if (w->patch > 1 && !w->uses_patch) {
		strbuf_addstr(why_not, "PATCH does nothing where several threads share a point");
		return 0;
	}
	if (w->lanes > 1 && !w->uses_lanes) {
		strbuf_addstr(why_not, "LANES without a reduction does nothing");
		return 0;
	}
	return 1;
}
