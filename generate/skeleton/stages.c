/*
 * stages: a kernel for each statement of the body, what lies between in memory.  Serves what
 * has no skeleton of its own, at the cost of that traffic; and what is not arithmetic:
 *   prefix   k[.., n] = sum(j<=n) x       one pass with a running sum
 *   recur    h[.., n] = e(h[.., n-1])      one pass along n, row by row
 *   search   sum(n) (a[n] <= t)           bisection, where a is sorted or such a prefix
 *   order    k[.., c] = sum(j) before(j, c), read only as `k[.., c] == o`: the ranks of a row.
 *            Its place in memory holds the inverse, the sorted positions, by a merge sort; or
 *            the ranks themselves, counted, by which the rows are then scattered.
 * With them sort, top-k, unique, nonzero, sampling and segments are bodies as any other.
 *
 * On a device of warps (simt_points.h) blocks are tiles of a statement's indices, a thread a point;
 * or LANES of them, which deal out the longest range of a reduction.  A recurrence has a thread a row,
 * and so has a prefix, or three kernels: of the sums of its parts, of their sums, of the values.
 */
#include "generate/recognise.h"
#include "generate/tile.h"

#include <string.h>

enum scheme { PLAIN, PREFIX, RECURRENCE, SEARCH, RANKS, BY_RANK };

/* A statement and how it is lowered. */
struct stage {
	const struct normal_stmt *stmt;
	enum scheme scheme;
	const struct normal_stmt *ranks; /* BY_RANK: whose */
	bool is_kept;                    /* read later: needs memory of its own */
};
struct match {
	const struct normal *normal;
	struct stage *stage;
	size_t count;
	bool sorts;
};

/* No row is longer where positions are sorted: the scratch of a thread. */
enum { MOST_SORTED = 65536 };

/* ---- what a statement is ---------------------------------------------- */

static bool is_name(const struct expr *e, const char *name)
{
	return e->kind == EXPR_NAME && !strcmp(e->name, name);
}

static bool is_int(const struct expr *e, int64_t value)
{
	return e->kind == EXPR_INT && e->int_value == value;
}

static bool is_truth(const struct expr *e)
{
	return e->kind == EXPR_BINARY && e->op >= OP_EQ && e->op <= OP_OR;
}

/* sum(j<n) or sum(j<n+1) of what does not depend on n, the last index. */
static bool is_prefix(const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	if (e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter || !s->index_count)
		return false;
	const char *n = s->index[s->index_count - 1].name;
	const struct expr *hi = e->range[0].hi;
	bool is_inclusive = hi->kind == EXPR_BINARY && hi->op == OP_ADD && is_name(hi->arg[0], n) && is_int(hi->arg[1], 1);
	return is_int(e->range[0].lo, 0) && (is_inclusive || is_name(hi, n)) && !expr_uses(e->arg[0], n);
}

/* Does e read the statement, if at all, along its last index only, at a number of places before? */
static bool reads_earlier(const struct normal_stmt *s, const struct expr *e)
{
	bool reads = true;

	if (e->kind == EXPR_REDUCE && expr_uses(e, s->name))
		return false;
	if ((e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) && !strcmp(e->name, s->name)) {
		size_t last = s->index_count - 1;
		if (e->kind == EXPR_NAME || e->arg_count != s->index_count)
			return false;
		const struct expr *n = e->arg[last];
		reads = n->kind == EXPR_BINARY && n->op == OP_SUB && is_name(n->arg[0], s->index[last].name) && n->arg[1]->kind == EXPR_INT && n->arg[1]->int_value > 0;
		for (size_t i = 0; i < last; i++)
			reads &= is_name(e->arg[i], s->index[i].name);
	}
	for (size_t i = 0; i < e->arg_count && reads; i++)
		reads = reads_earlier(s, e->arg[i]);
	return reads && (!e->otherwise || reads_earlier(s, e->otherwise));
}

/* h[.., n] of h[.., n-1], a loop; the rows are the grid's. */
static bool is_recurrence(const struct normal_stmt *s)
{
	return s->index_count >= 1 && s->index_count <= 4 && expr_uses(s->value, s->name) && reads_earlier(s, s->value);
}

/* Is no term of the prefix negative? */
static bool only_grows(const struct problem *problem, const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *term = s->value->arg[0];
	int t = term->kind == EXPR_ACCESS ? op_tensor_index(problem->op, term->name) : -1;

	if (normal_kind(normal, term) == KIND_BOOL)
		return true;
	return t >= 0 && problem->op->tensor[t].role == OP_IN && problem->op->tensor[t].lo >= 0 && problem->op->tensor[t].hi > 0;
}

