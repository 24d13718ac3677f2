/*
 * window: y[n, o, i, j] = sum(c, u, v) x[n, c, i*S+u-P, j*S+v-P] * k[o, c, u, v]:
 * direct convolution from a halo tile, vectors along the row or along the filters.
 */
#include "generate/recognise.h"

#include <string.h>

struct match {
	const struct normal_stmt *stmt;
	const struct expr *data, *weight; /* data[n, c, row, column], weight[o, c, u, v] */
	const struct expr_range *channel, *u, *v;
	int64_t stride, before_rows, before_columns; /* column = j*stride + v - before */
};

/* index = output * stride + reduced - before */
static bool is_window(struct arena *arena, const struct expr *index, const char *output, const char *reduced, int64_t *stride, int64_t *before)
{
	struct strbuf err = STRBUF_INIT;
	int64_t at[3];
	bool is = true;

	/* Exact, from three values: affine with coefficient 1 in the reduced index. */
	for (int i = 0; i < 3 && is; i++) {
		struct binding b[] = { { output, i == 1 }, { reduced, i == 2 } };
		is = expr_int_value(index, b, 2, &at[i], &err) == 0;
	}
	strbuf_release(&err);
	(void)arena;
	if (!is || at[2] - at[0] != 1)
		return false;
	*stride = at[1] - at[0];
	*before = -at[0];
	return *stride > 0 && *before >= 0;
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal,
				 struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];
	const struct expr *e = s->value;
	struct match *m = ARENA_ARRAY(arena, struct match, 1);
	int64_t stride_rows, stride_columns;

	(void)problem;
	m->stmt = s;
	if (normal->stmt_count != 1 || e->kind != EXPR_REDUCE || e->op != OP_SUM || e->filter || e->range_count != 3 || s->index_count != 4 ||
	    e->arg[0]->kind != EXPR_BINARY || e->arg[0]->op != OP_MUL || e->arg[0]->arg[0]->kind != EXPR_ACCESS || e->arg[0]->arg[1]->kind != EXPR_ACCESS) {
		strbuf_addstr(why_not, "window: no sum over three indices of a product of two accesses");
		return NULL;
	}
	m->data = e->arg[0]->arg[0];
	m->weight = e->arg[0]->arg[1];
	if (access_is_plain(m->data)) {
		const struct expr *t = m->data;
		m->data = m->weight;
		m->weight = t;
	}
	m->channel = &e->range[0];
	m->u = &e->range[1];
	m->v = &e->range[2];
	bool fits = access_is_plain(m->weight) && m->weight->arg_count == 4 && m->data->arg_count == 4 &&
		    access_position(m->weight, s->index[1].name) == 0 && access_position(m->weight, m->channel->name) == 1 &&
		    access_position(m->weight, m->u->name) == 2 && access_position(m->weight, m->v->name) == 3 &&
		    access_position(m->data, s->index[0].name) == 0 && access_position(m->data, m->channel->name) == 1;
	bool zero = !m->data->otherwise || (m->data->otherwise->kind == EXPR_INT && !m->data->otherwise->int_value);
	if (!fits || !zero || !is_window(arena, m->data->arg[2], s->index[2].name, m->u->name, &stride_rows, &m->before_rows) ||
	    !is_window(arena, m->data->arg[3], s->index[3].name, m->v->name, &stride_columns, &m->before_columns) || stride_rows != stride_columns) {
		strbuf_addstr(why_not, "window: not a convolution of two dimensions with equal strides and zero padding");
		return NULL;
	}
	m->stride = stride_rows;
	return m;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem,
		  const struct target *target, struct space *space)
{
	(void)problem;
	add_choice(arena, space, "VECTOR", m->stride == 1 ? (const char *const[]){ "row", "filter", NULL } : (const char *const[]){ "filter", NULL });
	add_knob(arena, space, "BO", (const int[]){ 8, 16, 32, 64, 128, -1 });
	add_knob(arena, space, "BH", (const int[]){ 1, 2, 4, 7, 8, 14, -1 });
	if (target->vector_reg_count >= 32)
		add_knob(arena, space, "MR", (const int[]){ 2, 4, 6, 7, 8, 14, -1 });
	else
		add_knob(arena, space, "MR", (const int[]){ 2, 3, 4, 6, 8, -1 });
	add_knob(arena, space, "NV", (const int[]){ 1, 2, 3, 4, -1 });
	add_knob(arena, space, "KU", (const int[]){ 1, 3, -1 });
}

