#include "ops/core/normal.h"

#include <stdlib.h>
#include <string.h>

struct pass {
	struct arena *arena;
	const struct op *op;
	struct normal *normal;
	size_t capacity;
	const struct body *body;
	int hoisted;      /* names _1, _2, ... */
	size_t first;     /* statements from here on belong to the body statement at hand */
	const double *attr; /* values to put in; NULL: the defaults */
	struct strbuf *err;
	bool failed;
};

/* The indices in scope, outermost first. */
struct scope {
	struct expr_range range[16];
	size_t count;
};

static struct normal_stmt *add_stmt(struct pass *p)
{
	struct normal *n = p->normal;

	if (n->stmt_count == p->capacity) {
		struct normal_stmt *grown = ARENA_ARRAY(p->arena, struct normal_stmt, 2 * p->capacity + 8);
		if (n->stmt_count)
			memcpy(grown, n->stmt, n->stmt_count * sizeof(*grown));
		n->stmt = grown;
		p->capacity = 2 * p->capacity + 8;
	}
	return &n->stmt[n->stmt_count++];
}

/* e without the branches that its numbers rule out, or their reductions would be computed for nothing; NULL stays NULL. */
static struct expr *chosen(struct arena *arena, struct expr *e)
{
	if (!e || !(e->arg_count || e->otherwise))
		return e;
	double holds;
	if (e->kind == EXPR_SELECT && expr_value(e->arg[0], NULL, NULL, &holds))
		return chosen(arena, e->arg[holds ? 1 : 2]);
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = chosen(arena, e->arg[i]);
	copy->otherwise = chosen(arena, e->otherwise);
	copy->filter = chosen(arena, e->filter);
	return copy;
}

/* e with the attributes' values in their place; NULL stays NULL. */
static struct expr *substituted(struct pass *p, struct expr *e)
{
	for (int i = 0; e && i < OP_MAX_ATTRS && p->op->attr[i].name; i++) {
		double v = p->attr ? p->attr[i] : p->op->attr[i].value;
		struct expr *number = p->op->attr[i].is_int ? expr_int(p->arena, (int64_t)v) : expr_real(p->arena, v);
		e = expr_replace_name(p->arena, e, p->op->attr[i].name, number);
	}
	return e;
}

/* The extent of dimension k of tensor t, as a tree; NULL: it has no such dimension. */
static struct expr *tensor_extent(struct pass *p, int t, size_t k)
{
	struct expr *extent[OP_MAX_RANK];
	int rank = op_extents(p->arena, p->op, p->attr, t, extent, p->err);

	return (int)k < rank ? extent[k] : NULL;
}

/* An index whose range is read from a tensor: the extent of what it indexes. */
static struct expr *indexed_extent(struct pass *p, const struct expr *e, const char *index)
{
	struct expr *found = NULL;

	if (!e)
		return NULL;
	if (e->kind == EXPR_ACCESS) {
		int t = op_tensor_index(p->op, e->name);
		for (size_t i = 0; t >= 0 && i < e->arg_count; i++)
			if (e->arg[i]->kind == EXPR_NAME && !strcmp(e->arg[i]->name, index))
				return tensor_extent(p, t, i);
	}
	for (size_t i = 0; !found && i < e->arg_count; i++)
		found = indexed_extent(p, e->arg[i], index);
	if (!found)
		found = indexed_extent(p, e->otherwise, index);
	return found ? found : indexed_extent(p, e->filter, index);
}

static bool reads_tensor(const struct expr *e)
{
	if (!e)
		return false;
	if (e->kind == EXPR_ACCESS)
		return true;
	for (size_t i = 0; i < e->arg_count; i++)
		if (reads_tensor(e->arg[i]))
			return true;
	for (size_t i = 0; i < e->range_count; i++)
		if (reads_tensor(e->range[i].lo) || reads_tensor(e->range[i].hi))
			return true;
	return reads_tensor(e->filter);
}

/* ---- what a hoisted reduction may do where it was not asked for ---------- */

static struct expr *conjunction(struct pass *p, struct expr *a, struct expr *b)
{
	return a && b ? expr_binary(p->arena, OP_AND, a, b) : a ? a : b;
}