/* Does the access never fall along n, its last index? */
static bool is_sorted_along(const struct problem *problem, const struct normal *normal, const struct expr *a, const char *n)
{
	if (a->kind != EXPR_ACCESS || a->otherwise || !a->arg_count)
		return false;
	const struct expr *last = a->arg[a->arg_count - 1];
	bool steps = is_name(last, n) || (last->kind == EXPR_BINARY && last->op == OP_ADD && is_name(last->arg[0], n) && last->arg[1]->kind == EXPR_INT);
	for (size_t i = 0; i + 1 < a->arg_count; i++)
		steps &= !expr_uses(a->arg[i], n);
	const struct normal_stmt *s = normal_find(normal, a->name);
	int t = op_tensor_index(problem->op, a->name);
	if (s)
		return steps && is_prefix(s) && only_grows(problem, normal, s);
	return steps && t >= 0 && (problem->op->tensor[t].domain == OP_SORTED || problem->op->tensor[t].domain == OP_OFFSETS);
}

/* sum(n<E) of a truth that holds for the first n only: a[n] <= t, a[n] < t, or (a[n] >= t) == 0. */
static bool is_search(const struct problem *problem, const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	if (e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter)
		return false;
	const char *n = e->range[0].name;
	const struct expr *p = e->arg[0];
	bool is_negated = p->kind == EXPR_BINARY && p->op == OP_EQ && is_int(p->arg[1], 0) && is_truth(p->arg[0]);
	if (is_negated)
		p = p->arg[0];
	bool compares = p->kind == EXPR_BINARY && (is_negated ? p->op == OP_GE || p->op == OP_GT : p->op == OP_LE || p->op == OP_LT);
	return compares && is_sorted_along(problem, normal, p->arg[0], n) && !expr_uses(p->arg[1], n);
}

/* min, max or sum (c<C if k[.., c] == o) of any value: the value at the c whose rank is o.  Returns k. */
static const struct normal_stmt *ranks_of(const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	if (e->kind != EXPR_REDUCE || (e->op != OP_SUM && e->op != OP_MAX && e->op != OP_MIN) || e->range_count != 1 || !e->filter ||
	    e->filter->kind != EXPR_BINARY || e->filter->op != OP_EQ || !s->index_count)
		return NULL;
	const struct expr *k = e->filter->arg[0];
	const struct normal_stmt *ranks = k->kind == EXPR_ACCESS ? normal_find(normal, k->name) : NULL;
	if (!ranks || ranks->index_count != s->index_count || k->arg_count != s->index_count ||
	    !is_name(e->filter->arg[1], s->index[s->index_count - 1].name) || !is_name(k->arg[k->arg_count - 1], e->range[0].name) ||
	    !is_int(e->range[0].lo, 0) || !expr_equal(e->range[0].hi, ranks->index[ranks->index_count - 1].hi) ||
	    expr_uses(e->arg[0], s->index[s->index_count - 1].name))
		return NULL;
	for (size_t i = 0; i + 1 < k->arg_count; i++)
		if (!is_name(k->arg[i], s->index[i].name))
			return NULL;
	return ranks;
}

