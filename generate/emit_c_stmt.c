/* Loops and statements of printed C: maps, stores, reductions, scans, transposing copies. */
#include "generate/emit_c.h"
#include "generate/micro.h"

#include <stdlib.h>
#include <string.h>

/* ---- loops ----------------------------------------------------------- */

const char *emit_count(struct emitter *e, int i)
{
	const struct tile_index *x = &e->kernel->index[i];

	if (e->index[i].count)
		return e->index[i].count;
	if (!x->live)
		return emit_text(e, "%lld", (long long)x->extent);
	return emit_text(e, "km_min(%lld, %s)", (long long)x->extent, emit_int(e, x->live));
}

void emit_open_index(struct emitter *e, int i)
{
	const char *n = e->kernel->index[i].name;

	emit_open(e, "for (long %s = 0, %s_n = %s; %s < %s_n; %s++)", n, n, emit_count(e, i), n, n, n);
	if (e->vector >= 0)
		e->inner[e->inner_count++] = n;
}

static void close_index(struct emitter *e, int count)
{
	emit_close(e, count);
	if (e->vector >= 0)
		e->inner_count -= count;
}

void emit_vector_loop(struct emitter *e, int v, int unroll, void (*body)(struct emitter *e, int copy, void *user), void *user)
{
	struct emit_hoist hoist = { .text = STRBUF_INIT };
	struct strbuf text = STRBUF_INIT, *out = e->out;
	const char *count = emit_count(e, v);

	e->vector = v;
	e->inner_count = 0;
	emit_open(e, "%s", "");
	emit_line(e, "const long km_n = %s, km_full = km_n / KM_L;", count);
	e->hoist = &hoist;
	e->out = &text;
	emit_line(e, "long km_w = 0;");
	if (unroll > 1) {
		emit_open(e, "for (; km_w + %d <= km_full; km_w += %d)", unroll, unroll);
		for (int copy = 0; copy < unroll; copy++) {
			emit_open(e, "%s", "");
			emit_line(e, "const long km_v = km_w + %d;", copy);
			body(e, copy, user);
			emit_close(e, 1);
		}
		emit_close(e, 1);
	}
	/* Behind an unrolled loop this one makes a few trips; compiling is paid by the copy. */
	e->is_cold = unroll > 1;
	emit_open(e, "for (; km_w < km_full; km_w++)");
	emit_line(e, "const long km_v = km_w;");
	body(e, 0, user);
	emit_close(e, 1);
	e->is_cold = false;
	bool has_tail = strspn(count, "0123456789") != strlen(count) || strtoll(count, NULL, 10) % e->lanes;
	if (has_tail) {
		emit_open(e, "if (km_n %% KM_L)");
		emit_line(e, "const long km_v = km_full;");
		emit_line(e, "const km_vb km_m = km_first(km_n %% KM_L);");
		e->is_tail = e->is_cold = true;
		body(e, 0, user);
		e->is_tail = e->is_cold = false;
		emit_close(e, 1);
	}
	e->out = out;
	e->hoist = NULL;
	e->vector = -1;
	strbuf_add(e->out, hoist.text.buf, hoist.text.len);
	strbuf_add(e->out, text.buf, text.len);
	emit_close(e, 1);
	strbuf_release(&hoist.text);
	strbuf_release(&text);
}

/* ---- what a statement is --------------------------------------------- */

struct job {
	const struct tile_stmt *stmt;
	struct expr *target;
	int free[EMIT_MAX_INDICES], free_count; /* indices its loops run over */
	struct job *first;                      /* a map done in the same loop before it, or NULL */
	bool is_raw;                            /* a copy that changes no bits */
};

static bool is_free(const struct job *job, int i)
{
	for (int k = 0; k < job->free_count; k++)
		if (job->free[k] == i)
			return true;
	return false;
}

static struct job job_of(struct emitter *e, const struct tile_stmt *s)
{
	bool on_buffer = s->kind == TILE_STORE || s->kind == TILE_ATOMIC;
	const char *name = on_buffer ? e->program->buffer[s->target].name : e->kernel->tile[s->target].name;
	struct job job = { .stmt = s, .target = expr_access(&e->arena, name, s->at, s->at_count) };
	enum dtype from, to;