static const struct expr_range *find_range(const struct expr_range *range, size_t count, const char *name)
{
	for (size_t i = count; i-- > 0;)
		if (!strcmp(range[i].name, name))
			return &range[i];
	return NULL;
}

/* The extent of dimension k of an access, or NULL. */
static struct expr *access_extent(struct pass *p, const struct expr *e, size_t k)
{
	int t = op_tensor_index(p->op, e->name);

	if (t >= 0 && p->op->tensor[t].role == OP_IN)
		return tensor_extent(p, t, k);
	for (size_t i = 0; i < p->body->stmt_count; i++)
		if (!strcmp(p->body->stmt[i].name, e->name))
			return k < p->body->stmt[i].index_count ? p->body->stmt[i].index[k].hi : NULL;
	return NULL;
}

/* Is every access of e in bounds for all values of the indices, and no division by zero possible? */
static bool is_harmless(struct pass *p, const struct expr *e, const struct expr *reduce, const struct scope *scope)
{
	if (!e)
		return true;
	if (e->kind == EXPR_BINARY && (e->op == OP_FLOORDIV || e->op == OP_MOD) && !(e->arg[1]->kind == EXPR_INT && e->arg[1]->int_value))
		return false;
	if (e->kind == EXPR_REDUCE && e != reduce)
		return false;
	for (size_t i = 0; e->kind == EXPR_ACCESS && !e->otherwise && i < e->arg_count; i++) {
		const struct expr *extent = access_extent(p, e, i);
		const struct expr_range *r = NULL;
		if (e->arg[i]->kind == EXPR_NAME)
			r = find_range(reduce->range, reduce->range_count, e->arg[i]->name);
		if (!r && e->arg[i]->kind == EXPR_NAME)
			r = find_range(scope->range, scope->count, e->arg[i]->name);
		if (!r || !r->hi || !extent || r->lo->kind != EXPR_INT || r->lo->int_value < 0 || !expr_equal(r->hi, extent))
			return false;
	}
	for (size_t i = 0; i < e->arg_count; i++)
		if (!is_harmless(p, e->arg[i], reduce, scope))
			return false;
	for (size_t i = 0; i < e->range_count; i++)
		if (!is_harmless(p, e->range[i].lo, reduce, scope) || !is_harmless(p, e->range[i].hi, reduce, scope))
			return false;
	return is_harmless(p, e->otherwise, reduce, scope) && is_harmless(p, e->filter, reduce, scope);
}

/* The least or greatest value of e over the indices in scope, as a tree over dimensions; NULL: not known. */
static struct expr *extreme(struct pass *p, const struct expr *e, const struct scope *scope, bool greatest)
{
	const struct expr_range *r;
	struct expr *a, *b;

	switch (e->kind) {
	case EXPR_INT:
		return (struct expr *)e;
	case EXPR_NAME:
		r = find_range(scope->range, scope->count, e->name);
		if (!r)
			return (struct expr *)e;
		if (!r->hi)
			return NULL;
		return greatest ? expr_binary(p->arena, OP_SUB, r->hi, expr_int(p->arena, 1)) : r->lo;
	case EXPR_BINARY:
		a = extreme(p, e->arg[0], scope, greatest);
		b = extreme(p, e->arg[1], scope, e->op == OP_SUB ? !greatest : greatest);
		if (!a || !b || (e->op != OP_ADD && e->op != OP_SUB && e->arg[1]->kind != EXPR_INT) || e->op > OP_FLOORDIV || e->op == OP_DIV)
			return NULL;
		if ((e->op == OP_MUL || e->op == OP_FLOORDIV) && e->arg[1]->int_value <= 0)
			return NULL;
		return expr_binary(p->arena, e->op, a, b);
	default:
		return NULL;
	}
}

static struct expr *hoist(struct pass *p, struct expr *e, struct scope *scope, struct expr *guard);

/*
 * Adds range r of a reduction to the scope, at an extent that does not depend on
 * other indices; returns the condition under which r itself has the index.
 */
