/* Reductions and scans of printed C. */
#include "generate/emit_c_job.h"

#include <string.h>

/* ---- reductions ------------------------------------------------------ */

/* Trips of a loop over a window that is unrolled whole. */
enum { MOST_UNROLLED = 16 };

static const char *identity(enum expr_op op)
{
	return op == OP_SUM ? "0.0f" : op == OP_PROD ? "1.0f" : op == OP_MAX ? "-__builtin_inff()" : "__builtin_inff()";
}

static const char *combine(struct emitter *e, enum expr_op op, const char *a, const char *b, bool is_vector)
{
	if (op == OP_SUM || op == OP_PROD)
		return emit_text(e, "%s %s %s", a, op == OP_SUM ? "+" : "*", b);
	/* The new value first: its NaN wins, and an old NaN stays. */
	return emit_text(e, "km_%s%s(%s, %s)", op == OP_MAX ? "maximum" : "minimum", is_vector ? "" : "_s", b, a);
}

static const char *horizontal(enum expr_op op)
{
	return op == OP_SUM ? "km_hsum" : op == OP_PROD ? "km_hprod" : op == OP_MAX ? "km_hmax" : "km_hmin";
}

/* The term of reduction r; where its filter or the tail leaves it out, the identity. */
static const char *term(struct emitter *e, const struct expr *r, bool is_vector)
{
	const char *x = emit_real(e, r->arg[0], is_vector);

	if (r->filter) {
		struct expr select = { .kind = EXPR_SELECT, .arg = (struct expr *[]){ r->filter, r->arg[0], r->arg[0] }, .arg_count = 3 };
		struct expr *kept = ARENA_ARRAY(&e->arena, struct expr, 1);
		*kept = select;
		kept->arg = ARENA_ARRAY(&e->arena, struct expr *, 3);
		kept->arg[0] = r->filter;
		kept->arg[1] = r->arg[0];
		kept->arg[2] = expr_real(&e->arena, r->op == OP_SUM ? 0 : r->op == OP_PROD ? 1 : r->op == OP_MAX ? -__builtin_inf() : __builtin_inf());
		x = emit_real(e, kept, is_vector);
	}
	return x;
}

bool emit_is_dealt_out(const struct emitter *e, const char *range)
{
	const char *names = e->is_thread && e->lanes > 1 ? tile_knob(e->kernel, "ACROSS", "") : "";
	size_t n = strlen(range);

	for (const char *s = names; *s; s += strcspn(s, ","), s += *s == ',')
		if (strcspn(s, ",") == n && !memcmp(s, range, n))
			return true;
	return false;
}

static bool is_shared_out(const struct emitter *e, const struct expr *r)
{
	bool is = false;

	for (size_t i = 0; i < r->range_count && !is; i++)
		is = r->range[i].hi && emit_is_dealt_out(e, r->range[i].name);
	return is;
}

/* Where threads wait for each other, those whose points do not count come along, without terms. */
static int open_alive(struct emitter *e)
{
	if (!e->is_thread || e->lanes == 1)
		return 0;
	emit_open(e, "if (km_on)");
	return 1;
}

/* Trips of a range whose bounds are numbers, or compile-time dims; -1: of another. */
static int64_t known_trips(const struct emitter *e, const struct expr_range *g)
{
	int64_t hi = g->hi->kind == EXPR_INT ? g->hi->int_value : -1;

	for (size_t d = 0; d < e->program->dim_count; d++)
		if (g->hi->kind == EXPR_NAME && e->program->dim[d].is_static && !strcmp(e->program->dim[d].name, g->hi->name))
			hi = e->program->dim[d].value;
	return hi < 0 || g->lo->kind != EXPR_INT ? -1 : hi - g->lo->int_value;
}