	for (size_t i = 0; i < e->kernel->index_count; i++)
		if (expr_uses(job.target, e->kernel->index[i].name) && !e->index[i].is_fixed)
			job.free[job.free_count++] = (int)i;
	if (s->value->kind == EXPR_ACCESS && !s->value->otherwise) {
		const struct expr *x = emit_through_view(e, s->value);
		job.is_raw = !x->otherwise && emit_dtype(e, x->name, &from) && emit_dtype(e, name, &to) && from == DTYPE_bf16 && to == from;
	}
	return job;
}

/* Loops over all free indices but `v` and `w`; returns how many. */
static int open_free(struct emitter *e, const struct job *job, int v, int w)
{
	int opened = 0;

	for (int i = 0; i < job->free_count; i++)
		if (job->free[i] != v && job->free[i] != w) {
			emit_open_index(e, job->free[i]);
			opened++;
		}
	return opened;
}

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

static void raw_body(struct emitter *e, const struct job *job)
{
	const struct expr *x = emit_through_view(e, job->stmt->value);
	const char *condition, *mask, *at;

	emit_guards(e, x, &condition, &mask);
	at = emit_pointer(e, x);
	if (e->is_tail)
		mask = *mask ? emit_text(e, "km_m & %s", mask) : "km_m";
	emit_store(e, job->target, *mask ? emit_text(e, "km_l_u16_m(%s, %s)", at, mask) : emit_text(e, "km_l_u16(%s)", at), true, true);
}

static void map_body(struct emitter *e, int copy, void *user)
{
	const struct job *job = user;

	(void)copy;
	if (job->is_raw && emit_lane_stride(e, job->stmt->value, e->vector) == 1)
		raw_body(e, job);
	else
		emit_store(e, job->target, emit_real(e, job->stmt->value, true), true, false);
}

/* ---- reductions ------------------------------------------------------ */

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
		if (i + 1 == r->range_count && unroll > 1)
			emit_line(e, "_Pragma(\"clang loop unroll_count(%lld)\")", (long long)unroll);
		opened++;
		if (!g->hi) {
			emit_open_index(e, index);
			continue;
		}
		emit_open(e, "for (long %s = %s, %s_n = %s; %s < %s_n; %s++)", g->name, emit_int(e, emit_here(e, g->lo)), g->name,
			  emit_int(e, emit_here(e, g->hi)), g->name, g->name, g->name);
		if (e->vector >= 0)
			e->inner[e->inner_count++] = g->name;
		e->range[e->range_count++] = g;
	}
	return opened;
}

static void close_ranges(struct emitter *e, const struct expr *r, int opened)
{
	close_index(e, opened);
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
		map_body(e, 0, (void *)f->first);
	const char *x = term(e, f->r, true);
	if (e->is_tail)
		x = emit_text(e, "km_sel(km_m, %s, (km_vf)(%s))", x, identity(f->r->op));
	emit_line(e, "%s = %s;", acc, combine(e, f->r->op, acc, x, true));
}

/* Reduction `number` along v, one of its ranges, into the scalar q<number>. */
static void reduce_along(struct emitter *e, const struct expr *r, int number, int v, const struct job *first)
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

/* Reduction `number` term by term, into the scalar or, in a vector loop, vector q<number>. */
static void reduce_in_place(struct emitter *e, const struct expr *r, int number, bool is_vector)
{
	const char *acc = emit_text(e, "km_q%d", number);
	int64_t trips = tile_knob_int(e->kernel, "PF", 0);

	emit_line(e, "%s km_q%d = %s;", is_vector ? "km_vf" : "float", number, identity(r->op));
	int opened = open_ranges(e, r, -1), saved = e->reduction_count;
	e->reduction_count = 0;
	if (trips > 0 && r->range_count)
		prefetch(e, r->arg[0], &r->range[r->range_count - 1], trips);
	emit_line(e, "km_q%d = %s;", number, combine(e, r->op, acc, term(e, r, is_vector), is_vector));
	e->reduction_count = saved;
	close_ranges(e, r, opened);
}

static bool is_range_of(struct emitter *e, const struct expr *r, int v)
{
	for (size_t i = 0; i < r->range_count; i++)
		if (!r->range[i].hi && tile_index_find(e->kernel, r->range[i].name) == v)
			return true;
	return false;
}

static void free_body(struct emitter *e, int copy, void *user)
{
	const struct job *job = user;

	for (int i = 0; i < e->reduction_count; i++)
		reduce_in_place(e, e->reduction[i], i, true);
	map_body(e, copy, user);
	(void)job;
}

/* Several vectors of accumulators go through the ranges together: one pass over the rows for all. */
static void reduce_wide(struct emitter *e, const struct job *job, int v, int wide)
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
		map_body(e, 0, (void *)job);
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
	close_index(e, 1);
}

