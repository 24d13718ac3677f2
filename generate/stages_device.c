/*
 * Stages on devices of warps (simt_points.h): blocks are tiles of a statement's indices, a thread a point, or
 * LANES of them, which deal out the longest range of a reduction.
 */
#include "generate/stages.h"

#include <string.h>

void stages_device_knobs(struct arena *arena, const struct match *m, const struct problem *problem, struct space *space)
{
	add_knob(arena, space, "THREADS", (const int[]){ 128, 64, 256, 512, -1 });
	add_knob(arena, space, "LANES", (const int[]){ 1, 8, 32, 128, -1 });
	if (dtype_is_real(problem->dtype) && problem->dtype != DTYPE_f64)
		add_choice(arena, space, "REAL", (const char *const[]){ "f32", "f64", NULL });
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
	if (longest)
		strbuf_addf(names, "%s%s", names->len ? "," : "", longest);
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

static void write_points(struct stages_writer *w, const struct stage *x, size_t number)
{
	const struct normal_stmt *s = x->stmt;
	struct spread_index index[OP_MAX_RANK];
	const char *mapping[2 * OP_MAX_RANK + 1];
	struct expr *value = stages_in_memory(w, s->value);

	if (x->scheme == SEARCH)
		value->op = OP_BISECT;
	const char *at = open_block(w, kernel_name(w, number, ""), index, spread_of(w, s->index, s->index_count, index), value, mapping);
	stages_write_stores(w, x, "  ", at, expr_text(w->arena, value, mapping));
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
