/*
 * row_wise: reductions over one index, then maps over the same rows: sums,
 * norms, softmax.  Rows may be any leading indices that all statements share.
 */
#include "generate/recognise.h"

#include <string.h>

enum { LEAST_OF_CLUSTER = 4096 }; /* columns */

struct match {
	const struct normal *normal;
	size_t row_count;                 /* leading indices that are rows: 1 or 2 */
	const struct expr_range *row;
	const char *column;               /* canonical name of the reduced index */
	const struct expr *extent;        /* of it */
	const struct expr **value;        /* by statement: with its column index renamed */
	const struct expr *cached;        /* the access of rows x column that is read most, or NULL */
	bool has_quotient;                /* something over the row is divided by a value of the row's */
	const struct expr *shared;        /* an element-wise subexpression two statements compute, or NULL */
};

static bool same_rows(const struct expr_range *a, const struct expr_range *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i].name, b[i].name) || !expr_equal(a[i].hi, b[i].hi))
			return false;
	return true;
}

static int count_access(const struct expr *e, const struct expr *access)
{
	int n = expr_equal(e, access);

	for (size_t i = 0; i < e->arg_count; i++)
		n += count_access(e->arg[i], access);
	return n;
}

/* The first access whose last index is the column and that has the rows. */
static const struct expr *row_access(const struct match *m, const struct expr *e)
{
	const struct expr *found = NULL;

	if (e->kind == EXPR_ACCESS && access_is_plain(e) && e->arg_count == m->row_count + 1 && access_position(e, m->column) == (int)m->row_count)
		return e;
	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = row_access(m, e->arg[i]);
	return found;
}

/* A call over the column index inside e that also stands in `other`. */
static const struct expr *common_call(const struct match *m, const struct expr *e, const struct expr *other)
{
	const struct expr *found = NULL;

	if (e->kind == EXPR_CALL && expr_uses(e, m->column) && count_access(other, e))
		return e;
	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = common_call(m, e->arg[i], other);
	return found;
}

/* Is e a real quotient of what runs over the row by what is one value a row? */
static bool is_quotient(const struct match *m, const struct expr *e)
{
	return e->kind == EXPR_BINARY && e->op == OP_DIV && expr_uses(e->arg[0], m->column) && !expr_uses(e->arg[1], m->column);
}

/* Does e round what it is given?  Then one rounding more shows: as another number, where ties lie. */
static bool rounds(const struct expr *e)
{
	enum dtype dtype;

	return e->kind == EXPR_CALL && (dtype_find(e->name, &dtype) || !strcmp(e->name, "round") || !strcmp(e->name, "floor") || !strcmp(e->name, "ceil") || !strcmp(e->name, "trunc"));
}

static bool has_quotient(const struct match *m, const struct expr *e)
{
	bool has = is_quotient(m, e);

	if (rounds(e))
		return false;

	for (size_t i = 0; i < e->arg_count && !has; i++)
		has = has_quotient(m, e->arg[i]);
	return has;
}

/* a / b as a * (1 / b): one division a row instead of one an element, for a rounding more. */
static const struct expr *by_reciprocals(struct arena *arena, const struct match *m, const struct expr *e)
{
	if (is_quotient(m, e))
		return expr_binary(arena, OP_MUL, (struct expr *)by_reciprocals(arena, m, e->arg[0]),
				   expr_binary(arena, OP_DIV, expr_real(arena, 1), e->arg[1]));
	if (!has_quotient(m, e))
		return e;
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = (struct expr *)by_reciprocals(arena, m, e->arg[i]);
	return copy;
}

static bool calls(const struct expr *e, const char *name)
{
	bool found = e->kind == EXPR_CALL && !strcmp(e->name, name);

	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = calls(e->arg[i], name);
	return found;
}

/* exp(a) as exp2(a * log2 e), which costs less and is |a| / 2 ULP of f32 coarser: too much where f32 is what is asked for. */
static const struct expr *by_powers_of_two(struct arena *arena, const struct expr *e)
{
	if (!calls(e, "exp"))
		return e;
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = (struct expr *)by_powers_of_two(arena, e->arg[i]);
	if (e->kind == EXPR_CALL && !strcmp(e->name, "exp")) {
		copy->name = "exp2";
		copy->arg[0] = expr_binary(arena, OP_MUL, copy->arg[0], expr_real(arena, 1.44269504088896340736));
	}
	return copy;
}