static void emit_scan(struct emitter *e, const struct job *job)
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
		int opened = open_free(e, job, along, v);
		emit_vector_loop(e, v, 1, scan_rows_body, (void *)job);
		emit_close(e, opened);
		return;
	}
	if (!emit_fits_vector(e, r->arg[0], along, &units) || emit_lane_stride(e, job->target, along) != 1) {
		emit_fail(e, "a scan wants unit stride along '%s' or along a row", r->range[0].name);
		return;
	}
	int opened = open_free(e, job, along, -1);
	emit_line(e, "km_vf km_carry = 0.0f;");
	emit_vector_loop(e, along, 1, scan_body, (void *)job);
	emit_close(e, opened);
}

/* ---- copies that turn rows into columns ------------------------------ */

/* Element stride of an access along index v: a text, and the number it is (0: not one); NULL: not linear. */
static const char *stride_text(struct emitter *e, const struct expr *access, int v, int64_t *number)
{
	struct polynomial p, coefficient, rest;
	int saved = e->vector;

	e->vector = v;
	p = emit_address(e, emit_through_view(e, access));
	e->vector = saved;
	*number = 0;
	if (!polynomial_split(&e->arena, &p, "km_lane", &coefficient, &rest))
		return NULL;
	polynomial_is_int(&coefficient, number);
	return emit_polynomial(e, &coefficient);
}

/* Is what an access reads proven to lie inside its buffer? */
static bool is_inside(struct emitter *e, const struct expr *access)
{
	const char *condition, *mask;

	emit_guards(e, emit_through_view(e, access), &condition, &mask);
	return !*condition && !*mask;
}

/* What is left of a transposing copy, one by one: from `row`, and within a row from `column`, on. */
static void transpose_rest(struct emitter *e, const struct job *job, int v, int w, const char *row, const char *column)
{
	const char *nv = e->kernel->index[v].name, *nw = e->kernel->index[w].name;

	emit_open(e, "for (long %s = %s; %s < %s_n; %s++)", nw, row, nw, nw, nw);
	emit_open(e, "for (long %s = %s; %s < %s_n; %s++)", nv, column, nv, nv, nv);
	emit_line(e, "*(%s) = *(%s);", emit_pointer(e, job->target), emit_pointer(e, emit_through_view(e, job->stmt->value)));
	emit_close(e, 2);
}

/*
 * target[.., v ..] = source[.., w ..] where v is the target's unit-stride index
 * and w the source's: L x L blocks through registers.  Panels narrower than a
 * vector are stored whole as well, each store mending the end of the one before.
 */
static bool emit_transpose(struct emitter *e, const struct job *job)
{
	const struct expr *value = job->stmt->value;
	const struct tile_buffer *b = emit_buffer(e, job->target->name);
	enum dtype from, to;
	int v = -1, w = -1;
	int64_t number, panel;

	if (value->kind != EXPR_ACCESS || value->otherwise || job->free_count < 2 || e->block_tile >= 0)
		return false;
	const struct expr *source = emit_through_view(e, value);
	if (!emit_dtype(e, source->name, &from) || !emit_dtype(e, job->target->name, &to) || from != DTYPE_f32 || to != DTYPE_f32)
		return false;
	for (int i = 0; i < job->free_count; i++) {
		if (emit_lane_stride(e, job->target, job->free[i]) == 1)
			v = job->free[i];
		if (emit_lane_stride(e, value, job->free[i]) == 1)
			w = job->free[i];
	}
	if (v < 0 || w < 0 || v == w || e->kernel->index[w].extent < e->lanes)
		return false;
	const char *down = stride_text(e, value, v, &number), *across = stride_text(e, job->target, w, &panel);
	bool is_narrow = e->kernel->index[v].extent < e->lanes;
	if (!down || !across || !is_inside(e, value) || !is_inside(e, job->target) ||
	    (is_narrow && (panel < e->kernel->index[v].extent || panel > e->lanes)))
		return false;
	const char *nv = e->kernel->index[v].name, *nw = e->kernel->index[w].name;
	bool past = b && b->role == PLAN_OUT && tile_knob_int(e->kernel, "NT", 0);
	e->uses_nt |= past;
	int opened = open_free(e, job, v, w);
	emit_open(e, "%s", "");
	emit_line(e, "const long %s_n = %s, %s_n = %s;", nv, emit_count(e, v), nw, emit_count(e, w));
	emit_open(e, "for (long km_r = 0; km_r + KM_L %s %s_n; km_r += KM_L)", is_narrow ? "<" : "<=", nw);
	if (is_narrow)
		emit_line(e, "const long %s = km_r, %s = 0;", nw, nv);
	else
		emit_open(e, "for (long km_c = 0; km_c + KM_L <= %s_n; km_c += KM_L)", nv);
	if (!is_narrow)
		emit_line(e, "const long %s = km_r, %s = km_c;", nw, nv);
	emit_line(e, "km_transpose(%s, %s, %s, %s, %s, %d);", emit_pointer(e, source), down,
		  is_narrow ? emit_text(e, "%s_n", nv) : "KM_L", emit_pointer(e, job->target), across, past);
	emit_close(e, is_narrow ? 1 : 2);
	if (is_narrow)
		transpose_rest(e, job, v, w, emit_text(e, "%s_n > 0 ? (%s_n - 1) / KM_L * KM_L : 0", nw, nw), "0");
	else /* Rows of whole blocks have a rest of columns; the other rows are all rest. */
		transpose_rest(e, job, v, w, "0", emit_text(e, "%s < %s_n / KM_L * KM_L ? %s_n / KM_L * KM_L : 0", nw, nw, nv));
	emit_close(e, 1 + opened);
	return true;
}