static struct expr *enter_range(struct pass *p, const struct expr_range *r, const struct expr *body, struct scope *scope)
{
	struct expr_range whole = *r;
	struct expr *condition = NULL;
	bool depends = reads_tensor(r->hi);

	for (size_t i = 0; i < scope->count; i++)
		depends |= expr_uses(r->hi, scope->range[i].name);
	if (depends) {
		struct expr *extent = substituted(p, indexed_extent(p, body, r->name));
		whole.hi = extent ? extent : reads_tensor(r->hi) ? NULL : extreme(p, r->hi, scope, true);
		condition = expr_binary(p->arena, OP_LT, expr_name(p->arena, r->name), r->hi);
	}
	if (r->lo->kind != EXPR_INT || r->lo->int_value)
		condition = conjunction(p, expr_binary(p->arena, OP_GE, expr_name(p->arena, r->name), r->lo), condition);
	whole.lo = expr_int(p->arena, 0);
	if (scope->count < ARRAY_SIZE(scope->range))
		scope->range[scope->count++] = whole;
	return condition;
}

/* A copy of a reduction with its inner reductions hoisted out. */
static struct expr *inner(struct pass *p, const struct expr *e, const struct scope *outer, struct expr *guard)
{
	struct scope scope = *outer;
	struct expr *copy = ARENA_ARRAY(p->arena, struct expr, 1), *inside = guard;

	*copy = *e;
	copy->range = ARENA_ARRAY(p->arena, struct expr_range, e->range_count);
	for (size_t i = 0; i < e->range_count; i++) {
		copy->range[i] = (struct expr_range){ e->range[i].name, hoist(p, e->range[i].lo, &scope, inside),
						      hoist(p, e->range[i].hi, &scope, inside) };
		inside = conjunction(p, inside, enter_range(p, &copy->range[i], e->arg[0], &scope));
	}
	if (e->filter)
		copy->filter = hoist(p, e->filter, &scope, inside);
	copy->arg = ARENA_ARRAY(p->arena, struct expr *, 1);
	copy->arg[0] = hoist(p, e->arg[0], &scope, conjunction(p, inside, copy->filter));
	/* Hoisted from behind a condition: the condition stays, as a filter, where it guards something. */
	if (guard && !is_harmless(p, copy, copy, outer))
		copy->filter = conjunction(p, guard, copy->filter);
	return copy;
}

/* Makes the reduction a statement of its own and returns the access that replaces it. */
static struct expr *own_statement(struct pass *p, struct expr *e, const struct scope *scope, struct expr *guard)
{
	struct expr *reduce = inner(p, e, scope, guard), *index[16];
	struct expr_range *used = ARENA_ARRAY(p->arena, struct expr_range, scope->count);
	size_t count = 0;

	for (size_t i = 0; i < scope->count; i++)
		if (expr_uses(reduce, scope->range[i].name)) {
			if (!scope->range[i].hi && !p->failed) {
				p->failed = true;
				strbuf_addf(p->err, "%s:body:%d:%d: the extent of index '%s', which a reduction inside uses, cannot be told: "
					    "make the inner reduction a statement of its own",
					    p->op->source_path ? p->op->source_path : p->op->name, e->line, e->column, scope->range[i].name);
			}
			index[count] = expr_name(p->arena, scope->range[i].name);
			used[count] = (struct expr_range){ scope->range[i].name, expr_int(p->arena, 0),
							   p->failed ? expr_int(p->arena, 1) : scope->range[i].hi };
			count++;
		}
	for (size_t i = p->first; i < p->normal->stmt_count; i++) {
		const struct normal_stmt *s = &p->normal->stmt[i];
		bool same = s->name[0] == '_' && s->index_count == count && expr_equal(s->value, reduce);
		for (size_t k = 0; same && k < count; k++)
			same = !strcmp(s->index[k].name, used[k].name) && expr_equal(s->index[k].hi, used[k].hi);
		if (same)
			return count ? expr_access(p->arena, s->name, index, count) : expr_name(p->arena, s->name);
	}
	struct normal_stmt *s = add_stmt(p);
	s->name = arena_printf(p->arena, "_%d", ++p->hoisted);
	s->index = used;
	s->index_count = count;
	s->value = reduce;
	s->tensor = -1;
	return count ? expr_access(p->arena, s->name, index, count) : expr_name(p->arena, s->name);
}