/* Those parts of a condition whose innermost range is number g are asked in its loop; returns how many. */
static int open_conditions(struct emitter *e, const struct expr *r, const struct expr *condition, size_t g)
{
	size_t innermost = 0;

	if (condition->kind == EXPR_BINARY && condition->op == OP_AND)
		return open_conditions(e, r, condition->arg[0], g) + open_conditions(e, r, condition->arg[1], g);
	for (size_t i = 0; i < r->range_count; i++)
		innermost = expr_uses(condition, r->range[i].name) ? i : innermost;
	if (innermost != g)
		return 0;
	emit_open(e, "if (%s)", emit_truth(e, condition, false));
	return 1;
}

/* Loops over a reduction's ranges, tile indices or bounds of their own, but index v. */
static int open_ranges(struct emitter *e, const struct expr *r, int v)
{
	int64_t unroll = tile_knob_int(e->kernel, "TU", 1);
	int opened = 0;

	for (size_t i = 0; i < r->range_count; i++) {
		const struct expr_range *g = &r->range[i];
		int index = tile_index_find(e->kernel, g->name);
		if (!g->hi && index < 0) {
			emit_fail(e, "a reduction runs over a tile index or bounds, not '%s'", g->name);
			return opened;
		}
		if (!g->hi && index == v)
			continue;
		if ((e->is_inside || e->is_window) && g->hi && known_trips(e, g) >= 0 && known_trips(e, g) <= MOST_UNROLLED)
			emit_line(e, "_Pragma(\"clang loop unroll(full)\")");
		else if (i + 1 == r->range_count && unroll > 1)
			emit_line(e, "_Pragma(\"clang loop unroll_count(%lld)\")", (long long)unroll);
		opened++;
		if (!g->hi) {
			emit_open_index(e, index);
			continue;
		}
		bool is_dealt = emit_is_dealt_out(e, g->name);
		emit_open(e, "for (%s %s = %s%s, %s_n = %s; %s < %s_n; %s%s)", emit_index_type(e), g->name, emit_int(e, emit_here(e, g->lo)), is_dealt ? " + km_part" : "", g->name,
			  emit_int(e, emit_here(e, g->hi)), g->name, g->name, g->name, is_dealt ? emit_text(e, " += %d", e->lanes) : "++");
		if (e->vector >= 0)
			e->inner[e->inner_count++] = g->name;
		e->range[e->range_count++] = g;
		if (e->is_thread && r->filter)
			opened += open_conditions(e, r, r->filter, i);
	}
	return opened;
}

static void close_ranges(struct emitter *e, const struct expr *r, int opened)
{
	emit_close_index(e, opened);
	for (size_t i = 0; i < r->range_count; i++)
		e->range_count -= r->range[i].hi != NULL;
}

/* Rows that an index tensor names are fetched ahead: PF trips of the innermost range. */
static void prefetch(struct emitter *e, const struct expr *x, const struct expr_range *g, int64_t trips)
{
	for (size_t i = 0; i < x->arg_count; i++)
		prefetch(e, x->arg[i], g, trips);
	if (x->kind != EXPR_ACCESS || !g->hi)
		return;
	bool is_gathered = false;
	for (size_t i = 0; i < x->arg_count; i++)
		is_gathered |= x->arg[i]->kind == EXPR_ACCESS && expr_uses(x->arg[i], g->name);
	if (!is_gathered)
		return;
	struct expr *ahead = expr_binary(&e->arena, OP_ADD, expr_name(&e->arena, g->name), expr_int(&e->arena, trips));
	const char *at = emit_pointer(e, expr_replace_name(&e->arena, emit_through_view(e, x), g->name, ahead));
	emit_line(e, "if (%s + %lld < %s_n) __builtin_prefetch(%s);", g->name, (long long)trips, g->name, at);
}

struct fold {
	const struct expr *r;
	int number;
	const struct job *first;
};

static void fold_body(struct emitter *e, int copy, void *user)
{
	const struct fold *f = user;
	const char *acc = emit_text(e, "km_a%d_%d", f->number, copy);

	if (f->first)
		job_map(e, 0, (void *)f->first);
	const char *x = term(e, f->r, true);
	if (e->is_tail)
		x = emit_text(e, "km_sel(km_m, %s, (km_vf)(%s))", x, identity(f->r->op));
	emit_line(e, "%s = %s;", acc, combine(e, f->r->op, acc, x, true));
}