/* Does some access of e use every row index? */
static bool reads_all_rows(const struct match *m, const struct expr *e)
{
	bool all = e->kind == EXPR_ACCESS;

	for (size_t i = 0; all && i < m->row_count; i++)
		all = expr_uses(e, m->row[i].name);
	for (size_t i = 0; i < e->arg_count && !all; i++)
		all = reads_all_rows(m, e->arg[i]);
	return all;
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal,
				 struct strbuf *why_not)
{
	struct match *m = ARENA_ARRAY(arena, struct match, 1);
	const struct normal_stmt *first = NULL;

	(void)problem;
	m->normal = normal;
	m->value = ARENA_ARRAY(arena, const struct expr *, normal->stmt_count);
	for (size_t i = 0; i < normal->stmt_count && !first; i++)
		if (normal->stmt[i].value->kind == EXPR_REDUCE)
			first = &normal->stmt[i];
	if (!first || first->index_count < 1 || first->index_count > 2) {
		strbuf_addstr(why_not, "row_wise: no reduction over rows of one or two indices");
		return NULL;
	}
	m->row = first->index;
	m->row_count = first->index_count;
	m->column = first->value->range[0].name;
	m->extent = first->value->range[0].hi;
	for (size_t i = 0; i < normal->stmt_count; i++) {
		const struct normal_stmt *s = &normal->stmt[i];
		const struct expr *e = s->value;
		if (s->index_count < m->row_count || !same_rows(m->row, s->index, m->row_count)) {
			strbuf_addf(why_not, "row_wise: '%s' has other rows", s->name);
			return NULL;
		}
		const char *column = NULL;
		if (e->kind == EXPR_REDUCE) {
			if (e->range_count != 1 || e->op > OP_MIN || e->filter || s->index_count != m->row_count ||
			    !range_is_static(&e->range[0], s->index, s->index_count) || !expr_equal(e->range[0].hi, m->extent)) {
				strbuf_addf(why_not, "row_wise: '%s' is no plain reduction over the row", s->name);
				return NULL;
			}
			column = e->range[0].name;
			e = e->arg[0];
		} else if (s->index_count == m->row_count + 1) {
			if (!expr_equal(s->index[m->row_count].hi, m->extent)) {
				strbuf_addf(why_not, "row_wise: '%s' is longer or shorter than the row", s->name);
				return NULL;
			}
			column = s->index[m->row_count].name;
		} else if (s->index_count != m->row_count) {
			strbuf_addf(why_not, "row_wise: '%s' has more indices than rows and a column", s->name);
			return NULL;
		}
		if (s->tensor < 0 && s->index_count > m->row_count) {
			strbuf_addf(why_not, "row_wise: intermediate '%s' has the row's length", s->name);
			return NULL;
		}
		m->value[i] = column ? expr_replace_name(arena, e, column, expr_name(arena, m->column)) : e;
	}
	if (m->row_count == 2 && !reads_all_rows(m, first->value->arg[0])) {
		strbuf_addstr(why_not, "row_wise: no factor has all rows: a contraction");
		return NULL;
	}
	int reads = 0;
	for (size_t i = 0; i < normal->stmt_count; i++) {
		if (!m->cached)
			m->cached = row_access(m, m->value[i]);
		m->has_quotient |= has_quotient(m, m->value[i]);
		reads += m->cached ? count_access(m->value[i], m->cached) > 0 : 0;
		for (size_t k = i + 1; k < normal->stmt_count && !m->shared; k++)
			m->shared = common_call(m, m->value[i], m->value[k]);
	}
	if (reads < 2)
		m->cached = NULL;
	return m;
}

static size_t first_reduction(const struct normal *normal)
{
	size_t i = 0;

	while (normal->stmt[i].value->kind != EXPR_REDUCE)
		i++;
	return i;
}

