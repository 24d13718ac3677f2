/* What an operator requires of its dimensions and attributes beyond their own range: op.h, `require`. */
#include "ops/core/problem.h"
#include "ops/core/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool value_of(const struct problem *p, const struct expr *e, int64_t *value)
{
	struct strbuf err = STRBUF_INIT;
	bool good = !expr_int_value(e, p->binding, p->binding_count, value, &err);

	strbuf_release(&err);
	return good;
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

/* "is 9: 1..5 are allowed", where the condition bounds a name or wants a multiple. */
static void describe_range(const struct problem *p, const struct expr *c, struct strbuf *err)
{
	const struct expr *left = c->arg[0];
	bool is_bound = left->kind == EXPR_NAME && (c->op == OP_LE || c->op == OP_LT);
	bool is_multiple = c->op == OP_EQ && left->kind == EXPR_BINARY && left->op == OP_MOD && left->arg[0]->kind == EXPR_NAME;
	const struct expr *name = is_bound ? left : left->arg_count ? left->arg[0] : NULL;
	int64_t value = 0, bound = 0;

	if ((!is_bound && !is_multiple) || !value_of(p, name, &value) || !value_of(p, is_bound ? c->arg[1] : left->arg[1], &bound))
		return;
	strbuf_addstr(err, ": ");
	describe(p->op, name->name, err);
	strbuf_addf(err, " is %" PRId64 ", allowed are ", value);
	if (is_bound)
		strbuf_addf(err, "%d..%" PRId64, op_dim_index(p->op, name->name) >= 0, bound - (c->op == OP_LT));
	else
		strbuf_addf(err, "multiples of %" PRId64, bound);
}

/* Values of the names in e, " at K=9, C=5". */
static void describe_names(const struct problem *p, const struct expr *e, struct strbuf *err)
{
	bool any = false;

	for (size_t i = 0; i < p->binding_count; i++)
		if (expr_uses(e, p->binding[i].name)) {
			strbuf_addf(err, "%s%s=%" PRId64, any ? ", " : " at ", p->binding[i].name, p->binding[i].value);
			any = true;
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
		int64_t holds = 0;
		s += n + (s[n] == ';');
		text += strspn(text, " ");
		if (expr_parse(&arena, text, p->op->name, EXPR_BODY, &c, err) || expr_int_value(c, p->binding, p->binding_count, &holds, err)) {
			ret = -1;
		} else if (!holds) {
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