/* Reduction `number` along v, one of its ranges, into the scalar q<number>. */
void job_reduce_along(struct emitter *e, const struct expr *r, int number, int v, const struct job *first)
{
	int unroll = (int)tile_knob_int(e->kernel, "UNROLL", 1);
	struct fold fold = { r, number, first };

	unroll = unroll < 1 ? 1 : unroll;
	for (int u = 0; u < unroll; u++)
		emit_line(e, "km_vf km_a%d_%d = %s;", number, u, identity(r->op));
	int opened = open_ranges(e, r, v);
	emit_vector_loop(e, v, unroll, fold_body, &fold);
	close_ranges(e, r, opened);
	/* Pairwise: fewer roundings on the longest path. */
	for (int w = 1; w < unroll; w *= 2)
		for (int u = 0; u + w < unroll; u += 2 * w) {
			const char *a = emit_text(e, "km_a%d_%d", number, u);
			emit_line(e, "%s = %s;", a, combine(e, r->op, a, emit_text(e, "km_a%d_%d", number, u + w), true));
		}
	emit_line(e, "const float km_q%d = %s(km_a%d_0);", number, horizontal(r->op), number);
}

/* Bisection: the first of lo..hi for which the condition does not hold, counted from lo. */
static void bisect(struct emitter *e, const struct expr *r, int number)
{
	const struct expr_range *g = &r->range[0];

	emit_line(e, "long km_q%d = 0;", number);
	emit_open(e, "%s", e->is_thread && e->lanes > 1 ? "if (km_on)" : "");
	emit_line(e, "const %s km_first = %s;", emit_index_type(e), emit_int(e, emit_here(e, g->lo)));
	emit_line(e, "%s km_lo = km_first, km_hi = %s;", emit_index_type(e), emit_int(e, emit_here(e, g->hi)));
	emit_open(e, "while (km_lo < km_hi)");
	emit_line(e, "const %s %s = km_lo + (km_hi - km_lo) / 2;", emit_index_type(e), g->name);
	e->range[e->range_count++] = g;
	emit_line(e, "if (%s) km_lo = %s + 1; else km_hi = %s;", emit_truth(e, r->arg[0], false), g->name, g->name);
	e->range_count--;
	emit_close(e, 1);
	emit_line(e, "km_q%d = km_lo - km_first;", number);
	emit_close(e, 1);
}

static const char *whole_identity(enum expr_op op, bool is_bool)
{
	if (is_bool && op >= OP_MAX)
		return op == OP_MAX ? "0" : "1";
	return op == OP_SUM ? "0" : op == OP_PROD ? "1" : op == OP_MAX ? "(-__LONG_MAX__ - 1)" : "__LONG_MAX__";
}

/* One term of a reduction of scalars; what its condition leaves out is not evaluated. */
static void fold_scalar(struct emitter *e, const struct expr *r, const char *acc)
{
	bool is_whole = emit_is_whole(e, r->arg[0]);
	const char *x = is_whole ? emit_whole(e, r->arg[0]) : emit_real(e, r->arg[0], false);
	const char *condition = r->filter ? emit_text(e, "if (%s) ", emit_truth(e, r->filter, false)) : "";

	if (is_whole && r->op >= OP_MAX)
		emit_line(e, "%s%s = km_%s(%s, %s);", condition, acc, r->op == OP_MAX ? "max" : "min", acc, x);
	else if (is_whole) /* Whole numbers wrap, which C's signed ones do not. */
		emit_line(e, "%s%s = (long)((unsigned long)%s %s (unsigned long)%s);", condition, acc, acc, r->op == OP_SUM ? "+" : "*", x);
	else if (e->is_double && r->op >= OP_MAX)
		emit_line(e, "%s%s = km_%simum_d(%s, %s);", condition, acc, r->op == OP_MAX ? "max" : "min", x, acc);
	else
		emit_line(e, "%s%s = %s;", condition, acc, combine(e, r->op, acc, x, false));
}