/* A count, over a whole row, of what stands before; read by ranks_of() alone. */
static bool are_ranks(const struct normal *normal, const struct normal_stmt *s)
{
	const struct expr *e = s->value;
	bool is_read = false;

	if (s->tensor >= 0 || e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter || !s->index_count || !is_truth(e->arg[0]) ||
	    !is_int(e->range[0].lo, 0) || !expr_equal(e->range[0].hi, s->index[s->index_count - 1].hi))
		return false;
	for (size_t i = 0; i < normal->stmt_count; i++) {
		const struct normal_stmt *by = &normal->stmt[i];
		if (by == s || !expr_uses(by->value, s->name))
			continue;
		if (ranks_of(normal, by) != s || expr_uses(by->value->arg[0], s->name))
			return false;
		is_read = true;
	}
	return is_read;
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	struct match *m = ARENA_ARRAY(arena, struct match, 1);

	if (normal->stmt_count > TILE_MAX_KERNELS) {
		strbuf_addf(why_not, "stages: more than %d statements", TILE_MAX_KERNELS);
		return NULL;
	}
	m->normal = normal;
	m->count = normal->stmt_count;
	m->stage = ARENA_ARRAY(arena, struct stage, m->count);
	for (size_t i = 0; i < m->count; i++) {
		struct stage *x = &m->stage[i];
		x->stmt = &normal->stmt[i];
		bool recurs = expr_uses(x->stmt->value, x->stmt->name);
		if (recurs && !is_recurrence(x->stmt)) {
			strbuf_addf(why_not, "stages: '%s' is a recurrence not along its last index", x->stmt->name);
			return NULL;
		}
		if (x->stmt->value->kind == EXPR_REDUCE && x->stmt->value->op > OP_ARGMIN) {
			strbuf_addf(why_not, "stages: '%s' is an %s, which has no tile form", x->stmt->name, expr_op_text(x->stmt->value->op));
			return NULL;
		}
		x->ranks = ranks_of(normal, x->stmt);
		if (x->ranks && !are_ranks(normal, x->ranks))
			x->ranks = NULL;
		x->scheme = x->ranks ? BY_RANK : are_ranks(normal, x->stmt) ? RANKS : is_search(problem, normal, x->stmt) ? SEARCH : is_prefix(x->stmt) ? PREFIX : PLAIN;
		if (recurs)
			x->scheme = RECURRENCE;
		x->is_kept = recurs;
		m->sorts |= x->scheme == RANKS;
		for (size_t k = i + 1; k < m->count; k++)
			x->is_kept |= expr_uses(normal->stmt[k].value, x->stmt->name);
	}
	if (m->count == 1 && m->stage[0].scheme == PLAIN && m->stage[0].stmt->value->kind != EXPR_REDUCE && m->stage[0].stmt->index_count <= 3) {
		strbuf_addstr(why_not, "stages: a single map of three dimensions or less");
		return NULL;
	}
	return m;
}

static bool has_scheme(const struct match *m, enum scheme scheme)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->stage[i].scheme == scheme)
			return true;
	return false;
}

static bool is_simt(const struct target *target)
{
	return target->warp > 1;
}

static void device_knobs(struct arena *arena, const struct match *m, const struct problem *problem, struct space *space)
{
	add_knob(arena, space, "THREADS", (const int[]){ 128, 64, 256, 512, -1 });
	add_knob(arena, space, "LANES", (const int[]){ 1, 8, 32, 128, -1 });
	if (dtype_is_real(problem->dtype) && problem->dtype != DTYPE_f64)
		add_choice(arena, space, "REAL", (const char *const[]){ "f32", "f64", NULL });
	/* The values of a thread; 0: the whole row. */
	if (has_scheme(m, PREFIX))
		add_knob(arena, space, "PART", (const int[]){ 0, 16, 64, 256, -1 });
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	if (is_simt(target)) {
		device_knobs(arena, m, problem, space);
		return;
	}
	add_knob(arena, space, "BM", (const int[]){ 1, 4, 16, 64, 256, 1024, 4096, -1 });
	add_knob(arena, space, "UNROLL", (const int[]){ 1, 2, 4, -1 });
	add_real_knob(arena, space, problem, target);
	if (m->sorts) {
		add_choice(arena, space, "SORT", (const char *const[]){ "merge", "count", NULL });
		add_knob(arena, space, "BASE", (const int[]){ 1, 4, 8, 16, 32, -1 });
	}
}

/* ---- writing ------------------------------------------------------------ */

struct writer {
	struct arena *arena;
	const struct match *match;
	const struct problem *problem;
	struct strbuf *text;
	int64_t block, unroll, base;
	bool is_double; /* arithmetic, and what is kept */
	bool counts; /* ranks, instead of sorting */
	/* On a device */
	bool is_simt;
	int64_t threads, lanes, part;
	int warp;
	bool uses_lanes; /* some kernel does */
};

static const struct stage *stage_of(const struct match *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->stage[i].stmt->name, name))
			return &m->stage[i];
	return NULL;
}

/* Where later stages find the statement's value. */
static const char *kept_name(struct arena *arena, const struct stage *x)
{
	return arena_printf(arena, "%s_kept", x->stmt->name);
}

/* The tree with the names of statements as those of their memory. */
static struct expr *in_memory(struct writer *w, const struct expr *e)
{
	const struct stage *x = e->kind == EXPR_NAME || e->kind == EXPR_ACCESS ? stage_of(w->match, e->name) : NULL;
	struct expr *copy = ARENA_ARRAY(w->arena, struct expr, 1);