/*
 * A copy of 16-bit elements whose target keeps pairs of k next to each other
 * and steps two along j (VNNI order): two rows of the source are interleaved.
 */
static bool emit_pairs(struct emitter *e, const struct job *job)
{
	const struct expr *value = job->stmt->value;
	int k = -1, j = -1;

	if (!job->is_raw)
		return false;
	for (int i = 0; i < job->free_count; i++) {
		int64_t step = 0;
		if (emit_lane_stride(e, value, job->free[i]) == 1 && stride_text(e, job->target, job->free[i], &step) && step == 2)
			j = job->free[i];
	}
	int known = e->known_count;
	emit_know(e, "km_pair", 1);
	for (int i = 0; i < job->free_count && j >= 0; i++) {
		/* k = 2 * km_k + pair: the pair must be the fastest digit. */
		struct arena *a = &e->arena;
		struct polynomial p, one, rest;
		int64_t step = 0;
		if (job->free[i] == j)
			continue;
		const struct expr *own = expr_name(a, e->kernel->index[job->free[i]].name);
		struct expr *pair = expr_binary(a, OP_ADD, expr_binary(a, OP_MUL, expr_name(a, "km_k"), expr_int(a, 2)), expr_name(a, "km_pair"));
		p = emit_address(e, expr_replace_name(a, job->target, own->name, pair));
		if (polynomial_split(a, &p, "km_pair", &one, &rest) && polynomial_is_int(&one, &step) && step == 1)
			k = job->free[i];
	}
	e->known_count = known;
	if (k < 0 || e->kernel->index[j].extent % e->lanes || e->kernel->index[j].live || e->index[k].origin ||
	    !emit_is_multiple(e, e->kernel->index[k].live ? e->kernel->index[k].live : expr_int(&e->arena, e->kernel->index[k].extent), 2))
		return false;
	const char *nk = e->kernel->index[k].name;
	struct expr *even = expr_binary(&e->arena, OP_MUL, expr_name(&e->arena, "km_k"), expr_int(&e->arena, 2));
	struct expr *target = expr_replace_name(&e->arena, job->target, nk, even);
	int opened = open_free(e, job, j, k);
	emit_open(e, "for (long km_k = 0, km_kn = (%s) / 2; km_k < km_kn; km_k++)", emit_count(e, k));
	emit_open(e, "for (long km_v = 0; km_v < %lld; km_v++)", (long long)(e->kernel->index[j].extent / e->lanes));
	e->vector = j;
	static const char *const row[2] = { "km_even", "km_odd" };
	for (int half = 0; half < 2; half++) {
		const char *condition, *mask;
		const struct expr *x = emit_through_view(e, value);
		emit_line(e, "km_vh %s;", row[half]);
		emit_open(e, "%s", "");
		emit_line(e, "const long %s = 2 * km_k + %d;", nk, half);
		emit_guards(e, x, &condition, &mask);
		if (*mask)
			emit_line(e, "%s = km_l_u16_m(%s, %s);", row[half], emit_pointer(e, x), mask);
		else
			emit_line(e, "%s = km_l_u16(%s);", row[half], emit_pointer(e, x));
		emit_close(e, 1);
	}
	emit_line(e, "km_s_pairs(%s, km_even, km_odd);", emit_pointer(e, target));
	e->vector = -1;
	emit_close(e, 2 + opened);
	return true;
}