/* Threads that share the point put their parts together; all of them get the result, and all must come here. */
static void fold_together(struct emitter *e, const struct expr *r, int number, const char *type)
{
	static const char *const fold[] = { [OP_SUM] = "km_sum_of", [OP_PROD] = "km_product_of", [OP_MAX] = "km_greatest_of", [OP_MIN] = "km_least_of" };

	if (e->is_dealt)
		emit_fail(e, "threads that take trips of a loop in turn do not meet in it");
	emit_line(e, "km_q%d = km_together<%d, %d, %s<%s>>(km_q%d, km_shared);", number, e->lanes, e->apart, fold[r->op], type, number);
}

/* The place of the greatest or least term, of the first NaN where there is one; -1 of none. */
static void find_place(struct emitter *e, const struct expr *r, int number)
{
	bool is_whole = emit_is_whole(e, r->arg[0]);
	const char *type = is_whole ? "long" : e->is_double ? "double" : "float";

	bool is_shared = is_shared_out(e, r), counts = e->is_thread && !is_whole && !r->filter && r->range_count == 1 && r->range[0].hi;
	emit_line(e, "long km_q%d = -1;", number);
	emit_line(e, "%s km_best%d = %s;", type, number, counts ? identity(r->op == OP_ARGMAX ? OP_MAX : OP_MIN) : "0");
	if (counts)
		emit_line(e, "int km_trips%d = 0, km_at%d = 0;", number, number);
	int alive = open_alive(e), opened = open_ranges(e, r, -1), saved = e->reduction_count;
	e->reduction_count = 0;
	if (r->filter && !e->is_thread)
		emit_line(e, "if (!%s) continue;", emit_truth(e, r->filter, false));
	emit_line(e, "const %s km_x = %s;", type, is_whole ? emit_whole(e, r->arg[0]) : emit_real(e, r->arg[0], false));
	/*
	 * Without branches: the terms of an unrolled loop are on their way together.  And, where all count, with two
	 * comparisons and 32 bits a place: beyond the first what is neither at most the best nor after a NaN.
	 */
	if (counts)
		emit_line(e, "const int km_new = !(km_x %s km_best%d) & (km_best%d == km_best%d); km_at%d = km_new ? km_trips%d : km_at%d; km_trips%d++;",
			  r->op == OP_ARGMAX ? "<=" : ">=", number, number, number, number, number, number, number);
	else
		emit_line(e, "const int km_new = (km_q%d < 0) | (km_x %s km_best%d) | ((km_x != km_x) & (km_best%d == km_best%d));", number,
			  r->op == OP_ARGMAX ? ">" : "<", number, number, number);
	emit_line(e, "km_best%d = km_new ? km_x : km_best%d;", number, number);
	if (!counts)
		emit_line(e, "km_q%d = km_new ? %s : km_q%d;", number, r->range[0].name, number);
	e->reduction_count = saved;
	close_ranges(e, r, opened);
	if (counts)
		emit_line(e, "if (km_trips%d) km_q%d = %s + km_at%d * %s;", number, number, emit_int(e, emit_here(e, r->range[0].lo)), number,
			  emit_is_dealt_out(e, r->range[0].name) ? emit_text(e, "%dL + km_part", e->lanes) : "1L");
	emit_close(e, alive);
	if (is_shared)
		emit_line(e, "km_q%d = km_together<%d, %d, km_place_of<%s, %s>>(km_placed<%s>{km_best%d, km_q%d}, km_shared).place;", number, e->lanes, e->apart, type,
			  r->op == OP_ARGMAX ? "true" : "false", type, number, number);
}

