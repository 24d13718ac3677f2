/*
 * A sum of sums whose products have a factor that the outer sum does not move:
 *   t[n,o,i] = sum(c,u if f) x[n,c,i-u] * w[c,o,u];  s[n,o] = sum(i) b[o] + t[n,o,i]
 * becomes
 *   a[n,c,u] = sum(i if f) x[n,c,i-u];  s[n,o] = sum(i) b[o] + sum(c,u) a[n,c,u] * w[c,o,u]
 * which for the mean of a convolution is hundreds of times less.  Equal but for roundings of double.
 */
#include "ops/core/loops_print.h"

#include <string.h>

struct factoring {
	struct arena *arena;
	struct normal *normal;
	size_t reader;            /* the outer sum's statement */
	const struct normal_stmt *inner;
	struct expr *rest;        /* what is added to the inner sum, or NULL */
};

/* In how many statements is `name` read? */
static int count_readers(const struct normal *n, const char *name)
{
	int count = 0;

	for (size_t i = 0; i < n->stmt_count; i++)
		count += expr_uses(n->stmt[i].value, name);
	return count;
}

/* Is e the access s[its own indices], in order? */
static bool is_own_access(const struct expr *e, const struct normal_stmt *s)
{
	if (e->kind != EXPR_ACCESS || e->otherwise || e->arg_count != s->index_count)
		return false;
	for (size_t i = 0; i < e->arg_count; i++)
		if (e->arg[i]->kind != EXPR_NAME || strcmp(e->arg[i]->name, s->index[i].name))
			return false;
	return true;
}

static bool uses_any(const struct expr *e, const struct expr_range *range, size_t count)
{
	for (size_t i = 0; e && i < count; i++)
		if (expr_uses(e, range[i].name))
			return true;
	return false;
}

/* e as rest + the inner sum: follows maps that nothing else reads.  false: it is not of that form. */
static bool take_apart(struct factoring *f, struct expr *e)
{
	const struct normal_stmt *s = e->kind == EXPR_ACCESS ? normal_find(f->normal, e->name) : NULL;

	if (s && s->tensor < 0 && is_own_access(e, s) && count_readers(f->normal, s->name) == 1) {
		if (s->value->kind != EXPR_REDUCE)
			return take_apart(f, s->value);
		f->inner = s;
		return s->value->op == OP_SUM && s->kind == KIND_REAL;
	}
	if (e->kind != EXPR_BINARY || e->op != OP_ADD)
		return false;
	for (int i = 0; i < 2; i++) {
		struct expr *other = e->arg[!i];
		const struct factoring saved = *f;
		if (take_apart(f, e->arg[i])) {
			f->rest = f->rest ? expr_binary(f->arena, OP_ADD, f->rest, other) : other;
			return true;
		}
		*f = saved;
	}
	return false;
}

static struct expr *sum_of(struct arena *arena, const struct expr_range *range, size_t count, struct expr *filter, struct expr *term)
{
	struct expr *e = ARENA_ARRAY(arena, struct expr, 1);

	*e = (struct expr){ .kind = EXPR_REDUCE, .op = OP_SUM, .range = (struct expr_range *)range, .range_count = count, .filter = filter,
			    .arg = ARENA_ARRAY(arena, struct expr *, 1), .arg_count = 1 };
	e->arg[0] = term;
	return e;
}

/* name[those of the candidates that e or its filter uses] = value; the access to it. */
static struct expr *make_stmt(struct factoring *f, struct normal_stmt *made, const char *name, const struct expr_range *candidate, size_t count,
			      struct expr *value, const struct expr *a, const struct expr *b)
{
	struct expr **index = ARENA_ARRAY(f->arena, struct expr *, count + 1);

	*made = (struct normal_stmt){ .name = name, .value = value, .kind = KIND_REAL, .tensor = -1, .index = ARENA_ARRAY(f->arena, struct expr_range, count + 1) };
	for (size_t i = 0; i < count; i++)
		if (expr_uses(a, candidate[i].name) || (b && expr_uses(b, candidate[i].name))) {
			index[made->index_count] = expr_name(f->arena, candidate[i].name);
			made->index[made->index_count++] = candidate[i];
		}
	return made->index_count ? expr_access(f->arena, name, index, made->index_count) : expr_name(f->arena, name);
}