/* ---- statements ------------------------------------------------------ */

/* The index along which the statement, or its reductions, run in vectors; -1: none. */
static int choose_vector(struct emitter *e, const struct job *job)
{
	for (int i = job->free_count; i-- > 0;) {
		int units = 0;
		if (emit_lane_stride(e, job->target, job->free[i]) == 1 && emit_fits_vector(e, job->stmt->value, job->free[i], &units))
			return job->free[i];
	}
	for (int i = 0; i < e->reduction_count; i++) {
		const struct expr *r = e->reduction[i];
		for (size_t k = r->range_count; k-- > 0;) {
			int v = tile_index_find(e->kernel, r->range[k].name), units = 0;
			if (!r->range[k].hi && v >= 0 && emit_fits_vector(e, r->arg[0], v, &units) && units)
				return v;
		}
	}
	return -1;
}

static void assign_free(struct emitter *e, const struct job *job, int v)
{
	int wide = (int)tile_knob_int(e->kernel, "DU", 1), opened = open_free(e, job, v, -1);

	if (e->reduction_count == 1 && wide > 1 && job->stmt->value == e->reduction[0]) {
		emit_open(e, "%s", "");
		emit_line(e, "const long km_n = %s, km_full = km_n / KM_L;", emit_count(e, v));
		emit_line(e, "long km_w = 0;");
		reduce_wide(e, job, v, wide);
		/* What is left starts at vector km_w. */
		emit_line(e, "const long km_done = km_w * KM_L;");
		struct emit_index saved = e->index[v];
		struct expr *done = expr_name(&e->arena, "km_done");
		e->index[v].origin = saved.origin ? expr_binary(&e->arena, OP_ADD, (struct expr *)saved.origin, done) : done;
		e->index[v].count = "km_n - km_done";
		emit_open(e, "if (km_done < km_n)");
		emit_line(e, "const long km_rest = km_n - km_done;");
		e->index[v].count = "km_rest";
		emit_vector_loop(e, v, 1, free_body, (void *)job);
		e->index[v] = saved;
		emit_close(e, 2);
	} else {
		emit_vector_loop(e, v, 1, free_body, (void *)job);
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
		emit_scan(e, job);
		return;
	}
	collect_reductions(e, s->value);
	for (int i = 0; i < e->reduction_count; i++)
		if (e->reduction[i]->op > OP_MIN)
			emit_fail(e, "'%s' is not printed as a reduction in C", expr_op_text(e->reduction[i]->op));
	int v = choose_vector(e, job);
	if (e->failed)
		return;
	if (v >= 0 && is_free(job, v)) {
		assign_free(e, job, v);
		return;
	}
	if (v < 0 && !e->reduction_count && (emit_pairs(e, job) || emit_transpose(e, job)))
		return;
	int opened = open_free(e, job, -1, -1), saved = e->reduction_count;
	for (int i = 0; i < saved; i++) {
		const struct expr *r = e->reduction[i];
		int units = 0;
		e->reduction_count = 0;
		if (v >= 0 && is_range_of(e, r, v) && emit_fits_vector(e, r->arg[0], v, &units))
			reduce_along(e, r, i, v, i ? NULL : job->first);
		else
			reduce_in_place(e, r, i, false);
		e->reduction_count = saved;
	}
	emit_store(e, job->target, emit_real(e, s->value, false), false, false);
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
	if (!plain || v < 0 || first.free_count != job.free_count + 1 || !is_free(&first, v) || is_free(&job, v))
		return false;
	for (int i = 0; i < job.free_count; i++)
		if (!is_free(&first, job.free[i]))
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
	emit_open(e, "for (long %s = %s, %s_n = %s, %s_trip = 0; %s < %s_n; %s += %lld, %s_trip++)", v, emit_int(e, s->lo), v, emit_int(e, s->hi), v,
		  v, v, v, (long long)s->step, v);
	e->fors[e->for_count++] = s;
	emit_stmts(e, s->body, s->body_count);
	e->for_count--;
	emit_close(e, 1);
}

void emit_stmts(struct emitter *e, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count && !e->failed;) {
		const struct tile_stmt *s = &stmt[i];
		size_t taken = emit_whole_contraction(e, s, count - i);
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