/* A reduction of a thread's scalars with the ranges that its condition uses outermost: it is asked as seldom as can be. */
static const struct expr *conditions_first(struct emitter *e, const struct expr *r)
{
	struct expr *copy = ARENA_ARRAY(&e->arena, struct expr, 1);
	size_t n = 0;

	for (size_t i = 0; i < r->range_count; i++)
		for (size_t k = 0; k < r->range_count; k++)
			if (r->range[i].hi && (expr_uses(r->range[i].lo, r->range[k].name) || expr_uses(r->range[i].hi, r->range[k].name)))
				return r;
	*copy = *r;
	copy->range = ARENA_ARRAY(&e->arena, struct expr_range, r->range_count);
	for (int is_free = 0; is_free < 2; is_free++)
		for (size_t i = 0; i < r->range_count; i++)
			if (!expr_uses(r->filter, r->range[i].name) == is_free)
				copy->range[n++] = r->range[i];
	return copy;
}

static const struct expr *first_reduction(const struct expr *x)
{
	const struct expr *found = x->kind == EXPR_REDUCE ? x : NULL;

	for (size_t i = 0; i < x->arg_count && !found; i++)
		found = first_reduction(x->arg[i]);
	return found;
}

/* Does the window of the thread's second point begin a row further than that of its first? */
static bool slides_by_rows(struct emitter *e, const struct expr *r)
{
	const char *row = r->range[r->range_count - 2].name;
	const struct tile_kernel *k = e->kernel;

	if (k->stmt_count < 2 || k->stmt[0].kind != TILE_STORE || k->stmt[1].kind != TILE_STORE)
		return false;
	const struct expr *a = first_reduction(k->stmt[0].value), *b = first_reduction(k->stmt[1].value);
	if (!a || !b || a->arg[0]->kind != EXPR_ACCESS || b->arg[0]->kind != EXPR_ACCESS || a->arg[0]->arg_count != b->arg[0]->arg_count)
		return false;
	for (size_t d = 0; d < a->arg[0]->arg_count; d++) {
		struct expr *from = a->arg[0]->arg[d], *to = b->arg[0]->arg[d];
		int64_t step;
		struct affine apart = affine_of(&e->arena, expr_binary(&e->arena, OP_SUB, to, from));
		if (expr_uses(from, row) && affine_stride(&e->arena, from, row, &step))
			return !apart.count && apart.constant == step;
	}
	return false;
}

/*
 * Are the terms of a thread's window read as they are, and its rows those of the next point's too, but one?  Each row is
 * then reduced by itself: the compiler has what it comes to once.
 */
static bool goes_by_rows(struct emitter *e, const struct expr *r, bool is_whole)
{
	const struct expr_range *last = &r->range[r->range_count - 1];

	return e->is_window && e->lanes == 1 && r->range_count > 1 && r->op <= OP_MIN && !r->filter && !is_whole && r->arg[0]->kind == EXPR_ACCESS && last->hi &&
	       known_trips(e, last) > 1 && known_trips(e, last) <= MOST_UNROLLED && slides_by_rows(e, r);
}

static void reduce_by_rows(struct emitter *e, const struct expr *r, const char *acc, const char *type)
{
	struct expr rows = *r, row = *r;

	rows.range_count--;
	row.range += rows.range_count;
	row.range_count = 1;
	int opened = open_ranges(e, &rows, -1);
	emit_line(e, "%s km_row = %s;", type, identity(r->op));
	int inside = open_ranges(e, &row, -1);
	fold_scalar(e, &row, "km_row");
	close_ranges(e, &row, inside);
	emit_line(e, "%s = %s;", acc, e->is_double && r->op >= OP_MAX ? emit_text(e, "km_%simum_d(%s, km_row)", r->op == OP_MAX ? "max" : "min", acc)
								    : combine(e, r->op, acc, "km_row", false));
	close_ranges(e, &rows, opened);
}