/* The statements that take the outer sum's place: made[0..count). */
static bool factor(struct factoring *f, struct normal_stmt made[4], size_t *count)
{
	const struct normal_stmt *s = &f->normal->stmt[f->reader];
	const struct expr *outer = s->value, *inner;
	size_t own = s->index_count, all;

	if (outer->kind != EXPR_REDUCE || outer->op != OP_SUM || outer->filter || s->kind != KIND_REAL || !take_apart(f, outer->arg[0]))
		return false;
	inner = f->inner->value;
	const struct expr *product = inner->arg[0];
	if (product->kind != EXPR_BINARY || product->op != OP_MUL || normal_kind(f->normal, product) != KIND_REAL)
		return false;
	int moved = !uses_any(product->arg[0], outer->range, outer->range_count) ? 1 : !uses_any(product->arg[1], outer->range, outer->range_count) ? 0 : -1;
	if (moved < 0)
		return false;
	/* Ranges that depend on what is summed over outside would have to come along. */
	for (size_t i = 0; i < inner->range_count; i++)
		if (uses_any(inner->range[i].lo, outer->range, outer->range_count) || uses_any(inner->range[i].hi, outer->range, outer->range_count) ||
		    inner->range[i].lo->kind != EXPR_INT || inner->range[i].lo->int_value)
			return false;
	all = own + inner->range_count;
	if (all > LOOPS_RANK)
		return false;
	struct expr_range *candidate = ARENA_ARRAY(f->arena, struct expr_range, all + 1);
	memcpy(candidate, s->index, own * sizeof(*candidate));
	memcpy(candidate + own, inner->range, inner->range_count * sizeof(*candidate));
	struct expr *part = make_stmt(f, &made[0], arena_printf(f->arena, "part%zu_", f->reader), candidate, all,
				      sum_of(f->arena, outer->range, outer->range_count, inner->filter, product->arg[moved]), product->arg[moved], inner->filter);
	struct expr *term = expr_binary(f->arena, OP_MUL, part, product->arg[!moved]);
	*count = 1;
	made[1] = *s;
	made[1].value = sum_of(f->arena, inner->range, inner->range_count, NULL, term);
	if (f->rest) {
		struct expr **index = ARENA_ARRAY(f->arena, struct expr *, own + 1);
		for (size_t i = 0; i < own; i++)
			index[i] = expr_name(f->arena, s->index[i].name);
		const char *name[2] = { arena_printf(f->arena, "rest%zu_", f->reader), arena_printf(f->arena, "whole%zu_", f->reader) };
		struct expr *read[2];
		for (int i = 0; i < 2; i++)
			read[i] = own ? expr_access(f->arena, name[i], index, own) : expr_name(f->arena, name[i]);
		made[2] = made[3] = *s;
		made[1].name = name[1];
		made[1].tensor = -1;
		made[2].name = name[0];
		made[2].tensor = -1;
		made[2].value = sum_of(f->arena, outer->range, outer->range_count, NULL, f->rest);
		made[3].value = expr_binary(f->arena, OP_ADD, read[0], read[1]);
		*count = 3;
	}
	++*count;
	return true;
}

/* Statements that nothing reads any more. */
static void drop_unread(struct normal *n)
{
	for (size_t i = n->stmt_count; i-- > 0;)
		if (n->stmt[i].tensor < 0 && !count_readers(n, n->stmt[i].name)) {
			memmove(n->stmt + i, n->stmt + i + 1, (n->stmt_count - i - 1) * sizeof(*n->stmt));
			n->stmt_count--;
		}
}

void loops_factor(struct arena *arena, struct normal *n)
{
	for (size_t k = 0; k < n->stmt_count; k++) {
		struct factoring f = { .arena = arena, .normal = n, .reader = k };
		struct normal_stmt made[4], *grown;
		size_t count;
		if (!factor(&f, made, &count))
			continue;
		grown = ARENA_ARRAY(arena, struct normal_stmt, n->stmt_count + count);
		memcpy(grown, n->stmt, k * sizeof(*grown));
		memcpy(grown + k, made, count * sizeof(*grown));
		memcpy(grown + k + count, n->stmt + k + 1, (n->stmt_count - k - 1) * sizeof(*grown));
		n->stmt = grown;
		n->stmt_count += count - 1;
		k += count - 1;
	}
	drop_unread(n);
}