static int64_t power_of_two_above(int64_t n)
{
	int64_t p = 8;

	while (p < n)
		p *= 2;
	return p;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const struct normal_stmt *s = m->stmt;
	int64_t bo = point_int(space, point, "BO"), bh = point_int(space, point, "BH"), mr = point_int(space, point, "MR"), nv = point_int(space, point, "NV");
	int64_t lanes = target->vector_bytes / 4, kh = extent_value(problem, m->u->hi), kw = extent_value(problem, m->v->hi), nr = nv * lanes;
	bool by_row = !strcmp(point_word(space, point, "VECTOR"), "row");

	if (problem->dtype == DTYPE_f64) {
		strbuf_addstr(why_not, "its vectors add in f32, with half of the digits of f64");
		return 0;
	}
	if (mr * nv + nv + 1 > target->vector_reg_count) {
		strbuf_addf(why_not, "a block of %lld x %lld vectors spills", (long long)mr, (long long)nv);
		return 0;
	}
	if ((by_row && bo % mr) || (!by_row && bo % nr)) {
		strbuf_addstr(why_not, "the register block does not divide the filters");
		return 0;
	}
	const char *n = expr_text(arena, s->index[0].hi, NULL), *o = expr_text(arena, s->index[1].hi, NULL), *ho = expr_text(arena, s->index[2].hi, NULL),
		   *wo = expr_text(arena, s->index[3].hi, NULL), *ci = expr_text(arena, m->channel->hi, NULL);
	int64_t channels = power_of_two_above(extent_value(problem, m->channel->hi)), columns = power_of_two_above(extent_value(problem, s->index[3].hi));
	int64_t rows = (bh - 1) * m->stride + kh, width = (columns - 1) * m->stride + kw;
	if (channels * rows * width * 4 > (INT64_C(4) << 20)) {
		strbuf_addstr(why_not, "a halo tile above 4 MiB leaves the cache");
		return 0;
	}
	write_head(arena, problem, text);
	strbuf_addf(text, "require %s <= %lld\nrequire %s <= %lld\n", ci, (long long)channels, wo, (long long)columns);
	if (!by_row) {
		strbuf_addf(text, "buffer Wp f32 [%s, %lld, %lld, rup(%s, %lld)] tmp : d3/%lld d0 d1 d2 d3%%%lld\n", ci, (long long)kh, (long long)kw, o, (long long)nr,
			    (long long)nr, (long long)nr);
		strbuf_addf(text, "kernel pack grid [cdiv(%s, %lld)] threads 1\n  index c<%lld of %s u<%lld v<%lld o<%lld of %s-p0*%lld\n  Wp[c, u, v, p0*%lld+o] = %s[p0*%lld+o, c, u, v]\n",
			    o, (long long)nr, (long long)channels, ci, (long long)kh, (long long)kw, (long long)nr, o, (long long)nr, (long long)nr, m->weight->name,
			    (long long)nr);
	}
	strbuf_addf(text, "kernel window grid [%s, cdiv(%s, %lld), cdiv(%s, %lld)] threads 1\n", n, ho, (long long)bh, o, (long long)bo);
	strbuf_addf(text, "  index o<%lld of %s-p2*%lld i<%lld of %s-p1*%lld j<%lld of %s c<%lld of %s u<%lld v<%lld h<%lld w<%lld\n", (long long)bo, o, (long long)bo,
		    (long long)bh, ho, (long long)bh, (long long)columns, wo, (long long)channels, ci, (long long)kh, (long long)kw, (long long)rows, (long long)width);
	strbuf_addf(text, "  knob MR=%lld NV=%lld KU=%lld\n  tile x_ f32 [c, h, w] @shared\n", (long long)mr, (long long)nv, (long long)point_int(space, point, "KU"));
	strbuf_addf(text, by_row ? "  tile _acc f32 [o, i, j] @acc\n  tile k_ f32 [o, c, u, v] @view\n" : "  tile _acc f32 [i, j, o] @acc\n  tile k_ f32 [c, u, v, o] @view\n");
	strbuf_addf(text, "  x_[c, h, w] <- %s[p0, c, p1*%lld+h-%lld, w-%lld]\n", m->data->name, (long long)(bh * m->stride), (long long)m->before_rows,
		    (long long)m->before_columns);
	const char *at = m->stride == 1 ? "x_[c, i+u, j+v]" : arena_printf(arena, "x_[c, i*%lld+u, j*%lld+v]", (long long)m->stride, (long long)m->stride);
	if (by_row)
		strbuf_addf(text, "  k_[o, c, u, v] <- %s[p2*%lld+o, c, u, v]\n  _acc[o, i, j] = 0\n  _acc[o, i, j] += mma(c, u, v) k_[o, c, u, v] * %s\n", m->weight->name,
			    (long long)bo, at);
	else
		strbuf_addf(text, "  k_[c, u, v, o] <- Wp[c, u, v, p2*%lld+o]\n  _acc[i, j, o] = 0\n  _acc[i, j, o] += mma(c, u, v) %s * k_[c, u, v, o]\n", (long long)bo, at);
	strbuf_addf(text, "  %s[p0, p2*%lld+o, p1*%lld+i, j] = _acc[%s]\n", s->name, (long long)bo, (long long)bh, by_row ? "o, i, j" : "i, j, o");
	return 1;
}

const struct skeleton skeleton_window = {
	.name = "window",
	.summary = "direct convolutions from halo tiles",
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
