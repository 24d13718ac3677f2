/* Statements of printed C. */
#include "generate/emit_c_job.h"
#include "generate/micro.h"

#include <string.h>

static void collect_reductions(struct emitter *e, const struct expr *x)
{
	if (x->kind == EXPR_REDUCE) {
		if (e->reduction_count == EMIT_MAX_REDUCTIONS)
			emit_fail(e, "more than %d reductions in a statement", EMIT_MAX_REDUCTIONS);
		else
			e->reduction[e->reduction_count++] = x;
		return;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		collect_reductions(e, x->arg[i]);
}

/* Can the reduction's terms, and the condition that leaves some out, be vectors along v? */
static bool reduction_fits(struct emitter *e, const struct expr *r, int v, int *units)
{
	int others = 0;

	return emit_fits_vector(e, r->arg[0], v, units) && (!r->filter || emit_fits_vector(e, r->filter, v, &others));
}

/* Is the reduction a search, for a place and not a value?  Those go term by term. */
static bool is_place(const struct expr *r)
{
	return r->op == OP_BISECT || r->op == OP_ARGMAX || r->op == OP_ARGMIN;
}

/* Has the reduction the same bounds for all points of index v? */
static bool is_bounded_alike(struct emitter *e, const struct expr *r, int v)
{
	bool is = true;

	for (size_t i = 0; i < r->range_count && is; i++)
		is = !r->range[i].hi || (!expr_uses(r->range[i].lo, e->kernel->index[v].name) && !expr_uses(r->range[i].hi, e->kernel->index[v].name));
	return is;
}

/* The same, of a value's parts that are reductions. */
static bool reductions_fit(struct emitter *e, int v)
{
	int units = 0;

	for (int i = 0; i < e->reduction_count; i++)
		if (is_place(e->reduction[i]) || !is_bounded_alike(e, e->reduction[i], v) || !reduction_fits(e, e->reduction[i], v, &units))
			return false;
	return true;
}

/* The index along which the statement, or its reductions, run in vectors; -1: none. */
static int choose_vector(struct emitter *e, const struct job *job)
{
	enum dtype dtype;

	if (e->is_double || e->is_thread)
		return -1;
	for (int i = job->free_count; i-- > 0 && emit_dtype(e, job->target->name, &dtype) && emit_is_real_vector(dtype);) {
		int units = 0;
		if (emit_lane_stride(e, job->target, job->free[i]) == 1 && emit_fits_vector(e, job->stmt->value, job->free[i], &units) &&
		    reductions_fit(e, job->free[i]))
			return job->free[i];
	}
	for (int i = 0; i < e->reduction_count; i++) {
		const struct expr *r = e->reduction[i];
		/* Lanes of f32 count truths, up to 2^24; other whole numbers are folded one by one. */
		if (is_place(r) || (emit_is_whole(e, r->arg[0]) && !emit_is_truth(r->arg[0])))
			continue;
		for (size_t k = r->range_count; k-- > 0;) {
			int v = tile_index_find(e->kernel, r->range[k].name), units = 0;
			if (!r->range[k].hi && v >= 0 && reduction_fits(e, r, v, &units) && units)
				return v;
		}
	}
	return -1;
}

static bool is_range_of(struct emitter *e, const struct expr *r, int v)
{
	for (size_t i = 0; i < r->range_count; i++)
		if (!r->range[i].hi && tile_index_find(e->kernel, r->range[i].name) == v)
			return true;
	return false;
}

static void assign_free(struct emitter *e, const struct job *job, int v)
{
	int wide = (int)tile_knob_int(e->kernel, "DU", 1), opened = job_open(e, job, v, -1);

	if (e->reduction_count == 1 && wide > 1 && job->stmt->value == e->reduction[0]) {
		emit_open(e, "%s", "");
		emit_line(e, "const long km_n = %s, km_full = km_n / KM_L;", emit_count(e, v));
		emit_line(e, "long km_w = 0;");
		job_reduce_wide(e, job, v, wide);
		/* What is left starts at vector km_w. */
		emit_line(e, "const long km_done = km_w * KM_L;");
		struct emit_index saved = e->index[v];
		struct expr *done = expr_name(&e->arena, "km_done");
		e->index[v].origin = saved.origin ? expr_binary(&e->arena, OP_ADD, (struct expr *)saved.origin, done) : done;
		e->index[v].count = "km_n - km_done";
		emit_open(e, "if (km_done < km_n)");
		emit_line(e, "const long km_rest = km_n - km_done;");
		e->index[v].count = "km_rest";
		emit_vector_loop(e, v, 1, job_reduce_and_map, (void *)job);
		e->index[v] = saved;
		emit_close(e, 2);
	} else {
		emit_vector_loop(e, v, 1, job_reduce_and_map, (void *)job);
	}
	emit_close(e, opened);
}

static void assign(struct emitter *e, struct job *job)
{
	const struct tile_stmt *s = job->stmt;

	e->written = s->kind == TILE_STORE ? -1 : s->target;
	e->reduction_count = 0;
	if (s->kind == TILE_ATOMIC)
		emit_fail(e, "atomic stores are not printed in C");
	if (s->value->kind == EXPR_REDUCE && s->value->op == OP_SCAN) {
		job_scan(e, job);
		return;
	}
	if (s->value->kind == EXPR_REDUCE && s->value->op == OP_ORDER) {
		job_order(e, job);
		return;
	}
	collect_reductions(e, s->value);
	for (int i = 0; i < e->reduction_count; i++)
		if (e->reduction[i]->op > OP_MIN && !is_place(e->reduction[i]))
			emit_fail(e, "'%s' is not printed as a reduction in C", expr_op_text(e->reduction[i]->op));
	int v = choose_vector(e, job);
	if (e->failed)
		return;
	if (v >= 0 && job_has(job, v)) {
		assign_free(e, job, v);
		return;
	}
	if (v < 0 && !e->is_thread && !e->reduction_count && (job_pairs(e, job) || job_transpose(e, job)))
		return;
	int opened = job_open(e, job, -1, -1), saved = e->reduction_count;
	if (!opened && saved) {
		emit_open(e, "%s", "");
		opened++;
	}
	for (int i = 0; i < saved; i++) {
		const struct expr *r = e->reduction[i];
		int units = 0;
		e->reduction_count = 0;
		bool is_counted = emit_is_whole(e, r->arg[0]) && !emit_is_truth(r->arg[0]);
		if (v >= 0 && !is_counted && !is_place(r) && is_range_of(e, r, v) && reduction_fits(e, r, v, &units))
			job_reduce_along(e, r, i, v, i ? NULL : job->first);
		else
			job_reduce_in_place(e, r, i, false);
		e->reduction_count = saved;
	}
	if (e->is_thread && e->lanes > 1) {
		/* Each of the threads that share the point keeps a tile's value; one of them stores, but where a loop is dealt out. */
		emit_open(e, s->kind == TILE_STORE && !e->is_dealt ? "if (km_on && km_part == 0)" : "if (km_on)");
		opened++;
	}
	emit_store(e, job->target, emit_scalar(e, s->value, job->target), false, false);
	emit_close(e, opened);
}

void emit_assign(struct emitter *e, const struct tile_stmt *s)
{
	struct job job = job_of(e, s);

	if (!e->failed)
		assign(e, &job);
	e->reduction_count = 0;
	e->written = -1;
}

/*
 * May map `a` share the loop of the reduction in `b`?  a: tile[rows, v] = x;
 * b: t[rows] = red(v) of that tile at its own indices.
 */
static bool emit_fused(struct emitter *e, const struct tile_stmt *a, const struct tile_stmt *b)
{
	const struct expr *r = b->value;
	int units = 0;

	if (!tile_knob_int(e->kernel, "FUSE", 1) || a->kind != TILE_MAP || b->kind != TILE_MAP || r->kind != EXPR_REDUCE || r->op > OP_MIN ||
	    r->range_count != 1 || r->range[0].hi)
		return false;
	struct job first = job_of(e, a), job = job_of(e, b);
	int v = tile_index_find(e->kernel, r->range[0].name);
	e->reduction_count = 0;
	collect_reductions(e, a->value);
	bool plain = !e->reduction_count;
	e->reduction_count = 0;
	if (!plain || v < 0 || first.free_count != job.free_count + 1 || !job_has(&first, v) || job_has(&job, v))
		return false;
	for (int i = 0; i < job.free_count; i++)
		if (!job_has(&first, job.free[i]))
			return false;
	if (!emit_fits_vector(e, a->value, v, &units) || !emit_fits_vector(e, r->arg[0], v, &units) ||
	    emit_lane_stride(e, first.target, v) != 1 || expr_uses(a->value, e->kernel->tile[b->target].name))
		return false;
	/* The sum over v must win over vectors along a row. */
	e->reduction[0] = r;
	e->reduction_count = 1;
	bool along = choose_vector(e, &job) == v;
	e->reduction_count = 0;
	if (!along)
		return false;
	job.first = &first;
	assign(e, &job);
	e->reduction_count = 0;
	return true;
}

static bool is_zero(const struct expr *x)
{
	return (x->kind == EXPR_INT && !x->int_value) || (x->kind == EXPR_REAL && x->real_value == 0);
}

static bool stmt_uses(const struct tile_stmt *s, const char *name)
{
	bool uses = s->value && expr_uses(s->value, name);

	for (size_t i = 0; i < s->body_count && !uses; i++)
		uses = stmt_uses(&s->body[i], name);
	return uses;
}

static bool has_reduction(const struct expr *x)
{
	bool has = x->kind == EXPR_REDUCE;

	for (size_t i = 0; i < x->arg_count && !has; i++)
		has = has_reduction(x->arg[i]);
	return has;
}

/*
 * acc = 0, stages, acc += mma, maps of acc, all outside loops: one contraction
 * whose accumulator lives in registers.  Returns how many statements it took;
 * 0: it is not that.
 */
static size_t emit_whole_contraction(struct emitter *e, const struct tile_stmt *stmt, size_t count)
{
	size_t m = 1, end;

	if (e->for_count || stmt->kind != TILE_MAP || e->kernel->tile[stmt->target].place != PLACE_ACC || !is_zero(stmt->value))
		return 0;
	const char *acc = e->kernel->tile[stmt->target].name;
	while (m < count && stmt[m].kind == TILE_STAGE)
		m++;
	if (m == count || stmt[m].kind != TILE_MMA || stmt[m].target != stmt->target)
		return 0;
	for (end = m + 1; end < count; end++)
		if ((stmt[end].kind != TILE_STORE && stmt[end].kind != TILE_MAP) || !stmt_uses(&stmt[end], acc) || has_reduction(stmt[end].value))
			break;
	/* Read again later, or inside a loop, it must exist as a whole. */
	for (size_t i = end; i < count; i++)
		if (stmt_uses(&stmt[i], acc))
			return 0;
	emit_stmts(e, stmt + 1, m - 1);
	struct emit_mma contraction = { .stmt = &stmt[m], .epilogue = &stmt[m + 1], .epilogue_count = end - m - 1 };
	emit_contraction(e, &contraction);
	return end;
}

static void emit_for(struct emitter *e, const struct tile_stmt *s)
{
	if (e->for_count == EMIT_MAX_FORS) {
		emit_fail(e, "loops nested too deeply");
		return;
	}
	const char *v = s->var;
	int64_t unroll = tile_knob_int(e->kernel, "TU", 1);
	bool is_dealt = emit_is_dealt_out(e, v), outer = e->is_dealt;
	if (is_dealt && unroll > 1)
		emit_line(e, "_Pragma(\"clang loop unroll_count(%lld)\")", (long long)unroll);
	emit_open(e, "for (%s %s = %s%s, %s_n = %s, %s_trip = 0; %s < %s_n; %s += %lld, %s_trip++)", emit_index_type(e), v, emit_int(e, s->lo),
		  is_dealt ? emit_text(e, " + km_part * %lldL", (long long)s->step) : "", v, emit_int(e, s->hi), v, v, v, v,
		  (long long)s->step * (is_dealt ? e->lanes : 1), v);
	e->fors[e->for_count++] = s;
	e->is_dealt |= is_dealt;
	emit_stmts(e, s->body, s->body_count);
	e->is_dealt = outer;
	e->for_count--;
	emit_close(e, 1);
}

void emit_stmts(struct emitter *e, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count && !e->failed;) {
		const struct tile_stmt *s = &stmt[i];
		size_t taken = emit_whole_contraction(e, s, count - i);
		if (!taken)
			taken = job_reduce_together(e, s, count - i);
		if (!taken && i + 1 < count && emit_fused(e, s, &stmt[i + 1]))
			taken = 2;
		i += taken ? taken : 1;
		if (taken)
			continue;
		if (s->kind == TILE_FOR) {
			emit_for(e, s);
		} else if (s->kind == TILE_STAGE && e->kernel->tile[s->target].place == PLACE_VIEW) {
			e->bound[s->target] = s->value;
		} else if (s->kind == TILE_MMA) {
			struct emit_mma contraction = { .stmt = s };
			emit_contraction(e, &contraction);
		} else if (s->kind != TILE_BARRIER) {
			emit_assign(e, s);
		}
	}
}