/* An integer over dimensions: it reads no tensor and no index in scope. */
static bool is_plain_extent(const struct expr *e, const struct scope *scope)
{
	for (size_t i = 0; i < scope->count; i++)
		if (expr_uses(e, scope->range[i].name))
			return false;
	return !reads_tensor(e);
}

/*
 * sum(k) (a / d) with d free of k is (sum(k) a) / d: one division instead of one
 * a term.  Not where the sum may be empty (filtered, jagged, triangular): there 0
 * must not become 0/0.
 */
static struct expr *pull_divisor(struct pass *p, struct expr *e, const struct scope *scope)
{
	if (e->kind != EXPR_REDUCE || e->op != OP_SUM || e->filter || e->arg[0]->kind != EXPR_BINARY || e->arg[0]->op != OP_DIV)
		return e;
	for (size_t i = 0; i < e->range_count; i++)
		if (expr_uses(e->arg[0]->arg[1], e->range[i].name) || !is_plain_extent(e->range[i].lo, scope) ||
		    !is_plain_extent(e->range[i].hi, scope))
			return e;
	struct expr *sum = ARENA_ARRAY(p->arena, struct expr, 1);
	*sum = *e;
	sum->arg = ARENA_ARRAY(p->arena, struct expr *, 1);
	sum->arg[0] = e->arg[0]->arg[0];
	return expr_binary(p->arena, OP_DIV, sum, e->arg[0]->arg[1]);
}

/* When is argument i of e evaluated?  NULL: always. */
static struct expr *condition_of(struct pass *p, const struct expr *e, size_t i)
{
	bool is_and = e->kind == EXPR_BINARY && e->op == OP_AND, is_or = e->kind == EXPR_BINARY && e->op == OP_OR;

	if ((e->kind == EXPR_SELECT && i == 1) || is_and)
		return e->arg[0];
	return e->kind == EXPR_SELECT || is_or ? expr_binary(p->arena, OP_EQ, e->arg[0], expr_int(p->arena, 0)) : NULL;
}

/* When is an access outside, so that its `else` is evaluated? */
static struct expr *outside(struct pass *p, const struct expr *e)
{
	struct expr *any = NULL;

	for (size_t i = 0; i < e->arg_count; i++) {
		struct expr *extent = access_extent(p, e, i);
		if (!extent)
			return NULL;
		struct expr *here = expr_binary(p->arena, OP_OR, expr_binary(p->arena, OP_LT, e->arg[i], expr_int(p->arena, 0)),
						expr_binary(p->arena, OP_GE, e->arg[i], extent));
		any = any ? expr_binary(p->arena, OP_OR, any, here) : here;
	}
	return any;
}

static struct expr *hoist(struct pass *p, struct expr *e, struct scope *scope, struct expr *guard)
{
	if (!e)
		return NULL;
	e = pull_divisor(p, e, scope);
	if (e->kind == EXPR_REDUCE)
		return own_statement(p, e, scope, guard);
	if (!e->arg_count && !e->otherwise)
		return e;
	struct expr *copy = ARENA_ARRAY(p->arena, struct expr, 1);
	*copy = *e;
	copy->arg = ARENA_ARRAY(p->arena, struct expr *, e->arg_count);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = hoist(p, e->arg[i], scope, conjunction(p, guard, i ? condition_of(p, copy, i) : NULL));
	copy->otherwise = e->otherwise ? hoist(p, e->otherwise, scope, conjunction(p, guard, outside(p, copy))) : NULL;
	return copy;
}

/* ---- kinds ----------------------------------------------------------- */

static enum kind tensor_kind(const struct op_tensor *t, enum dtype T)
{
	enum dtype d = T;

	op_dtype_rule(t->dtype, T, &d);
	return d == DTYPE_bool ? KIND_BOOL : dtype_is_real(d) ? KIND_REAL : KIND_INT;
}

static enum kind name_kind(const struct normal *n, const char *name)
{
	const struct normal_stmt *s = normal_find(n, name);
	int t = op_tensor_index(n->op, name);

