/* What an operator requires of its dimensions and attributes beyond their own range: op.h, `require`. */
#include "ops/core/problem.h"
#include "ops/core/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool name_value(const struct problem *p, const char *name, double *value)
{
	int dim = op_dim_index(p->op, name), attr = op_attr_index(p->op, name);

	*value = dim >= 0 ? (double)p->dim[dim] : attr >= 0 ? p->attr[attr] : 0;
	return dim >= 0 || attr >= 0;
}

/* Of + - * // % and comparisons over dimensions and attributes, in double: integers that matter are below 2^53. */
static bool value_of(const struct problem *p, const struct expr *e, double *value)
{
	double x, y;

	switch (e->kind) {
	case EXPR_INT: *value = (double)e->int_value; return true;
	case EXPR_REAL: *value = e->real_value; return true;
	case EXPR_NAME: return name_value(p, e->name, value);
	case EXPR_NEG:
		if (!value_of(p, e->arg[0], &x))
			return false;
		*value = -x;
		return true;
	case EXPR_CALL:
		if (e->arg_count != 2 || !value_of(p, e->arg[0], &x) || !value_of(p, e->arg[1], &y))
			return false;
		*value = !strcmp(e->name, "maximum") ? fmax(x, y) : fmin(x, y);
		return !strcmp(e->name, "maximum") || !strcmp(e->name, "minimum");
	case EXPR_BINARY: break;
	default: return false;
	}
	if (!value_of(p, e->arg[0], &x) || !value_of(p, e->arg[1], &y) || ((e->op == OP_FLOORDIV || e->op == OP_MOD) && y == 0))
		return false;
	switch (e->op) {
	case OP_ADD: *value = x + y; break;
	case OP_SUB: *value = x - y; break;
	case OP_MUL: *value = x * y; break;
	case OP_FLOORDIV: *value = floor(x / y); break;
	case OP_MOD: *value = x - floor(x / y) * y; break;
	case OP_EQ: *value = x == y; break;
	case OP_NE: *value = x != y; break;
	case OP_LT: *value = x < y; break;
	case OP_LE: *value = x <= y; break;
	case OP_GT: *value = x > y; break;
	case OP_GE: *value = x >= y; break;
	default: return false;
	}
	return true;
}

/* "dimension 'K' of tensor 'y'", the first that has it; "attribute 'G'". */
static void describe(const struct op *op, const char *name, struct strbuf *err)
{
	int t = 0;

	if (op_dim_index(op, name) < 0) {
		strbuf_addf(err, "attribute '%s'", name);
		return;
	}
	while (t < OP_MAX_TENSORS && op->tensor[t].name && words_index(op->tensor[t].shape, name) < 0)
		t++;
	strbuf_addf(err, "dimension '%s'", name);
	if (t < OP_MAX_TENSORS && op->tensor[t].name)
		strbuf_addf(err, " of tensor '%s'", op->tensor[t].name);
}

/* ": attribute 'P' is 9, allowed are 0..4", where the condition bounds a name, or a multiple of one, or wants a multiple. */
static void describe_range(const struct problem *p, const struct expr *c, struct strbuf *err)
{
	const struct expr *left = c->arg[0], *name = left;
	bool is_bound = c->op >= OP_LT && c->op <= OP_GE, is_multiple = c->op == OP_EQ && left->kind == EXPR_BINARY && left->op == OP_MOD;
	double value, bound, factor = 1;

	if (is_multiple) {
		name = left->arg[0];
	} else if (left->kind == EXPR_BINARY && left->op == OP_MUL && left->arg[0]->kind == EXPR_INT) {
		factor = (double)left->arg[0]->int_value;
		name = left->arg[1];
	}
	if (name->kind != EXPR_NAME || !value_of(p, name, &value) || !value_of(p, is_multiple ? left->arg[1] : c->arg[1], &bound))
		return;
	int attr = op_attr_index(p->op, name->name);
	bool is_int = attr < 0 || p->op->attr[attr].is_int;
	if (!is_multiple && !is_bound && c->op != OP_NE)
		return;
	strbuf_addstr(err, ": ");
	describe(p->op, name->name, err);
	strbuf_addf(err, " is %.17g, allowed are ", value);
	if (is_multiple)
		strbuf_addf(err, "multiples of %.17g", bound);
	else if (c->op == OP_NE)
		strbuf_addf(err, "all but %.17g", bound);
	else if (!is_int)
		strbuf_addf(err, "those %s %.17g", expr_op_text(c->op), bound / factor);
	else if (c->op == OP_LE || c->op == OP_LT)
		strbuf_addf(err, "%d..%.17g", attr < 0, c->op == OP_LE ? floor(bound / factor) : ceil(bound / factor) - 1);
	else
		strbuf_addf(err, "%.17g and more", floor(bound / factor) + (c->op == OP_GT));
}

/* Values of the names in e, " at K=9, C=5". */
static void describe_names(const struct problem *p, const struct expr *e, struct strbuf *err)
{
	const char *comma = " at ";

	for (int i = 0; i < op_dim_count(p->op); i++)
		if (expr_uses(e, op_dim_name(p->op, i))) {
			strbuf_addf(err, "%s%s=%" PRId64, comma, op_dim_name(p->op, i), p->dim[i]);
			comma = ", ";
		}
	for (int i = 0; i < OP_MAX_ATTRS && p->op->attr[i].name; i++)
		if (expr_uses(e, p->op->attr[i].name)) {
			strbuf_addf(err, "%s%s=%.17g", comma, p->op->attr[i].name, p->attr[i]);
			comma = ", ";
		}
}

int problem_require(const struct problem *p, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	int ret = 0;

	for (const char *s = p->op->require ? p->op->require : ""; *s && !ret;) {
		size_t n = strcspn(s, ";");
		const char *text = arena_strndup(&arena, s, n);
		struct expr *c;
		double holds = 0;
		s += n + (s[n] == ';');
		text += strspn(text, " ");
		if (expr_parse(&arena, text, p->op->name, EXPR_BODY, &c, err)) {
			ret = -1;
		} else if (!value_of(p, c, &holds)) {
			strbuf_addf(err, "'%s' requires %s, which has no value", p->op->name, text);
			describe_names(p, c, err);
			ret = -1;
		} else if (holds == 0) {
			strbuf_addf(err, "'%s' requires %s, which does not hold", p->op->name, text);
			describe_names(p, c, err);
			if (c->kind == EXPR_BINARY)
				describe_range(p, c, err);
			ret = -1;
		}
	}
	arena_release(&arena);
	return ret;
}
