/* Recognising convolutions. */
#include "generate/convolution.h"
#include "ops/core/affine.h"

#include <string.h>

static bool is_named(const struct expr *e, const char *name)
{
	return e->kind == EXPR_NAME && !strcmp(e->name, name);
}

/* c, or o//O*C + c, which is c: of one group. */
static bool is_channel(const struct expr *e, const struct expr_range *o, const char *c)
{
	if (is_named(e, c))
		return true;
	if (e->kind != EXPR_BINARY || e->op != OP_ADD || !is_named(e->arg[1], c) || e->arg[0]->kind != EXPR_BINARY || e->arg[0]->op != OP_MUL)
		return false;
	const struct expr *group = e->arg[0]->arg[0];
	if (group->kind != EXPR_BINARY || group->op != OP_FLOORDIV || !is_named(group->arg[0], o->name))
		return false;
	const struct expr *each = group->arg[1];
	if (each->kind == EXPR_BINARY && each->op == OP_FLOORDIV && each->arg[1]->kind == EXPR_INT && each->arg[1]->int_value == 1)
		each = each->arg[0];
	return expr_equal(each, o->hi);
}

/* place*stride + tap*dilation - before */
static bool find_axis(struct arena *arena, const struct expr *at, const char *place, const char *tap, struct convolution_axis *axis)
{
	const struct binding zero[] = { { place, 0 }, { tap, 0 } };
	struct strbuf err = STRBUF_INIT;
	bool is = affine_stride(arena, at, place, &axis->stride) && affine_stride(arena, at, tap, &axis->dilation) &&
		  !expr_int_value(at, zero, ARRAY_SIZE(zero), &axis->before, &err);

	axis->before = -axis->before;
	strbuf_release(&err);
	return is && axis->stride > 0 && axis->dilation > 0 && axis->before >= 0;
}

static bool is_zero(const struct expr *e)
{
	return !e || (e->kind == EXPR_INT && !e->int_value) || (e->kind == EXPR_REAL && e->real_value == 0);
}

/* The factors of sum(c, taps) x[..] * k[..]: false where it is none. */
static bool find_factors(const struct normal_stmt *s, struct match *m)
{
	const struct expr *e = s->value;

	m->axis_count = (int)s->index_count - 2;
	if (m->axis_count < 1 || m->axis_count > CONVOLUTION_MAX_AXES || e->kind != EXPR_REDUCE || e->op != OP_SUM || e->filter || e->range_count != (size_t)m->axis_count + 1 ||
	    e->arg[0]->kind != EXPR_BINARY || e->arg[0]->op != OP_MUL)
		return false;
	m->data = e->arg[0]->arg[0];
	m->weight = e->arg[0]->arg[1];
	if (m->data->kind == EXPR_ACCESS && m->weight->kind == EXPR_ACCESS && access_position(m->weight, s->index[1].name) != 0) {
		const struct expr *t = m->data;
		m->data = m->weight;
		m->weight = t;
	}
	bool is = m->data->kind == EXPR_ACCESS && access_is_plain(m->weight) && m->weight->arg_count == s->index_count && m->data->arg_count == s->index_count &&
		  is_zero(m->data->otherwise) && is_named(m->weight->arg[0], s->index[1].name) && is_named(m->data->arg[0], s->index[0].name);
	for (size_t r = 0; is && r < e->range_count; r++)
		is = range_is_static(&e->range[r], s->index, s->index_count) && is_named(m->weight->arg[r + 1], e->range[r].name);
	return is && is_channel(m->data->arg[1], &s->index[1], e->range[0].name);
}

static bool find_axes(struct arena *arena, const struct problem *problem, const struct normal_stmt *s, struct match *m)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *extent[OP_MAX_RANK];
	int t = op_tensor_index(problem->op, m->data->name);
	bool is = t >= 0 && op_extents(arena, problem->op, problem->attr, t, extent, &err) == m->axis_count + 2;

	for (int a = 0; is && a < m->axis_count; a++) {
		const struct expr_range *tap = &s->value->range[a + 1], *place = &s->index[a + 2];
		struct convolution_axis *x = &m->axis[a];
		is = find_axis(arena, m->data->arg[a + 2], place->name, tap->name, x) && tap->hi->kind == EXPR_NAME && op_dim_is_static(problem->op, tap->hi->name);
		x->taps = extent_value(problem, tap->hi);
		x->in = arena_printf(arena, "(%s)", expr_text(arena, extent[a + 2], NULL));
		x->out = arena_printf(arena, "(%s)", expr_text(arena, place->hi, NULL));
	}
	strbuf_release(&err);
	return is;
}

const struct match *convolution_match(struct arena *arena, const struct problem *problem, const struct normal *normal, const char *skeleton, struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];
	struct match *m = ARENA_ARRAY(arena, struct match, 1);

	m->normal = normal;
	if (!find_factors(s, m) || !find_axes(arena, problem, s, m)) {
		strbuf_addf(why_not, "%s: no convolution of one group, with zeros around", skeleton);
		return NULL;
	}
	if (!sum_is_mapped(normal, skeleton, why_not))
		return NULL;
	m->batches = expr_text(arena, s->index[0].hi, NULL);
	m->filters = expr_text(arena, s->index[1].hi, NULL);
	m->channels = expr_text(arena, s->value->range[0].hi, NULL);
	return m;
}