/* Reduction `number` term by term, into the scalar or, in a vector loop, vector q<number>. */
void job_reduce_in_place(struct emitter *e, const struct expr *r, int number, bool is_vector)
{
	const char *acc = emit_text(e, "km_q%d", number);
	int64_t trips = tile_knob_int(e->kernel, "PF", 0);
	bool is_whole = !is_vector && emit_is_whole(e, r->arg[0]);

	if (r->op == OP_BISECT) {
		if (is_vector)
			emit_fail(e, "bisect is no vector");
		bisect(e, r, number);
		return;
	}
	if (r->op == OP_ARGMAX || r->op == OP_ARGMIN) {
		if (is_vector || r->range_count != 1)
			emit_fail(e, "the place of an extreme is found along one range, in scalars");
		else
			find_place(e, r, number);
		return;
	}
	const char *type = is_vector ? "km_vf" : is_whole ? "long" : e->is_double ? "double" : "float";
	emit_line(e, "%s km_q%d = %s;", type, number,
		  is_whole ? whole_identity(r->op, emit_is_bool(e, r->arg[0])) : identity(r->op));
	struct expr unconditional = *r;
	unconditional.filter = NULL;
	if (e->is_thread && r->filter)
		r = conditions_first(e, r);
	if (e->is_thread && goes_by_rows(e, r, is_whole)) {
		reduce_by_rows(e, r, acc, type);
		return;
	}
	int alive = open_alive(e), opened = open_ranges(e, r, -1), saved = e->reduction_count;
	e->reduction_count = 0;
	if (trips > 0 && r->range_count)
		prefetch(e, r->arg[0], &r->range[r->range_count - 1], trips);
	if (is_vector)
		emit_line(e, "km_q%d = %s;", number, combine(e, r->op, acc, term(e, r, true), true));
	else
		fold_scalar(e, e->is_thread ? &unconditional : r, acc);
	e->reduction_count = saved;
	close_ranges(e, r, opened);
	emit_close(e, alive);
	if (is_shared_out(e, r))
		fold_together(e, r, number, type);
}

/* ---- several reductions of a thread in the same loops ----------------- */

static bool has_same_ranges(const struct expr *a, const struct expr *b)
{
	bool same = a->range_count == b->range_count && a->op == b->op && !a->filter == !b->filter;

	for (size_t i = 0; same && i < a->range_count; i++)
		same = a->range[i].hi && b->range[i].hi && !strcmp(a->range[i].name, b->range[i].name) && expr_equal(a->range[i].lo, b->range[i].lo) &&
		       expr_equal(a->range[i].hi, b->range[i].hi);
	return same;
}

static bool has_part(const struct expr *condition, const struct expr *part)
{
	if (condition->kind == EXPR_BINARY && condition->op == OP_AND)
		return has_part(condition->arg[0], part) || has_part(condition->arg[1], part);
	return expr_equal(condition, part);
}

static const struct expr *both(struct emitter *e, const struct expr *a, const struct expr *b)
{
	return a && b ? expr_binary(&e->arena, OP_AND, (struct expr *)a, (struct expr *)b) : a ? a : b;
}

/* The parts of a condition that all of the statements have (or, not `common`, that some have not); NULL: none. */
static const struct expr *parts_of(struct emitter *e, const struct expr *condition, const struct tile_stmt *stmt, size_t count, bool common)
{
	bool in_all = true;

	if (condition->kind == EXPR_BINARY && condition->op == OP_AND)
		return both(e, parts_of(e, condition->arg[0], stmt, count, common), parts_of(e, condition->arg[1], stmt, count, common));
	for (size_t i = 0; i < count && in_all; i++)
		in_all = has_part(stmt[i].value->filter, condition);
	return in_all == common ? condition : NULL;
}

static bool is_equal_or_none(const struct expr *a, const struct expr *b)
{
	return a && b ? expr_equal(a, b) : a == b;
}

/* The factor that is the same in a and b, which are products; NULL: none is. */
static const struct expr *common_factor(const struct expr *a, const struct expr *b)
{
	for (size_t i = 0; a->kind == EXPR_BINARY && a->op == OP_MUL && b->kind == EXPR_BINARY && b->op == OP_MUL && i < 2; i++)
		if (expr_equal(a->arg[i], b->arg[i]))
			return a->arg[i];
	return NULL;
}