	if (s)
		return s->kind;
	return t >= 0 ? tensor_kind(&n->op->tensor[t], n->dtype) : KIND_INT; /* indices and dims; attributes are gone */
}

static enum kind call_kind(const struct normal *n, const struct expr *e)
{
	static const char *const same[] = { "abs", "maximum", "minimum", "relu", "sq", "clamp", "floor", "ceil", "round", "trunc", "leaky" };
	static const char *const integer[] = { "bit_and", "bit_or", "bit_xor", "bit_not", "shl", "shr", "philox",
					       "i64", "i32", "i16", "i8", "u8", "cdiv", "rup" };
	enum kind most = KIND_INT;

	if (!strcmp(e->name, "bool"))
		return KIND_BOOL;
	if (!strcmp(e->name, "bit_not"))
		return normal_kind(n, e->arg[0]) == KIND_BOOL ? KIND_BOOL : KIND_INT;
	for (size_t i = 0; i < ARRAY_SIZE(integer); i++)
		if (!strcmp(e->name, integer[i]))
			return KIND_INT;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (!strcmp(e->name, same[i])) {
			for (size_t k = 0; k < e->arg_count; k++) {
				enum kind kind = normal_kind(n, e->arg[k]);
				most = kind > most ? kind : most;
			}
			return most;
		}
	return KIND_REAL;
}

static bool is_truth_literal(const struct expr *e)
{
	return e->kind == EXPR_INT && (e->int_value == 0 || e->int_value == 1);
}

/* Of a choice between x and y: 0 and 1 beside a truth value are truth values. */
static enum kind choice_kind(const struct normal *n, const struct expr *x, const struct expr *y)
{
	enum kind a = normal_kind(n, x), b = normal_kind(n, y);

	if ((a == KIND_BOOL && is_truth_literal(y)) || (b == KIND_BOOL && is_truth_literal(x)))
		return KIND_BOOL;
	return a > b ? a : b;
}

enum kind normal_kind(const struct normal *n, const struct expr *e)
{
	enum kind a, b;

	switch (e->kind) {
	case EXPR_INT:
		return KIND_INT;
	case EXPR_REAL:
		return KIND_REAL;
	case EXPR_NAME:
		return name_kind(n, e->name);
	case EXPR_ACCESS:
		a = name_kind(n, e->name);
		if (!e->otherwise || (a == KIND_BOOL && is_truth_literal(e->otherwise)))
			return a;
		b = normal_kind(n, e->otherwise);
		return a > b ? a : b;
	case EXPR_NEG:
		a = normal_kind(n, e->arg[0]);
		return a == KIND_BOOL ? KIND_INT : a;
	case EXPR_BINARY:
		if (e->op >= OP_EQ)
			return KIND_BOOL;
		if (e->op == OP_DIV)
			return KIND_REAL;
		a = normal_kind(n, e->arg[0]);
		b = normal_kind(n, e->arg[1]);
		a = a > b ? a : b;
		return a == KIND_BOOL ? KIND_INT : a;
	case EXPR_SELECT:
		return choice_kind(n, e->arg[1], e->arg[2]);
	case EXPR_CALL:
		return call_kind(n, e);
	case EXPR_REDUCE:
		if (e->op == OP_ARGMAX || e->op == OP_ARGMIN)
			return KIND_INT;
		a = normal_kind(n, e->arg[0]);
		return (e->op == OP_SUM || e->op == OP_PROD) && a == KIND_BOOL ? KIND_INT : a;
	}
	return KIND_REAL;
}

/* ---- the pass -------------------------------------------------------- */

/* e with reads of broadcast dimensions at 0. */
static struct expr *broadcast(struct pass *p, struct expr *e)
{
	if (!e)
		return NULL;
	struct expr *copy = ARENA_ARRAY(p->arena, struct expr, 1);
	int t = e->kind == EXPR_ACCESS ? op_tensor_index(p->op, e->name) : -1;

