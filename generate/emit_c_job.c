/* Loops of printed C, and what an assignment is. */
#include "generate/emit_c_job.h"

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

void emit_close_index(struct emitter *e, int count)
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

bool job_has(const struct job *job, int i)
{
	for (int k = 0; k < job->free_count; k++)
		if (job->free[k] == i)
			return true;
	return false;
}

struct job job_of(struct emitter *e, const struct tile_stmt *s)
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
int job_open(struct emitter *e, const struct job *job, int v, int w)
{
	int opened = 0;

	for (int i = 0; i < job->free_count; i++)
		if (job->free[i] != v && job->free[i] != w) {
			emit_open_index(e, job->free[i]);
			opened++;
		}
	return opened;
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

void job_map(struct emitter *e, int copy, void *user)
{
	const struct job *job = user;

	(void)copy;
	if (job->is_raw && emit_lane_stride(e, job->stmt->value, e->vector) == 1)
		raw_body(e, job);
	else
		emit_store(e, job->target, emit_real(e, job->stmt->value, true), true, false);
}