/* One term of each statement's reduction; a factor of several is read, and a condition asked, once for them. */
static void fold_terms(struct emitter *e, const struct tile_stmt *stmt, size_t count)
{
	const struct expr **condition = ARENA_ARRAY(&e->arena, const struct expr *, count);
	bool *is_done = ARENA_ARRAY(&e->arena, bool, count);
	const char *type = e->is_double ? "double" : "float";

	for (size_t i = 0; i < count; i++)
		condition[i] = stmt[i].value->filter ? parts_of(e, stmt[i].value->filter, stmt, count, false) : NULL;
	for (size_t i = 0; i < count; i++) {
		const struct expr *factor = NULL, *term = stmt[i].value->arg[0];
		if (is_done[i])
			continue;
		emit_open(e, condition[i] ? "if (%s)" : "%s", condition[i] ? emit_truth(e, condition[i], false) : "");
		for (size_t k = i + 1; k < count && !factor; k++)
			factor = is_done[k] || !is_equal_or_none(condition[i], condition[k]) ? NULL : common_factor(term, stmt[k].value->arg[0]);
		if (factor)
			emit_line(e, "const %s km_x = %s;", type, emit_real(e, factor, false));
		for (size_t k = i; k < count; k++) {
			const struct expr *x = stmt[k].value->arg[0];
			const char *acc = emit_text(e, "km_q%zu", k);
			bool has_factor = factor && !is_done[k] && is_equal_or_none(condition[i], condition[k]) && x->kind == EXPR_BINARY && x->op == OP_MUL &&
					  (expr_equal(x->arg[0], factor) || expr_equal(x->arg[1], factor));
			if (k > i && !has_factor)
				continue;
			is_done[k] = true;
			const char *value = has_factor ? emit_text(e, "km_x * %s", emit_real(e, x->arg[expr_equal(x->arg[0], factor)], false)) : emit_real(e, x, false);
			emit_line(e, "%s = %s;", acc, e->is_double && stmt->value->op >= OP_MAX ? emit_text(e, "km_%simum_d(%s, %s)", stmt->value->op == OP_MAX ? "max" : "min", value, acc)
													: combine(e, stmt->value->op, acc, value, false));
		}
		emit_close(e, 1);
	}
}

size_t job_reduce_together(struct emitter *e, const struct tile_stmt *stmt, size_t count)
{
	const struct expr *first = stmt->value;
	size_t n = 0;

	if (!e->is_thread || e->lanes > 1 || !tile_knob_int(e->kernel, "TOGETHER", 0) || stmt->kind != TILE_STORE || first->kind != EXPR_REDUCE || first->op > OP_MIN)
		return 0;
	while (n < count && stmt[n].kind == TILE_STORE && stmt[n].value->kind == EXPR_REDUCE && has_same_ranges(first, stmt[n].value) && !emit_is_whole(e, stmt[n].value->arg[0]))
		n++;
	if (n < 2)
		return 0;
	struct expr loops = *first;
	loops.filter = first->filter ? (struct expr *)parts_of(e, first->filter, stmt, n, true) : NULL;
	/* What only some ask is asked as far out as it can be, too: the loops inside it are then of few statements. */
	struct expr order = loops;
	order.filter = first->filter;
	if (first->filter)
		loops.range = conditions_first(e, &order)->range;
	for (size_t i = 0; i < n; i++)
		emit_line(e, "%s km_q%zu = %s;", e->is_double ? "double" : "float", i, identity(first->op));
	int opened = open_ranges(e, &loops, -1);
	fold_terms(e, stmt, n);
	close_ranges(e, &loops, opened);
	for (size_t i = 0; i < n; i++) {
		struct job job = job_of(e, &stmt[i]);
		emit_store(e, job.target, emit_text(e, "km_q%zu", i), false, false);
	}
	return n;
}

void job_reduce_and_map(struct emitter *e, int copy, void *user)
{
	const struct job *job = user;

	for (int i = 0; i < e->reduction_count; i++)
		job_reduce_in_place(e, e->reduction[i], i, true);
	job_map(e, copy, user);
	(void)job;
}