	*copy = *e;
	copy->arg = ARENA_ARRAY(p->arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = t >= 0 && op_is_ones(p->op, p->attr, t, (int)i) ? expr_int(p->arena, 0) : broadcast(p, e->arg[i]);
	copy->range = ARENA_ARRAY(p->arena, struct expr_range, e->range_count + 1);
	for (size_t i = 0; i < e->range_count; i++)
		copy->range[i] = (struct expr_range){ e->range[i].name, broadcast(p, e->range[i].lo), broadcast(p, e->range[i].hi) };
	copy->filter = broadcast(p, e->filter);
	copy->otherwise = broadcast(p, e->otherwise);
	return copy;
}

/* Derived dimensions (scalars that read no tensor) go into the text that uses them. */
static void inline_dimensions(struct pass *p, struct body *body)
{
	size_t kept = 0;

	for (size_t i = 0; i < body->stmt_count; i++) {
		struct body_stmt *s = &body->stmt[i];
		s->value = chosen(p->arena, broadcast(p, substituted(p, s->value)));
		for (size_t k = 0; k < s->index_count; k++)
			s->index[k].hi = substituted(p, s->index[k].hi);
	}
	for (size_t i = 0; i < body->stmt_count; i++) {
		struct body_stmt s = body->stmt[i];
		bool is_dimension = !s.index_count && !reads_tensor(s.value) && op_tensor_index(p->op, s.name) < 0;
		for (size_t k = 0; is_dimension && k < i; k++)
			is_dimension = !expr_uses(s.value, body->stmt[k].name);
		if (!is_dimension) {
			body->stmt[kept++] = s;
			continue;
		}
		for (size_t k = i + 1; k < body->stmt_count; k++) {
			struct body_stmt *later = &body->stmt[k];
			later->value = expr_replace_name(p->arena, later->value, s.name, s.value);
			for (size_t d = 0; d < later->index_count; d++)
				later->index[d].hi = expr_replace_name(p->arena, later->index[d].hi, s.name, s.value);
		}
	}
	body->stmt_count = kept;
}

int normal_form(struct arena *arena, const struct op *op, enum dtype dtype, const double *attr,
		struct normal *normal, struct strbuf *err)
{
	struct body body;
	struct strbuf source = STRBUF_INIT;
	struct pass p = { .arena = arena, .op = op, .normal = normal, .body = &body, .attr = attr, .err = err };
	int ret = -1;

	*normal = (struct normal){ .op = op, .dtype = dtype };
	strbuf_addf(&source, "%s:body", op->source_path ? op->source_path : op->name);
	if (body_parse(arena, op->body ? op->body : "", source.buf, &body, err))
		goto out;
	inline_dimensions(&p, &body);
	for (size_t i = 0; i < body.stmt_count; i++) {
		struct body_stmt *s = &body.stmt[i];
		struct scope scope = { .count = s->index_count };
		if (s->index_count)
			memcpy(scope.range, s->index, s->index_count * sizeof(*s->index));
		p.first = normal->stmt_count;
		struct expr *value = pull_divisor(&p, s->value, &scope);
		value = value->kind == EXPR_REDUCE ? inner(&p, value, &scope, NULL) : hoist(&p, value, &scope, NULL);
		*add_stmt(&p) = (struct normal_stmt){ .name = s->name, .index = s->index, .index_count = s->index_count,
						      .value = value, .tensor = op_tensor_index(op, s->name) };
	}
	/* Kinds only grow, so that those of a recurrence settle. */
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < normal->stmt_count; i++)
			normal->stmt[i].kind = normal_kind(normal, normal->stmt[i].value);
	ret = p.failed ? -1 : 0;
out:
	strbuf_release(&source);
	return ret;
}

void normal_print(const struct normal *normal, struct strbuf *out)
{
	for (size_t i = 0; i < normal->stmt_count; i++) {
		const struct normal_stmt *s = &normal->stmt[i];
		struct body_stmt one = { s->name, s->index, s->index_count, s->value, 0, 0 };
		body_print(&(struct body){ &one, 1 }, out);
		strbuf_addch(out, '\n');
	}
}

const struct normal_stmt *normal_find(const struct normal *normal, const char *name)
{
	for (size_t i = 0; i < normal->stmt_count; i++)
		if (!strcmp(normal->stmt[i].name, name))
			return &normal->stmt[i];
	return NULL;
}
