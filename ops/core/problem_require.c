/* What an operator requires of its dimensions and attributes beyond their own range: op.h, `require`. */
#include "ops/core/problem.h"
#include "ops/core/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* An expr_named over a struct problem: its dimensions and attributes. */
static bool name_value(const void *problem, const char *name, double *value)
{
	const struct problem *p = problem;
	int dim = op_dim_index(p->op, name), attr = op_attr_index(p->op, name);

	*value = dim >= 0 ? (double)p->dim[dim] : attr >= 0 ? p->attr[attr] : 0;
	return dim >= 0 || attr >= 0;
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
	if (name->kind != EXPR_NAME || !expr_value(name, name_value, p, &value) || !expr_value(is_multiple ? left->arg[1] : c->arg[1], name_value, p, &bound))
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
		} else if (!expr_value(c, name_value, p, &holds)) {
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
