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
 * Ranks are counted, of long rows in runs.
 */
#include "generate/stages.h"

#include <string.h>

/* No row is longer where positions are sorted: the scratch of a thread. */
enum { MOST_SORTED = 65536 };

enum { BLOCKS_GROW = 4 /* values of BM */ };

static bool is_simt(const struct target *target)
{
	return target->warp > 1;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	if (is_simt(target)) {
		stages_device_knobs(arena, m, problem, space);
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

/* Grid over blocks of the first index, the others whole; at: the statement's place, mapping: its indices there. */
static const char *open_kernel(struct stages_writer *w, const struct normal_stmt *s, size_t number, const char **mapping)
{
	struct strbuf at = STRBUF_INIT;
	long long block = (long long)w->block;

	if (!s->index_count)
		strbuf_addf(w->text, "kernel s%zu grid [1] threads 1\n", number);
	else
		strbuf_addf(w->text, "kernel s%zu grid [cdiv(%s, %lld)] threads 1\n  index %s<%lld of %s-p0*%lld", number, stages_extent(w, s, 0), block, s->index[0].name,
			    block, stages_extent(w, s, 0), block);
	for (size_t i = 0; i < s->index_count; i++) {
		const char *here = i ? s->index[i].name : arena_printf(w->arena, "p0*%lld+%s", block, s->index[0].name);
		if (i)
			strbuf_addf(w->text, " %s<1073741824 of %s", s->index[i].name, stages_extent(w, s, i));
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
static struct expr *as_indices(struct stages_writer *w, const struct normal_stmt *s, struct expr *e)
{
	if (e->kind != EXPR_REDUCE || e->op > OP_MIN)
		return e;
	struct expr_range *last = &e->range[e->range_count - 1];
	bool is_plain = stages_is_int(last->lo, 0) && !reads_any_tensor(last->hi);
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

static void write_plain(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	const char *mapping[2 * OP_MAX_RANK + 1];
	const char *at = open_kernel(w, s, number, mapping);
	struct expr *value = stages_in_memory(w, s->value);
	size_t before = w->text->len;

	if (x->scheme == SEARCH)
		value->op = OP_BISECT;
	value = as_indices(w, s, value);
	if (s->index_count || w->text->len != before)
		strbuf_addch(w->text, '\n');
	strbuf_addf(w->text, "  knob UNROLL=%lld%s\n", (long long)w->unroll, w->is_double ? " REAL=f64" : "");
	stages_write_stores(w, x, "  ", at, expr_text(w->arena, value, mapping));
}

/* Rows are instances.  The place of index n in its row; mapping: the rows. */
static const char *open_rows(struct stages_writer *w, const struct normal_stmt *s, size_t number, const char *n, const char **mapping)
{
	size_t rows = s->index_count - 1;
	struct strbuf at = STRBUF_INIT;

	strbuf_addf(w->text, "kernel s%zu grid [", number);
	for (size_t i = 0; i < rows; i++) {
		strbuf_addf(w->text, "%s%s", i ? ", " : "", stages_extent(w, s, i));
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
static void write_recurrence(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	const char *mapping[2 * OP_MAX_RANK + 1], *n = s->index[s->index_count - 1].name;
	const char *at = open_rows(w, s, number, n, mapping);

	strbuf_addf(w->text, "  for %s in 0..%s step 1\n", n, stages_extent(w, s, s->index_count - 1));
	stages_write_stores(w, x, "    ", at, expr_text(w->arena, stages_in_memory(w, s->value), mapping));
	strbuf_addstr(w->text, "  end\n");
}

/* The last index is a loop with a running sum. */
static void write_prefix(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	size_t rows = s->index_count - 1;
	const char *mapping[2 * OP_MAX_RANK + 3], *n = s->index[rows].name;
	bool is_inclusive = s->value->range[0].hi->kind == EXPR_BINARY;
	const char *at = open_rows(w, s, number, n, mapping);

	mapping[2 * rows] = s->value->range[0].name;
	mapping[2 * rows + 1] = n;
	mapping[2 * rows + 2] = NULL;
	strbuf_addf(w->text, "  tile sum_ %s [] @reg\n  sum_ = 0\n  for %s in 0..%s step 1\n", s->kind == KIND_REAL ? "f64" : "i64", n, stages_extent(w, s, rows));
	if (!is_inclusive)
		stages_write_stores(w, x, "    ", at, "sum_");
	strbuf_addf(w->text, "    sum_ = sum_ + (%s)\n", expr_text(w->arena, stages_in_memory(w, s->value->arg[0]), mapping));
	if (is_inclusive)
		stages_write_stores(w, x, "    ", at, "sum_");
	strbuf_addstr(w->text, "  end\n");
}

/* A row's positions, sorted: a merge needs all of it in scratch. */
static void write_order(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	size_t rows = s->index_count - 1;
	const char *mapping[2 * OP_MAX_RANK + 1], *c = s->index[rows].name, *j = s->value->range[0].name;
	struct strbuf at = STRBUF_INIT;

	strbuf_addf(w->text, "kernel s%zu grid [", number);
	for (size_t i = 0; i < rows; i++) {
		strbuf_addf(w->text, "%s%s", i ? ", " : "", stages_extent(w, s, i));
		strbuf_addf(&at, "p%zu, ", i);
		mapping[2 * i] = s->index[i].name;
		mapping[2 * i + 1] = arena_printf(w->arena, "p%zu", i);
	}
	mapping[2 * rows] = NULL;
	strbuf_addf(w->text, "%s] threads 1\n  index %s<%d of %s %s<%d of %s\n  knob BASE=%lld\n  tile order_ i32 [%s] @reg\n", rows ? "" : "1", c, MOST_SORTED,
		    stages_extent(w, s, rows), j, MOST_SORTED, stages_extent(w, s, rows), (long long)w->base, c);
	strbuf_addf(w->text, "  order_[%s] = order(%s) (%s)\n", c, j, expr_text(w->arena, stages_in_memory(w, s->value->arg[0]), mapping));
	strbuf_addf(w->text, "  %s[%s%s] = order_[%s]\n", stages_kept_name(w->arena, x), at.buf, c, c);
	strbuf_release(&at);
}

/* The value at the position whose rank is o: read from there, or, of counted ranks, written there. */
static void write_by_rank(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	const char *mapping[2 * OP_MAX_RANK + 3], *c = s->value->range[0].name, *kept = stages_kept_name(w->arena, stages_find(w->match, x->ranks->name));
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
		stages_write_stores(w, x, "  ", to, expr_text(w->arena, stages_in_memory(w, s->value->arg[0]), mapping));
		return;
	}
	size_t n = 2 * s->index_count;
	mapping[n] = c;
	mapping[n + 1] = rank;
	mapping[n + 2] = NULL;
	stages_write_stores(w, x, "  ", at, expr_text(w->arena, stages_in_memory(w, s->value->arg[0]), mapping));
}

/* Is some range of a reduction a dim that is 1 at the problem: the depth of a depthwise convolution? */
static bool reduces_ones(const struct match *m, const struct problem *problem)
{
	for (size_t i = 0; i < m->count; i++)
		for (size_t k = 0; !m->sorts && k < m->stage[i].stmt->value->range_count; k++)
			if (m->stage[i].stmt->value->range[k].hi && dim_is_one(problem, m->stage[i].stmt->value->range[k].hi))
				return true;
	return false;
}

/* The match with 1 for dims that are, which the kernels then demand. */
static const struct match *match_with_ones(struct arena *arena, const struct match *m, const struct problem *problem)
{
	struct match *copy = ARENA_ARRAY(arena, struct match, 1);

	*copy = *m;
	copy->stage = ARENA_ARRAY(arena, struct stage, m->count);
	for (size_t i = 0; i < m->count; i++) {
		struct normal_stmt *s = ARENA_ARRAY(arena, struct normal_stmt, 1);
		*s = *m->stage[i].stmt;
		s->index = ARENA_ARRAY(arena, struct expr_range, s->index_count);
		memcpy(s->index, m->stage[i].stmt->index, s->index_count * sizeof(*s->index));
		s->value = (struct expr *)with_ones(arena, problem, s->value);
		for (size_t k = 0; k < s->index_count; k++)
			s->index[k].hi = (struct expr *)with_ones(arena, problem, s->index[k].hi);
		copy->stage[i] = m->stage[i];
		copy->stage[i].stmt = s;
	}
	return copy;
}

/* How often e reads the statement; at other places than its own indices: many times. */
static int reads_of(const struct expr *e, const struct normal_stmt *s)
{
	enum { MANY = 1000 };
	int reads = 0;

	if (!e)
		return 0;
	if ((e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) && !strcmp(e->name, s->name)) {
		bool is_own = e->arg_count == s->index_count;
		for (size_t i = 0; i < e->arg_count && is_own; i++)
			is_own = e->arg[i]->kind == EXPR_NAME && !strcmp(e->arg[i]->name, s->index[i].name);
		return is_own ? 1 : MANY;
	}
	for (size_t i = 0; i < e->arg_count; i++)
		reads += e->kind == EXPR_REDUCE ? MANY * reads_of(e->arg[i], s) : reads_of(e->arg[i], s);
	for (size_t i = 0; i < e->range_count; i++)
		reads += MANY * (reads_of(e->range[i].lo, s) + reads_of(e->range[i].hi, s));
	return reads + MANY * (reads_of(e->filter, s) + reads_of(e->otherwise, s));
}

static struct expr *put_in(struct arena *arena, const struct expr *e, const struct normal_stmt *s)
{
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);

	if ((e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) && !strcmp(e->name, s->name))
		return s->value;
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = e->kind == EXPR_REDUCE ? e->arg[i] : put_in(arena, e->arg[i], s);
	return copy;
}

/* Where the reduction's only reader has its indices, and no reduction: its stage; NULL: it is read elsewhere too. */
static struct stage *only_reader(struct match *m, const struct stage *x)
{
	const struct normal_stmt *s = x->stmt;
	struct stage *reader = NULL;
	int reads = 0;

	if (x->scheme != PLAIN || s->value->kind != EXPR_REDUCE || s->value->op > OP_MIN || s->tensor >= 0)
		return NULL;
	for (size_t i = 0; i < m->count; i++) {
		int n = reads_of(m->stage[i].stmt->value, s);
		reads += n;
		reader = n ? &m->stage[i] : reader;
	}
	bool is_alike = reads == 1 && reader->scheme == PLAIN && reader->stmt->value->kind != EXPR_REDUCE && reader->stmt->index_count == s->index_count;
	for (size_t i = 0; is_alike && i < s->index_count; i++)
		is_alike = !strcmp(reader->stmt->index[i].name, s->index[i].name) && expr_equal(reader->stmt->index[i].hi, s->index[i].hi);
	return is_alike ? reader : NULL;
}

/* The match with reductions put in where they are read: a mean is one kernel, and no memory between. */
static const struct match *with_readers(struct arena *arena, const struct match *m)
{
	struct match *copy = ARENA_ARRAY(arena, struct match, 1);

	*copy = *m;
	copy->stage = ARENA_ARRAY(arena, struct stage, m->count);
	memcpy(copy->stage, m->stage, m->count * sizeof(*m->stage));
	for (size_t i = 0; i < copy->count && !m->sorts;) {
		struct stage *reader = only_reader(copy, &copy->stage[i]);
		if (!reader) {
			i++;
			continue;
		}
		struct normal_stmt *s = ARENA_ARRAY(arena, struct normal_stmt, 1);
		*s = *reader->stmt;
		s->value = put_in(arena, s->value, copy->stage[i].stmt);
		reader->stmt = s;
		memmove(copy->stage + i, copy->stage + i + 1, (copy->count - i - 1) * sizeof(*copy->stage));
		copy->count--;
	}
	return copy;
}

/* Of the statement that has most, what blocks of BM cut. */
static int64_t most_rows(const struct match *m, const struct problem *problem)
{
	int64_t most = 1;

	for (size_t i = 0; i < m->count; i++) {
		const struct normal_stmt *s = m->stage[i].stmt;
		int64_t rows = s->index_count ? extent_value(problem, s->index[0].hi) : 1;
		/* As many as a tensor tells. */
		if (rows < 0)
			return INT64_MAX;
		most = rows > most ? rows : most;
	}
	return most;
}

/* May indices be computed in 32 bits, of what is kept between the statements too? */
static bool are_short(const struct match *m, const struct problem *problem)
{
	bool are = indices_are_short(problem);

	for (size_t i = 0; i < m->count && are; i++) {
		const struct normal_stmt *s = m->stage[i].stmt;
		double points = 1;
		for (size_t k = 0; k < s->index_count; k++)
			points *= (double)extent_value(problem, s->index[k].hi);
		are = points >= 0 && points <= TILE_MOST_SHORT;
	}
	return are;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const char *sort = point_word(space, point, "SORT");
	struct stages_writer w = { .arena = arena, .match = m, .problem = problem, .text = text, .block = point_int(space, point, "BM"), .unroll = point_int(space, point, "UNROLL"),
			    .base = point_int(space, point, "BASE"), .is_double = is_real_f64(space, point), .is_short = are_short(m, problem), .counts = sort && !strcmp(sort, "count") };

	if (is_simt(target)) {
		w.warp = target->warp;
		w.threads = point_int(space, point, "THREADS");
		w.lanes = point_int(space, point, "LANES");
		w.part = point_int(space, point, "PART");
		w.run = point_int(space, point, "RUN");
		w.patch = point_int(space, point, "PATCH");
		w.share = point_int(space, point, "SHARE");
		w.tiles = point_word(space, point, "TILES") ? point_int(space, point, "TILES") : NO_TILES;
		w.match = with_readers(arena, m);
		if (reduces_ones(w.match, problem)) {
			w.match = match_with_ones(arena, w.match, problem);
			write_head_of_ones(arena, problem, text);
		} else {
			write_head(arena, problem, text);
		}
		stages_write_memory(&w);
		return stages_lower_device(&w, why_not);
	}
	if (w.counts && w.base != 1) {
		strbuf_addstr(why_not, "BASE without a merge does nothing");
		return 0;
	}
	if (w.block > 1 && w.block / BLOCKS_GROW >= most_rows(m, problem)) {
		strbuf_addstr(why_not, "BM of the next smaller holds all rows");
		return 0;
	}
	write_head(arena, problem, text);
	stages_write_memory(&w);
	for (size_t i = 0; i < m->count; i++)
		if (m->stage[i].scheme == RANKS && !w.counts)
			strbuf_addf(text, "require %s <= %d\n", stages_extent(&w, m->stage[i].stmt, m->stage[i].stmt->index_count - 1), MOST_SORTED);
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
	.match = stages_match,
	.knobs = knobs,
	.lower = lower,
};