	*copy = *e;
	if (x)
		copy->name = kept_name(w->arena, x);
	copy->arg = ARENA_ARRAY(w->arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = in_memory(w, e->arg[i]);
	copy->range = ARENA_ARRAY(w->arena, struct expr_range, e->range_count + 1);
	for (size_t i = 0; i < e->range_count; i++)
		copy->range[i] = (struct expr_range){ e->range[i].name, e->range[i].lo ? in_memory(w, e->range[i].lo) : NULL,
						      e->range[i].hi ? in_memory(w, e->range[i].hi) : NULL };
	copy->otherwise = e->otherwise ? in_memory(w, e->otherwise) : NULL;
	copy->filter = e->filter ? in_memory(w, e->filter) : NULL;
	return copy;
}

static const char *extent(struct writer *w, const struct normal_stmt *s, size_t i)
{
	return expr_text(w->arena, s->index[i].hi, NULL);
}

/* f64 sums where a comparison with a random number decides; what is whole, exactly. */
static const char *kept_dtype(const struct writer *w, const struct stage *x)
{
	enum dtype d = x->stmt->tensor >= 0 ? problem_tensor_dtype(w->problem, x->stmt->tensor) : w->problem->dtype;

	/* What is an output too is rounded on its way there, not where the body goes on with it. */
	if (x->stmt->kind == KIND_REAL)
		return w->is_double || d == DTYPE_f64 || x->scheme == PREFIX ? "f64" : "f32";
	if (x->stmt->tensor >= 0)
		return dtype_name(d);
	return x->stmt->kind == KIND_BOOL ? "bool" : "i64";
}

static void write_memory(struct writer *w)
{
	for (size_t i = 0; i < w->match->count; i++) {
		const struct stage *x = &w->match->stage[i];
		if (!x->is_kept)
			continue;
		strbuf_addf(w->text, "buffer %s %s [", kept_name(w->arena, x), kept_dtype(w, x));
		for (size_t k = 0; k < x->stmt->index_count; k++)
			strbuf_addf(w->text, "%s%s", k ? ", " : "", extent(w, x->stmt, k));
		strbuf_addstr(w->text, "] tmp\n");
	}
}

/* "name[at]", or "name" of a scalar. */
static const char *place(struct writer *w, const char *name, const char *at)
{
	return *at ? arena_printf(w->arena, "%s[%s]", name, at) : name;
}

/* Stores of a value: into memory for later stages, into the output, or both. */
static void write_stores(struct writer *w, const struct stage *x, const char *indent, const char *at, const char *value)
{
	const char *kept = x->is_kept ? place(w, kept_name(w->arena, x), at) : NULL;

	if (kept)
		strbuf_addf(w->text, "%s%s = %s\n", indent, kept, value);
	if (x->stmt->tensor >= 0)
		strbuf_addf(w->text, "%s%s = %s\n", indent, place(w, x->stmt->name, at), kept ? kept : value);
}

/* Grid over blocks of the first index, the others whole; at: the statement's place, mapping: its indices there. */
static const char *open_kernel(struct writer *w, const struct normal_stmt *s, size_t number, const char **mapping)
{
	struct strbuf at = STRBUF_INIT;
	long long block = (long long)w->block;

	if (!s->index_count)
		strbuf_addf(w->text, "kernel s%zu grid [1] threads 1\n", number);
	else
		strbuf_addf(w->text, "kernel s%zu grid [cdiv(%s, %lld)] threads 1\n  index %s<%lld of %s-p0*%lld", number, extent(w, s, 0), block, s->index[0].name,
			    block, extent(w, s, 0), block);
	for (size_t i = 0; i < s->index_count; i++) {
		const char *here = i ? s->index[i].name : arena_printf(w->arena, "p0*%lld+%s", block, s->index[0].name);
		if (i)
			strbuf_addf(w->text, " %s<1073741824 of %s", s->index[i].name, extent(w, s, i));
		strbuf_addf(&at, "%s%s", i ? ", " : "", here);
		mapping[2 * i] = s->index[i].name;
		mapping[2 * i + 1] = here;
	}
	mapping[2 * s->index_count] = NULL;
	const char *kept = arena_strdup(w->arena, at.buf);
	strbuf_release(&at);
	return kept;
}

/* Ranges that are whole dimensions become indices of the kernel, which can be vectors. */
static struct expr *as_indices(struct writer *w, const struct normal_stmt *s, struct expr *e)
{
	if (e->kind != EXPR_REDUCE || e->op > OP_MIN)
		return e;
	struct expr_range *last = &e->range[e->range_count - 1];
	bool is_plain = is_int(last->lo, 0) && !reads_any_tensor(last->hi);
	for (size_t i = 0; i < s->index_count; i++)
		is_plain &= !expr_uses(last->hi, s->index[i].name);
	for (size_t i = 0; i + 1 < e->range_count; i++)
		is_plain &= !expr_uses(last->hi, e->range[i].name);
	if (is_plain) {
		strbuf_addf(w->text, "%s %s<1073741824 of %s", s->index_count ? "" : "  index", last->name, expr_text(w->arena, last->hi, NULL));
		last->lo = last->hi = NULL;
	}
	return e;
}

static void write_plain(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	const char *mapping[2 * OP_MAX_RANK + 1];
	const char *at = open_kernel(w, s, number, mapping);
	struct expr *value = in_memory(w, s->value);
	size_t before = w->text->len;

	if (x->scheme == SEARCH)
		value->op = OP_BISECT;
	value = as_indices(w, s, value);
	if (s->index_count || w->text->len != before)
		strbuf_addch(w->text, '\n');
	strbuf_addf(w->text, "  knob UNROLL=%lld%s\n", (long long)w->unroll, w->is_double ? " REAL=f64" : "");
	write_stores(w, x, "  ", at, expr_text(w->arena, value, mapping));
}

/* ---- on devices --------------------------------------------------------- */

/* An index as instances and points of a block: p1*64+c. */
struct spread_index {
	const char *name, *extent; /* text */
	int64_t points;
};

/* The longest range of each reduction in e, added to *names; the value's part that several threads can share. */
static void add_longest(struct writer *w, const struct expr *e, struct strbuf *names)
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
	if (longest)
		strbuf_addf(names, "%s%s", names->len ? "," : "", longest);
}

