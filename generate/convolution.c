/* Recognising convolutions. */
#include "generate/convolution.h"
#include "ops/core/affine.h"

#include <string.h>

static bool is_named(const struct expr *e, const char *name)
{
	return e->kind == EXPR_NAME && !strcmp(e->name, name);
}

static bool is_binary(const struct expr *e, enum expr_op op)
{
	return e->kind == EXPR_BINARY && e->op == op;
}

/* c, or o//O*C + c, which is c: of one group. */
static bool is_channel(struct arena *arena, const struct expr *e, const struct expr_range *o, const char *c)
{
	if (is_named(e, c))
		return true;
	if (!is_binary(e, OP_ADD) || !is_named(e->arg[1], c) || !is_binary(e->arg[0], OP_MUL) || !is_binary(e->arg[0]->arg[0], OP_FLOORDIV))
		return false;
	const struct expr *group = e->arg[0]->arg[0];
	return is_named(group->arg[0], o->name) && expr_equal(group->arg[1], expr_simplify(arena, o->hi));
}

/* o, or o%O, which is o. */
static bool is_filter(struct arena *arena, const struct expr *e, const struct expr_range *o)
{
	return is_named(e, o->name) || (is_binary(e, OP_MOD) && is_named(e->arg[0], o->name) && expr_equal(e->arg[1], expr_simplify(arena, o->hi)));
}

/* No condition, or conditions on numbers that all hold. */
static bool is_always(struct arena *arena, const struct expr *e)
{
	if (!e)
		return true;
	if (is_binary(e, OP_AND))
		return is_always(arena, e->arg[0]) && is_always(arena, e->arg[1]);
	if (!is_binary(e, OP_EQ))
		return false;
	const struct expr *a = expr_simplify(arena, e->arg[0]), *b = expr_simplify(arena, e->arg[1]);
	return a->kind == EXPR_INT && b->kind == EXPR_INT && a->int_value == b->int_value;
}

/* place*stride + tap*dilation - before, taps counted from the other end where the index falls with them. */
static bool find_axis(struct arena *arena, const struct expr *at, const char *place, const char *tap, struct convolution_axis *axis, bool *falls)
{
	const struct binding zero[] = { { place, 0 }, { tap, 0 } };
	struct strbuf err = STRBUF_INIT;
	bool is = affine_stride(arena, at, place, &axis->stride) && affine_stride(arena, at, tap, &axis->dilation) &&
		  !expr_int_value(at, zero, ARRAY_SIZE(zero), &axis->before, &err);

	strbuf_release(&err);
	*falls = axis->dilation < 0;
	if (*falls) {
		axis->dilation = -axis->dilation;
		axis->before -= (axis->taps - 1) * axis->dilation;
	}
	axis->before = -axis->before;
	return is && axis->stride > 0 && axis->dilation > 0 && axis->before >= 0;
}

static bool is_zero(const struct expr *e)
{
	return !e || (e->kind == EXPR_INT && !e->int_value) || (e->kind == EXPR_REAL && e->real_value == 0);
}

static const struct expr *simplified(struct arena *arena, const struct expr *access)
{
	struct expr *copy = expr_access(arena, access->name, ARENA_ARRAY(arena, struct expr *, access->arg_count), access->arg_count);

	for (size_t i = 0; i < access->arg_count; i++)
		copy->arg[i] = expr_simplify(arena, access->arg[i]);
	copy->otherwise = access->otherwise;
	return copy;
}

/* The factors of sum(c, taps) x[..] * k[..]: false where it is none. */
static bool find_factors(struct arena *arena, const struct normal_stmt *s, struct match *m)
{
	const struct expr *e = s->value;

	m->axis_count = (int)s->index_count - 2;
	if (m->axis_count < 1 || m->axis_count > CONVOLUTION_MAX_AXES || e->kind != EXPR_REDUCE || e->op != OP_SUM || !is_always(arena, e->filter) ||
	    e->range_count != (size_t)m->axis_count + 1 || !is_binary(e->arg[0], OP_MUL) || e->arg[0]->arg[0]->kind != EXPR_ACCESS ||
	    e->arg[0]->arg[1]->kind != EXPR_ACCESS)
		return false;
	bool is_swapped = expr_uses(e->arg[0]->arg[1], s->index[0].name);
	const struct expr *x = m->data = simplified(arena, e->arg[0]->arg[is_swapped]), *k = m->weight = simplified(arena, e->arg[0]->arg[!is_swapped]);
	const struct expr_range *o = &s->index[1];
	const char *c = e->range[0].name;
	if (x->arg_count != s->index_count || k->arg_count != s->index_count || !is_zero(x->otherwise) || k->otherwise || !is_named(x->arg[0], s->index[0].name) ||
	    !is_channel(arena, x->arg[1], o, c))
		return false;
	m->is_transposed = !is_named(k->arg[1], c);
	bool is = m->is_transposed ? is_channel(arena, k->arg[0], o, c) && is_filter(arena, k->arg[1], o) : is_named(k->arg[0], o->name);
	for (size_t r = 0; is && r < e->range_count; r++)
		is = range_is_static(&e->range[r], s->index, s->index_count) && (r == 0 || is_named(k->arg[r + 1], e->range[r].name));
	return is;
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
		bool falls;
		x->taps = extent_value(problem, tap->hi);
		is = tap->hi->kind == EXPR_NAME && op_dim_is_static(problem->op, tap->hi->name) &&
		     find_axis(arena, m->data->arg[a + 2], place->name, tap->name, x, &falls) && falls == m->is_transposed;
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
	if (!find_factors(arena, s, m) || !find_axes(arena, problem, s, m)) {
		strbuf_addf(why_not, "%s: no convolution of one group, with zeros around", skeleton);
		return NULL;
	}
	if (!sum_is_mapped(normal, skeleton, why_not))
		return NULL;
	m->batches = expr_text(arena, s->index[0].hi, NULL);
	m->filters = expr_text(arena, expr_simplify(arena, s->index[1].hi), NULL);
	m->channels = expr_text(arena, expr_simplify(arena, s->value->range[0].hi), NULL);
	return m;
}
