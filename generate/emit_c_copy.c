/* Copies of printed C that turn rows into columns, through registers. */
#include "generate/emit_c_job.h"

#include <string.h>

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
bool job_transpose(struct emitter *e, const struct job *job)
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
	int opened = job_open(e, job, v, w);
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
bool job_pairs(struct emitter *e, const struct job *job)
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
	int opened = job_open(e, job, j, k);
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