/*
 * Opens kernel <name> over blocks of the indices, which get as many points as the block has threads, the last index
 * first.  at: the place; mapping: name, text of each index there.  `value` is what the lanes share, or NULL.
 */
static const char *open_block(struct writer *w, const char *name, struct spread_index *index, size_t count, const struct expr *value, const char **mapping)
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
	strbuf_addf(w->text, "%s\n", w->is_double ? " REAL=f64" : "");
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

static size_t spread_of(struct writer *w, const struct expr_range *range, size_t count, struct spread_index *index)
{
	for (size_t i = 0; i < count; i++)
		index[i] = (struct spread_index){ range[i].name, expr_text(w->arena, range[i].hi, NULL), points_of(extent_value(w->problem, range[i].hi)) };
	return count;
}

static const char *kernel_name(struct writer *w, size_t number, const char *part)
{
	return arena_printf(w->arena, "s%zu%s", number, part);
}

static void write_points(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1];
	struct expr *value = in_memory(w, s->value);

	if (x->scheme == SEARCH)
		value->op = OP_BISECT;
	const char *at = open_block(w, kernel_name(w, number, ""), index, spread_of(w, s->index, s->index_count, index), value, mapping);
	write_stores(w, x, "  ", at, expr_text(w->arena, value, mapping));
}

/* Ranks are counted: the value goes to the place that they tell. */
static void write_scattered(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	struct expr_range range[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1], *ranks = kept_name(w->arena, stage_of(w->match, x->ranks->name));
	size_t last = s->index_count - 1;
	struct strbuf to = STRBUF_INIT;

	memcpy(range, s->index, s->index_count * sizeof(*range));
	range[last] = s->value->range[0];
	const char *at = open_block(w, kernel_name(w, number, ""), index, spread_of(w, range, s->index_count, index), NULL, mapping);
	for (size_t i = 0; i < last; i++)
		strbuf_addf(&to, "%s, ", mapping[2 * i + 1]);
	strbuf_addf(&to, "%s[%s]", ranks, at);
	write_stores(w, x, "  ", to.buf, expr_text(w->arena, in_memory(w, s->value->arg[0]), mapping));
	strbuf_release(&to);
}

/* Opens a kernel over the rows of a statement, at which a loop goes along the last index. */
static const char *open_rows_block(struct writer *w, const char *name, struct spread_index *index, size_t rows, const char *n, const char **mapping)
{
	const char *at = open_block(w, name, index, rows, NULL, mapping);

	return rows ? arena_printf(w->arena, "%s, %s", at, n) : n;
}

static void write_row_recurrence(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1], *n = s->index[s->index_count - 1].name;
	size_t rows = spread_of(w, s->index, s->index_count - 1, index);
	const char *at = open_rows_block(w, kernel_name(w, number, ""), index, rows, n, mapping);

	strbuf_addf(w->text, "  for %s in 0..%s step 1\n", n, extent(w, s, rows));
	write_stores(w, x, "    ", at, expr_text(w->arena, in_memory(w, s->value), mapping));
	strbuf_addstr(w->text, "  end\n");
}

