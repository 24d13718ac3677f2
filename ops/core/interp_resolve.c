#include "ops/core/interp_code.h"

#include <string.h>

struct resolver {
	struct interp *in;
	bool is_prelude;
	const char *name[MAX_SLOTS];
	int count, most;
};

static struct code *resolve(struct resolver *r, const struct expr *e);

static int bind_slot(struct resolver *r, const char *name)
{
	if (r->count == MAX_SLOTS) {
		r->in->failed = true;
		strbuf_addf(r->in->err, "%s: more than %d indices in scope", r->in->problem->op->name, MAX_SLOTS);
		return 0;
	}
	r->name[r->count] = name;
	if (r->most <= r->count)
		r->most = r->count + 1;
	return r->count++;
}

static void resolve_name(struct resolver *r, const struct expr *e, struct code *c)
{
	struct interp *in = r->in;

	for (int i = r->count; i-- > 0;)
		if (!strcmp(r->name[i], e->name)) {
			c->kind = CODE_INDEX;
			c->slot = i;
			return;
		}
	for (size_t i = 0; i < in->problem->binding_count; i++)
		if (!strcmp(in->problem->binding[i].name, e->name)) {
			c->kind = CODE_CONSTANT;
			c->constant = integer_value(in->problem->binding[i].value);
			return;
		}
	for (size_t i = 0; i < in->normal.stmt_count; i++)
		if (!strcmp(in->normal.stmt[i].name, e->name)) {
			c->kind = CODE_STMT;
			c->slot = (int)i;
			return;
		}
	int t = op_tensor_index(in->problem->op, e->name);
	if (t >= 0 && in->problem->op->tensor[t].role == OP_IN) {
		c->kind = CODE_TENSOR;
		c->slot = t;
		return;
	}
	interp_fail(in, e, "'%s' is not declared: neither an index in scope, a dimension, an attribute, an input nor a statement", e->name);
}

static void resolve_access(struct resolver *r, const struct expr *e, struct code *c)
{
	struct expr plain = *e;
	struct interp *in = r->in;

	plain.kind = EXPR_NAME;
	resolve_name(r, &plain, c);
	if (in->failed)
		return;
	if (c->kind != CODE_TENSOR && c->kind != CODE_STMT) {
		interp_fail(in, e, "'%s' is an index or a dimension and cannot be indexed", e->name);
		return;
	}
	size_t rank = c->kind == CODE_TENSOR ? (size_t)in->tensor[c->slot].rank : in->normal.stmt[c->slot].index_count;
	if (rank != e->arg_count)
		interp_fail(in, e, "'%s' has %zu dimension%s but is read with %zu", e->name, rank, rank == 1 ? "" : "s", e->arg_count);
}

static void resolve_call(struct resolver *r, const struct expr *e, struct code *c)
{
	const struct function *f = function_find(e->name);
	struct expr *definition;
	int saved = r->count, first = saved;

	if (!f->definition) {
		c->kind = CODE_CALL;
		c->function = f->value;
		return;
	}
	/* The parameters are slots; the definition sees nothing else. */
	for (const char *p = f->params; *p;) {
		size_t n = strcspn(p, " ");
		bind_slot(r, arena_strndup(&r->in->arena, p, n));
		p += n;
		p += strspn(p, " ");
	}
	if (expr_parse(&r->in->arena, f->definition, f->name, EXPR_BODY, &definition, r->in->err)) {
		r->in->failed = true;
		return;
	}
	c->kind = CODE_PRELUDE;
	c->slot = first;
	bool outer = r->is_prelude;
	r->is_prelude = true;
	c->definition = resolve(r, definition);
	r->is_prelude = outer;
	r->count = saved;
}

static void resolve_reduce(struct resolver *r, const struct expr *e, struct code *c)
{
	int saved = r->count;

	c->kind = CODE_REDUCE;
	if (e->range_count > BATCH_RANGES) {
		interp_fail(r->in, e, "a reduction over more than %d indices", BATCH_RANGES);
		return;
	}
	c->range = arena_alloc(&r->in->arena, sizeof(*c->range) * e->range_count);
	c->range_count = e->range_count;
	for (size_t i = 0; i < e->range_count; i++) {
		c->range[i].lo = resolve(r, e->range[i].lo);
		c->range[i].hi = resolve(r, e->range[i].hi);
		c->range[i].slot = bind_slot(r, e->range[i].name);
	}
	if (e->filter)
		c->filter = resolve(r, e->filter);
	c->arg = ARENA_ARRAY(&r->in->arena, struct code *, 1);
	c->arg_count = 1;
	c->arg[0] = resolve(r, e->arg[0]);
	r->count = saved;
}

/* Its parts are resolved.  What can fail, a division by a variable, is not. */
static bool is_whole(const struct code *c)
{
	switch (c->kind) {
	case CODE_CONSTANT: return c->constant.kind == KIND_INT;
	case CODE_INDEX: return true;
	case CODE_NEG: return c->arg[0]->is_whole;
	case CODE_BINARY: break;
	default: return false;
	}
	const struct code *right = c->arg[1];
	bool divides = c->expr->op == OP_FLOORDIV || c->expr->op == OP_MOD;
	return c->arg[0]->is_whole && right->is_whole && c->expr->op != OP_DIV &&
	       (!divides || (right->kind == CODE_CONSTANT && right->constant.i > 0));
}