/* Does some access have the column for its last index? */
static bool goes_along(const struct match *m, const struct expr *e)
{
	const struct expr *last = e->kind == EXPR_ACCESS && e->arg_count ? e->arg[e->arg_count - 1] : NULL;
	bool goes = last && last->kind == EXPR_NAME && !strcmp(last->name, m->column);

	for (size_t i = 0; i < e->arg_count && !goes; i++)
		goes = goes_along(m, e->arg[i]);
	return goes;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem,
		  const struct target *target, struct space *space)
{
	static const int extent[] = { 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536 };
	const int64_t length = extent_value(problem, m->extent), longest = extent[ARRAY_SIZE(extent) - 1];
	int fits[4], n = 0;

	add_knob(arena, space, "BR", (const int[]){ 1, 2, 4, 8, 16, 32, -1 });
	if (target->warp > 1) {
		add_knob(arena, space, "THREADS", (const int[]){ 64, 128, 256, 512, -1 });
		if (target->max_cluster && length >= LEAST_OF_CLUSTER)
			add_knob(arena, space, "CLUSTER", (const int[]){ 1, 2, 4, 8, 16, -1 });
		add_align_knob(arena, space);
	} else {
		add_knob(arena, space, "UNROLL", (const int[]){ 1, 2, 4, 8, -1 });
		if (m->cached || m->shared)
			add_knob(arena, space, "FUSE", (const int[]){ 0, 1, -1 });
		add_knob(arena, space, "NT", (const int[]){ 0, 1, -1 });
	}
	if (m->cached || target->warp > 1)
		add_knob(arena, space, "CACHE", (const int[]){ 0, 1, -1 });
	if (m->shared)
		add_knob(arena, space, "KEEP", (const int[]){ 0, 1, -1 });
	for (size_t i = 0; i < m->normal->stmt_count; i++)
		if (calls(m->value[i], "exp")) {
			add_knob(arena, space, "EXP2", dtype_bytes(problem->dtype) < 4 ? (const int[]){ 0, 1, -1 } : (const int[]){ 0, -1 });
			break;
		}
	if (m->has_quotient)
		add_knob(arena, space, "RECIP", (const int[]){ 0, 1, -1 });
	for (size_t i = 0; i < ARRAY_SIZE(extent) && n < 2; i++)
		if (extent[i] >= length)
			fits[n++] = extent[i];
	/* Longer ones a cluster of blocks holds: whole chunks of all of its threads. */
	if (!n && target->max_cluster && length <= longest * target->max_cluster)
		fits[n++] = (int)((length + (longest >> 1) - 1) / (longest >> 1) * (longest >> 1));
	fits[n] = -1;
	if (n && (m->cached || m->shared || target->warp > 1))
		add_knob(arena, space, "BC", fits);
	if (target->warp > 1) {
		/* Columns that do not lie side by side are read a word a sector; short ones leave most threads idle. */
		space->is_last_resort = !goes_along(m, m->value[first_reduction(m->normal)]) || length < target->warp;
		/* A row a block, sixteen columns a thread, read once; long ones four times as many, and several small blocks beside each other. */
		start_knob(space, "THREADS", length <= 1024 ? "64" : length <= 2048 ? "128" : length <= 4096 || length > longest / 4 ? "256" : "512");
		if (length > longest / 4)
			start_knob(space, "CLUSTER", length > longest * 2 ? "16" : length > longest ? "8" : length > longest / 2 ? "4" : "2");
		start_knob(space, "RECIP", "1");
		start_knob(space, "CACHE", "1");
		start_knob(space, "KEEP", "1");
	}
}

/* Replaces accesses to row statements by tiles, and `what` by the tile `with`. */
static const struct expr *replace_equal(struct arena *arena, const struct expr *e, const struct expr *what, const struct expr *with)
{
	if (expr_equal(e, what))
		return with;
	if (!e->arg_count)
		return e;
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = (struct expr *)replace_equal(arena, e->arg[i], what, with);
	return copy;
}