/* A thread's running sum, at the indices that its block spreads. */
static const char *open_sum(struct writer *w, const struct stage *x, const struct spread_index *index, size_t count, const char *first)
{
	struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		if (index[i].points > 1)
			strbuf_addf(&names, "%s%s", names.len ? ", " : "", index[i].name);
	const char *sum = place(w, "sum_", names.buf);
	strbuf_addf(w->text, "  tile sum_ %s [%s] @reg\n  %s = %s\n", x->stmt->kind == KIND_REAL ? "f64" : "i64", names.buf, sum, first);
	strbuf_release(&names);
	return sum;
}

static bool is_inclusive(const struct stage *x)
{
	return x->stmt->value->range[0].hi->kind == EXPR_BINARY;
}

/* The loop of a running sum over n places, its index in the row as text: the sum before or behind the term. */
static void write_running(struct writer *w, const struct stage *x, const char *sum, const char *trips, const char *counter, const char *row, const char *n,
			  const char **mapping, size_t mapped)
{
	const char *at = arena_printf(w->arena, "%s%s%s", row, *row ? ", " : "", n);

	mapping[mapped] = x->stmt->value->range[0].name;
	mapping[mapped + 1] = n;
	mapping[mapped + 2] = NULL;
	strbuf_addf(w->text, "  for %s in 0..%s step 1\n", counter, trips);
	if (!is_inclusive(x))
		write_stores(w, x, "    ", at, sum);
	strbuf_addf(w->text, "    %s = %s + (%s)\n", sum, sum, expr_text(w->arena, in_memory(w, x->stmt->value->arg[0]), mapping));
	if (is_inclusive(x))
		write_stores(w, x, "    ", at, sum);
	strbuf_addstr(w->text, "  end\n");
}

static void write_row_prefix(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 3], *n = s->index[s->index_count - 1].name;
	size_t rows = spread_of(w, s->index, s->index_count - 1, index);
	const char *row = open_block(w, kernel_name(w, number, ""), index, rows, NULL, mapping);
	const char *sum = open_sum(w, x, index, rows, "0");

	write_running(w, x, sum, extent(w, s, rows), n, row, n, mapping, 2 * rows);
}

/* The memory of a prefix in parts: what each part sums up to, and all before it. */
static const char *part_name(struct writer *w, const struct stage *x, const char *what)
{
	return arena_printf(w->arena, "%s_%s", x->stmt->name, what);
}

static void write_part_memory(struct writer *w, const struct stage *x)
{
	const struct normal_stmt *s = x->stmt;

	for (int i = 0; i < 2; i++) {
		strbuf_addf(w->text, "buffer %s %s [", part_name(w, x, i ? "before" : "sum"), s->kind == KIND_REAL ? "f64" : "i64");
		for (size_t k = 0; k + 1 < s->index_count; k++)
			strbuf_addf(w->text, "%s, ", extent(w, s, k));
		strbuf_addf(w->text, "cdiv(%s, %lld)] tmp\n", extent(w, s, s->index_count - 1), (long long)w->part);
	}
}

static void write_part_prefix(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 3], *n = s->index[s->index_count - 1].name, *j = s->value->range[0].name;
	size_t rows = s->index_count - 1;
	long long part = (long long)w->part;
	const char *whole = extent(w, s, rows), *parts = arena_printf(w->arena, "cdiv(%s, %lld)", whole, part);
	const char *b = part_name(w, x, "part");

	/* The sum of each part. */
	spread_of(w, s->index, rows, index);
	index[rows] = (struct spread_index){ b, parts, points_of((extent_value(w->problem, s->index[rows].hi) + part - 1) / part) };
	const char *at = open_block(w, kernel_name(w, number, "a"), index, rows + 1, s->value, mapping);
	const char *here = mapping[2 * rows + 1];
	mapping[2 * rows] = NULL;
	strbuf_addf(w->text, "  %s[%s] = sum(%s in (%s)*%lld..minimum(((%s)+1)*%lld, %s)) (%s)\n", part_name(w, x, "sum"), at, j, here, part, here, part, whole,
		    expr_text(w->arena, in_memory(w, s->value->arg[0]), mapping));
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
	sum = open_sum(w, x, index, rows + 1, place(w, part_name(w, x, "before"), at));
	const char *comma = strrchr(at, ',');
	row = arena_printf(w->arena, "%.*s", comma ? (int)(comma - at) : 0, at);
	write_running(w, x, sum, arena_printf(w->arena, "%lld", part), n, row, arena_printf(w->arena, "(%s)*%lld+%s", here, part, n), mapping, 2 * rows);
}