static struct code *resolve(struct resolver *r, const struct expr *e)
{
	struct code *c = ARENA_ARRAY(&r->in->arena, struct code, 1);

	c->expr = e;
	if (r->in->failed)
		return c;
	/* Inside a prelude's definition the kinds are the arguments', known when it runs. */
	c->want = r->is_prelude ? KIND_BOOL : normal_kind(&r->in->normal, e);
	if (e->kind == EXPR_REDUCE) {
		resolve_reduce(r, e, c);
		return c;
	}
	c->arg = ARENA_ARRAY(&r->in->arena, struct code *, e->arg_count);
	c->arg_count = e->arg_count;
	for (size_t i = 0; i < e->arg_count; i++)
		c->arg[i] = resolve(r, e->arg[i]);
	if (e->otherwise)
		c->otherwise = resolve(r, e->otherwise);
	switch (e->kind) {
	case EXPR_INT:
		c->constant = integer_value(e->int_value);
		break;
	case EXPR_REAL:
		c->constant = real_value(e->real_value, 0);
		break;
	case EXPR_NAME: resolve_name(r, e, c); break;
	case EXPR_ACCESS: resolve_access(r, e, c); break;
	case EXPR_NEG: c->kind = CODE_NEG; break;
	case EXPR_BINARY: c->kind = CODE_BINARY; break;
	case EXPR_SELECT: c->kind = CODE_SELECT; break;
	case EXPR_CALL: resolve_call(r, e, c); break;
	case EXPR_REDUCE: break;
	}
	/* A prelude's parameters are slots too, but hold any value. */
	c->is_whole = !r->in->failed && !r->is_prelude && is_whole(c);
	return c;
}

/* Does e read one of the marked statements at `name` - c? */
static bool steps_back(const struct interp *in, const struct expr *e, const char *name, const bool *cycle)
{
	bool found = false;

	if (!e)
		return false;
	for (size_t i = 0; e->kind == EXPR_ACCESS && i < e->arg_count; i++) {
		const struct normal_stmt *s = normal_find(&in->normal, e->name);
		const struct expr *x = e->arg[i];
		found |= s && cycle[s - in->normal.stmt] && x->kind == EXPR_BINARY && x->op == OP_SUB && x->arg[0]->kind == EXPR_NAME &&
			 !strcmp(x->arg[0]->name, name) && x->arg[1]->kind == EXPR_INT && x->arg[1]->int_value > 0;
	}
	for (size_t i = 0; !found && i < e->arg_count; i++)
		found = steps_back(in, e->arg[i], name, cycle);
	return found || steps_back(in, e->otherwise, name, cycle) || steps_back(in, e->filter, name, cycle);
}

/* Sets stmt[].step of the statements that depend on themselves. */
static void find_recurrences(struct interp *in)
{
	size_t n = in->normal.stmt_count;
	bool *reaches = ARENA_ARRAY(&in->arena, bool, n * n + 1), *cycle = ARENA_ARRAY(&in->arena, bool, n + 1);
	const struct normal_stmt *stmt = in->normal.stmt;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			reaches[i * n + j] = expr_uses(stmt[i].value, stmt[j].name);
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; reaches[i * n + k] && j < n; j++)
				reaches[i * n + j] |= reaches[k * n + j];
	for (size_t s = 0; s < n; s++) {
		in->stmt[s].step = -1;
		for (size_t i = 0; i < n; i++)
			cycle[i] = reaches[i * n + s] && reaches[s * n + i];
		for (size_t i = 0; reaches[s * n + s] && i < n; i++)
			for (size_t k = 0; cycle[i] && in->stmt[s].step < 0 && k < stmt[s].index_count; k++)
				if (steps_back(in, stmt[i].value, stmt[s].index[k].name, cycle))
					in->stmt[s].step = (int)k;
	}
}

int interp_resolve(struct interp *in)
{
	const struct problem *p = in->problem;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		enum dtype d = problem_tensor_dtype(p, t);
		in->tensor[t].rank = problem_shape(p, t, in->tensor[t].extent);
		in->tensor[t].kind = d == DTYPE_bool ? KIND_BOOL : dtype_is_real(d) ? KIND_REAL : KIND_INT;
	}
	for (size_t i = 0; i < in->normal.stmt_count; i++) {
		const struct normal_stmt *s = &in->normal.stmt[i];
		struct resolver r = { .in = in };
		in->stmt[i].normal = s;
		if (s->index_count > 8) {
			strbuf_addf(in->err, "%s: statement '%s' has more than 8 indices", p->op->name, s->name);
			return -1;
		}
		for (size_t k = 0; k < s->index_count; k++) {
			if (expr_int_value(s->index[k].hi, p->binding, p->binding_count, &in->stmt[i].extent[k], in->err))
				return -1;
			in->stmt[i].slot[k] = bind_slot(&r, s->index[k].name);
		}
		in->stmt[i].code = resolve(&r, s->value);
		in->stmt[i].slot_count = r.most;
		if (in->failed)
			return -1;
	}
	find_recurrences(in);
	return 0;
}