/* Several vectors of accumulators go through the ranges together: one pass over the rows for all. */
void job_reduce_wide(struct emitter *e, const struct job *job, int v, int wide)
{
	const struct expr *r = e->reduction[0];
	int64_t trips = tile_knob_int(e->kernel, "PF", 0);
	struct emit_hoist hoist = { .text = STRBUF_INIT };

	e->vector = v;
	e->inner_count = 0;
	e->hoist = NULL;
	emit_open(e, "for (; km_w + %d <= km_full; km_w += %d)", wide, wide);
	for (int u = 0; u < wide; u++)
		emit_line(e, "km_vf km_a0_%d = %s;", u, identity(r->op));
	int opened = open_ranges(e, r, -1);
	e->reduction_count = 0;
	for (int u = 0; u < wide; u++) {
		const char *acc = emit_text(e, "km_a0_%d", u);
		emit_open(e, "%s", "");
		emit_line(e, "const long km_v = km_w + %d;", u);
		if (trips > 0 && (u * e->lanes * 4) % 64 == 0)
			prefetch(e, r->arg[0], &r->range[r->range_count - 1], trips);
		emit_line(e, "%s = %s;", acc, combine(e, r->op, acc, term(e, r, true), true));
		emit_close(e, 1);
	}
	e->reduction_count = 1;
	close_ranges(e, r, opened);
	for (int u = 0; u < wide; u++) {
		emit_open(e, "%s", "");
		emit_line(e, "const long km_v = km_w + %d;", u);
		emit_line(e, "const km_vf km_q0 = km_a0_%d;", u);
		job_map(e, 0, (void *)job);
		emit_close(e, 1);
	}
	emit_close(e, 1);
	e->vector = -1;
	strbuf_release(&hoist.text);
}

/* ---- scans ----------------------------------------------------------- */

/* tile[i.., j] = scan(j) x: prefix sums within the vector; the carry waits for one addition only. */
static void scan_body(struct emitter *e, int copy, void *user)
{
	const struct job *job = user;

	(void)copy;
	emit_line(e, "const km_vf km_x = km_scan(%s);", emit_real(e, job->stmt->value->arg[0], true));
	emit_store(e, job->target, "(km_x + km_carry)", true, false);
	if (!e->is_tail)
		emit_line(e, "km_carry += km_last(km_x);");
}

/* Vectors hold a row index, the fast digit here: the scan is a plain loop. */
static void scan_rows_body(struct emitter *e, int copy, void *user)
{
	const struct job *job = user;
	int along = tile_index_find(e->kernel, job->stmt->value->range[0].name);

	(void)copy;
	emit_line(e, "km_vf km_carry = 0.0f;");
	emit_open_index(e, along);
	emit_line(e, "km_carry += %s;", emit_real(e, job->stmt->value->arg[0], true));
	emit_store(e, job->target, "km_carry", true, false);
	emit_close_index(e, 1);
}

void job_scan(struct emitter *e, const struct job *job)
{
	const struct expr *r = job->stmt->value;
	int along = r->range_count == 1 ? tile_index_find(e->kernel, r->range[0].name) : -1, units = 0;

	if (along < 0 || r->filter) {
		emit_fail(e, "a scan runs over one tile index");
		return;
	}
	for (int i = 0; i < job->free_count; i++) {
		int v = job->free[i], u = 0;
		if (v == along || !emit_fits_vector(e, r->arg[0], v, &u) || !u || emit_lane_stride(e, job->target, v) != 1)
			continue;
		int opened = job_open(e, job, along, v);
		emit_vector_loop(e, v, 1, scan_rows_body, (void *)job);
		emit_close(e, opened);
		return;
	}
	if (!emit_fits_vector(e, r->arg[0], along, &units) || emit_lane_stride(e, job->target, along) != 1) {
		emit_fail(e, "a scan wants unit stride along '%s' or along a row", r->range[0].name);
		return;
	}
	int opened = job_open(e, job, along, -1);
	emit_line(e, "km_vf km_carry = 0.0f;");
	emit_vector_loop(e, along, 1, scan_body, (void *)job);
	emit_close(e, opened);
}