static void write_stage(struct writer *w, const struct stage *x, size_t number)
{
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

static int lower_device(struct writer *w, struct strbuf *why_not)
{
	const struct match *m = w->match;
	size_t kernels = m->count;

	for (size_t i = 0; i < m->count; i++) {
		kernels += w->part && m->stage[i].scheme == PREFIX ? 2 : 0;
		if (w->part && m->stage[i].scheme == PREFIX)
			write_part_memory(w, &m->stage[i]);
	}
	if (w->lanes > w->threads) {
		strbuf_addstr(why_not, "LANES exceed THREADS");
		return 0;
	}
	if (kernels > TILE_MAX_KERNELS) {
		strbuf_addf(why_not, "more than %d kernels", TILE_MAX_KERNELS);
		return 0;
	}
	for (size_t i = 0; i < m->count; i++)
		write_stage(w, &m->stage[i], i);
	if (w->lanes > 1 && !w->uses_lanes) {
		strbuf_addstr(why_not, "LANES without a reduction does nothing");
		return 0;
	}
	return 1;
}

/* ---- on CPUs ------------------------------------------------------------ */

/* Rows are instances.  The place of index n in its row; mapping: the rows. */
static const char *open_rows(struct writer *w, const struct normal_stmt *s, size_t number, const char *n, const char **mapping)
{
	size_t rows = s->index_count - 1;
	struct strbuf at = STRBUF_INIT;

	strbuf_addf(w->text, "kernel s%zu grid [", number);
	for (size_t i = 0; i < rows; i++) {
		strbuf_addf(w->text, "%s%s", i ? ", " : "", extent(w, s, i));
		strbuf_addf(&at, "p%zu, ", i);
		mapping[2 * i] = s->index[i].name;
		mapping[2 * i + 1] = arena_printf(w->arena, "p%zu", i);
	}
	mapping[2 * rows] = NULL;
	strbuf_addstr(&at, n);
	strbuf_addf(w->text, "%s] threads 1\n", rows ? "" : "1");
	const char *kept = arena_strdup(w->arena, at.buf);
	strbuf_release(&at);
	return kept;
}

/* Each value from the ones before it in its row. */
static void write_recurrence(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	const char *mapping[2 * OP_MAX_RANK + 1], *n = s->index[s->index_count - 1].name;
	const char *at = open_rows(w, s, number, n, mapping);

	strbuf_addf(w->text, "  for %s in 0..%s step 1\n", n, extent(w, s, s->index_count - 1));
	write_stores(w, x, "    ", at, expr_text(w->arena, in_memory(w, s->value), mapping));
	strbuf_addstr(w->text, "  end\n");
}

/* The last index is a loop with a running sum. */
static void write_prefix(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	size_t rows = s->index_count - 1;
	const char *mapping[2 * OP_MAX_RANK + 3], *n = s->index[rows].name;
	bool is_inclusive = s->value->range[0].hi->kind == EXPR_BINARY;
	const char *at = open_rows(w, s, number, n, mapping);

	mapping[2 * rows] = s->value->range[0].name;
	mapping[2 * rows + 1] = n;
	mapping[2 * rows + 2] = NULL;
	strbuf_addf(w->text, "  tile sum_ %s [] @reg\n  sum_ = 0\n  for %s in 0..%s step 1\n", s->kind == KIND_REAL ? "f64" : "i64", n, extent(w, s, rows));
	if (!is_inclusive)
		write_stores(w, x, "    ", at, "sum_");
	strbuf_addf(w->text, "    sum_ = sum_ + (%s)\n", expr_text(w->arena, in_memory(w, s->value->arg[0]), mapping));
	if (is_inclusive)
		write_stores(w, x, "    ", at, "sum_");
	strbuf_addstr(w->text, "  end\n");
}

/* A row's positions, sorted: a merge needs all of it in scratch. */
static void write_order(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	size_t rows = s->index_count - 1;
	const char *mapping[2 * OP_MAX_RANK + 1], *c = s->index[rows].name, *j = s->value->range[0].name;
	struct strbuf at = STRBUF_INIT;

	strbuf_addf(w->text, "kernel s%zu grid [", number);
	for (size_t i = 0; i < rows; i++) {
		strbuf_addf(w->text, "%s%s", i ? ", " : "", extent(w, s, i));
		strbuf_addf(&at, "p%zu, ", i);
		mapping[2 * i] = s->index[i].name;
		mapping[2 * i + 1] = arena_printf(w->arena, "p%zu", i);
	}
	mapping[2 * rows] = NULL;
	strbuf_addf(w->text, "%s] threads 1\n  index %s<%d of %s %s<%d of %s\n  knob BASE=%lld\n  tile order_ i32 [%s] @reg\n", rows ? "" : "1", c, MOST_SORTED,
		    extent(w, s, rows), j, MOST_SORTED, extent(w, s, rows), (long long)w->base, c);
	strbuf_addf(w->text, "  order_[%s] = order(%s) (%s)\n", c, j, expr_text(w->arena, in_memory(w, s->value->arg[0]), mapping));
	strbuf_addf(w->text, "  %s[%s%s] = order_[%s]\n", kept_name(w->arena, x), at.buf, c, c);
	strbuf_release(&at);
}

/* The value at the position whose rank is o: read from there, or, of counted ranks, written there. */
static void write_by_rank(struct writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	const char *mapping[2 * OP_MAX_RANK + 3], *c = s->value->range[0].name, *kept = kept_name(w->arena, stage_of(w->match, x->ranks->name));
	struct normal_stmt by_position = *s;
	size_t last = s->index_count - 1;
	struct expr_range *index = ARENA_ARRAY(w->arena, struct expr_range, s->index_count);

	memcpy(index, s->index, s->index_count * sizeof(*index));
	if (w->counts)
		index[last] = (struct expr_range){ c, s->value->range[0].lo, s->value->range[0].hi };
	by_position.index = index;
	const char *at = open_kernel(w, &by_position, number, mapping);
	strbuf_addf(w->text, "\n  knob UNROLL=%lld\n", (long long)w->unroll);
	const char *rank = arena_printf(w->arena, "%s[%s]", kept, at);
	if (w->counts) {
		/* All of the place but its last index, which the rank gives. */
		const char *comma = strrchr(at, ',');
		const char *to = arena_printf(w->arena, "%.*s%s%s", comma ? (int)(comma - at) : 0, at, comma ? ", " : "", rank);
		write_stores(w, x, "  ", to, expr_text(w->arena, in_memory(w, s->value->arg[0]), mapping));
		return;
	}
	size_t n = 2 * s->index_count;
	mapping[n] = c;
	mapping[n + 1] = rank;
	mapping[n + 2] = NULL;
	write_stores(w, x, "  ", at, expr_text(w->arena, in_memory(w, s->value->arg[0]), mapping));
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const char *sort = point_word(space, point, "SORT");
	struct writer w = { .arena = arena, .match = m, .problem = problem, .text = text, .block = point_int(space, point, "BM"), .unroll = point_int(space, point, "UNROLL"),
			    .base = point_int(space, point, "BASE"), .is_double = is_real_f64(space, point), .counts = sort && !strcmp(sort, "count") };

	if (is_simt(target)) {
		w.is_simt = true;
		w.warp = target->warp;
		w.threads = point_int(space, point, "THREADS");
		w.lanes = point_int(space, point, "LANES");
		w.part = has_scheme(m, PREFIX) ? point_int(space, point, "PART") : 0;
		write_head(arena, problem, text);
		write_memory(&w);
		return lower_device(&w, why_not);
	}
	if (w.counts && w.base != 1) {
		strbuf_addstr(why_not, "BASE without a merge does nothing");
		return 0;
	}
	write_head(arena, problem, text);
	write_memory(&w);
	for (size_t i = 0; i < m->count; i++)
		if (m->stage[i].scheme == RANKS && !w.counts)
			strbuf_addf(text, "require %s <= %d\n", extent(&w, m->stage[i].stmt, m->stage[i].stmt->index_count - 1), MOST_SORTED);
	for (size_t i = 0; i < m->count; i++) {
		const struct stage *x = &m->stage[i];
		if (x->scheme == PREFIX)
			write_prefix(&w, x, i);
		else if (x->scheme == RECURRENCE)
			write_recurrence(&w, x, i);
		else if (x->scheme == RANKS && !w.counts)
			write_order(&w, x, i);
		else if (x->scheme == BY_RANK)
			write_by_rank(&w, x, i);
		else
			write_plain(&w, x, i);
	}
	return 1;
}

const struct skeleton skeleton_stages = {
	.name = "stages",
	.summary = "a kernel a statement; prefix sums, bisection, sorting: sort, top-k, unique, nonzero, sampling, segments",
	.serves_whole = true,
	.serves_simt = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