struct writer {
	struct arena *arena;
	const struct match *m;
	const char *mapping[12];
	struct strbuf *text;
	const struct expr *tile_v, *tile_w; /* cached input, shared subexpression; NULL: not used */
	bool has_v, has_w;
	bool is_exp2; /* exp by exp2 */
};

/* The value in the kernel's own names: buffers at global rows, statements and cached parts as tiles. */
static const char *local_text(struct writer *w, const struct expr *e)
{
	if (w->tile_w && w->has_w)
		e = replace_equal(w->arena, e, w->m->shared, w->tile_w);
	if (w->tile_v && w->has_v)
		e = replace_equal(w->arena, e, w->m->cached, w->tile_v);
	/* Row statements: name[row] becomes s_name[row]; protect their indices from the global mapping. */
	for (size_t i = 0; i < w->m->normal->stmt_count; i++) {
		const struct normal_stmt *s = &w->m->normal->stmt[i];
		if (s->tensor >= 0 && s->index_count > w->m->row_count)
			continue;
		const struct expr *access = find_access(e, s->name);
		if (!access)
			continue;
		struct expr *index[2];
		for (size_t k = 0; k < w->m->row_count; k++)
			index[k] = expr_name(w->arena, arena_printf(w->arena, "local_%s", w->m->row[k].name));
		struct expr *tile = expr_access(w->arena, arena_printf(w->arena, "s_%s", s->name), index + w->m->row_count - 1, 1);
		e = replace_equal(w->arena, e, access, tile);
	}
	if (w->is_exp2)
		e = by_powers_of_two(w->arena, e);
	return expr_text(w->arena, e, w->mapping);
}

/*
 * May what the statements share be held where the cached input is: is none of that read, but for what is shared,
 * from the first statement on that has it?
 */
static bool may_replace(struct arena *arena, const struct match *m)
{
	const struct expr *none = expr_int(arena, 0);
	bool is_shared = false, may = true;

	for (size_t i = 0; i < m->normal->stmt_count && may; i++) {
		is_shared |= count_access(m->value[i], m->shared) > 0;
		may = !is_shared || !count_access(replace_equal(arena, m->value[i], m->shared, none), m->cached);
	}
	return may;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	int64_t br = point_int(space, point, "BR"), bc = point_int(space, point, "BC"), threads = point_int(space, point, "THREADS");
	bool cache = point_int(space, point, "CACHE"), keep = point_int(space, point, "KEEP"), simt = target->warp > 1;
	const char *row = m->row[m->row_count - 1].name, *column = m->column;
	const char *rows = expr_text(arena, m->row[m->row_count - 1].hi, NULL), *columns = expr_text(arena, m->extent, NULL);
	struct writer w = { .arena = arena, .m = m, .text = text, .is_exp2 = point_int(space, point, "EXP2") };

	if (!cache && !keep && bc && !simt && point->value[space->knob_count - 1] != 0) {
		strbuf_addstr(why_not, "BC without CACHE or KEEP does nothing");
		return 0;
	}
	if (simt && threads > bc) {
		strbuf_addstr(why_not, "more threads than columns");
		return 0;
	}
	if (br > 1 && point_int(space, point, "CLUSTER") > 1) {
		strbuf_addstr(why_not, "a cluster's blocks share one row");
		return 0;
	}
	int64_t extent = simt || cache || keep ? bc : INT64_C(1) << 30;
	if ((simt || cache || keep) && extent_value(problem, m->extent) > bc) {
		strbuf_addf(why_not, "rows longer than the tile of %lld", (long long)bc);
		return 0;
	}
	if (!simt && br * bc * 4 > (INT64_C(1) << 20) && (cache || keep)) {
		strbuf_addstr(why_not, "a tile above 1 MiB leaves the cache");
		return 0;
	}
	int n = 0;
	if (m->row_count == 2) {
		w.mapping[n++] = m->row[0].name;
		w.mapping[n++] = "p0";
	}
	w.mapping[n++] = row;
	w.mapping[n++] = arena_printf(arena, "p%zu*%lld+%s", m->row_count - 1, (long long)br, row);
	w.mapping[n++] = arena_printf(arena, "local_%s", row);
	w.mapping[n++] = row;
	write_head(arena, problem, text);
	if (!align_write(arena, problem, space, point, text, why_not))
		return 0;
	/* `require` lines belong before the kernels. */
	if (extent < INT64_C(1) << 30)
		strbuf_addf(text, "require %s <= %lld\n", columns, (long long)extent);
	strbuf_addf(text, "kernel rows grid [%s%scdiv(%s, %lld)] threads %lld\n", m->row_count == 2 ? expr_text(arena, m->row[0].hi, NULL) : "",
		    m->row_count == 2 ? ", " : "", rows, (long long)br, (long long)(simt ? threads : 1));
	strbuf_addf(text, "  index %s<%lld of %s-p%zu*%lld %s<%lld of %s\n", row, (long long)br, rows, m->row_count - 1, (long long)br, column,
		    (long long)extent, columns);
	if (point_int(space, point, "CLUSTER") > 1)
		strbuf_addf(text, "  knob BLOCKS=%lld\n", (long long)point_int(space, point, "CLUSTER"));
	if (!simt)
		strbuf_addf(text, "  knob UNROLL=%lld FUSE=%lld NT=%lld\n", (long long)point_int(space, point, "UNROLL"),
			    (long long)point_int(space, point, "FUSE"), (long long)point_int(space, point, "NT"));
	if (cache && m->cached) {
		w.tile_v = expr_access(arena, "cache_", (struct expr *[]){ expr_name(arena, arena_printf(arena, "local_%s", row)), expr_name(arena, column) }, 2);
		strbuf_addf(text, "  tile cache_ %s [%s, %s] @reg\n", tile_real(problem), row, column);
	}
	const char *kept = simt && cache && m->cached && keep && m->shared && may_replace(arena, m) ? "cache_" : "keep_";
	if (keep && m->shared) {
		w.tile_w = expr_access(arena, kept, (struct expr *[]){ expr_name(arena, arena_printf(arena, "local_%s", row)), expr_name(arena, column) }, 2);
		if (!strcmp(kept, "keep_"))
			strbuf_addf(text, "  tile keep_ %s [%s, %s] @reg\n", tile_real(problem), row, column);
	}
	for (size_t i = 0; i < m->normal->stmt_count; i++)
		if (m->normal->stmt[i].index_count == m->row_count)
			strbuf_addf(text, "  tile s_%s %s [%s] @reg\n", m->normal->stmt[i].name, tile_real(problem), row);
	if (w.tile_v) {
		strbuf_addf(text, "  cache_[%s, %s] = %s\n", row, column, expr_text(arena, m->cached, w.mapping));
		w.has_v = true;
	}
	for (size_t i = 0; i < m->normal->stmt_count; i++) {
		const struct normal_stmt *s = &m->normal->stmt[i];
		if (w.tile_w && !w.has_w && count_access(m->value[i], m->shared)) {
			strbuf_addf(text, "  %s[%s, %s] = %s\n", kept, row, column, local_text(&w, m->shared));
			w.has_w = true;
		}
		const char *value = local_text(&w, point_int(space, point, "RECIP") ? by_reciprocals(arena, m, m->value[i]) : m->value[i]);
		if (s->value->kind == EXPR_REDUCE)
			value = arena_printf(arena, "%s(%s) (%s)", expr_op_text(s->value->op), column, value);
		if (s->index_count == m->row_count)
			strbuf_addf(text, "  s_%s[%s] = %s\n", s->name, row, value);
		const char *at = m->row_count == 2 ? arena_printf(arena, "p0, %s", w.mapping[3]) : w.mapping[1];
		if (s->tensor >= 0 && s->index_count == m->row_count)
			strbuf_addf(text, "  %s[%s] = s_%s[%s]\n", s->name, at, s->name, row);
		else if (s->tensor >= 0)
			strbuf_addf(text, "  %s[%s, %s] = %s\n", s->name, at, column, value);
	}
	return 1;
}

const struct skeleton skeleton_row_wise = {
	.name = "row_wise",
	.summary = "reductions over rows, then maps over the same rows: sums, norms, softmax",
	.serves_simt = true,
	.serves_tiles = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
