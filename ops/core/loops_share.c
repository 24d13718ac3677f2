#include "ops/core/loops_print.h"

#include <string.h>

/* Does e call a function that costs more than a load and a store? */
static bool is_costly(const struct expr *e)
{
	static const char *const cheap[] = { "abs", "maximum", "minimum", "floor", "ceil", "round", "trunc", "relu", "sq", "clamp",
					     "leaky", "sqrt", "rsqrt", "hardswish", "f64", "f32", "f16", "bf16", "i64", "i32", "bool" };
	bool is_cheap = e->kind != EXPR_CALL;

	for (size_t i = 0; i < ARRAY_SIZE(cheap) && !is_cheap; i++)
		is_cheap = !strcmp(e->name, cheap[i]);
	if (!is_cheap)
		return true;
	for (size_t i = 0; i < e->arg_count; i++)
		if (is_costly(e->arg[i]))
			return true;
	return false;
}

static struct expr *replace_tree(struct arena *arena, struct expr *e, const struct expr *from, struct expr *to, int *count)
{
	if (expr_equal(e, from)) {
		++*count;
		return to;
	}
	int before = *count;
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = replace_tree(arena, e->arg[i], from, to, count);
	return *count == before ? e : copy;
}

/* The whole extent of index `name` in statement s, or NULL: no such index, or only a part of it. */
static const struct expr *whole_extent(const struct normal_stmt *s, const char *name)
{
	for (size_t i = 0; i < s->index_count; i++)
		if (!strcmp(s->index[i].name, name))
			return s->index[i].hi;
	for (size_t i = 0; i < s->value->range_count; i++)
		if (!strcmp(s->value->range[i].name, name))
			return s->value->range[i].lo->kind == EXPR_INT && !s->value->range[i].lo->int_value ? s->value->range[i].hi : NULL;
	return NULL;
}

/* Does tree `e` mean the same element in both statements, at indices of b? */
static bool means_the_same(const struct expr *e, const struct normal_stmt *a, const struct normal_stmt *b)
{
	if (e->kind == EXPR_NAME) {
		const struct expr *in_a = whole_extent(a, e->name), *in_b = whole_extent(b, e->name);
		bool is_index = in_a || in_b;
		for (size_t i = 0; i < a->value->range_count; i++)
			is_index |= !strcmp(a->value->range[i].name, e->name);
		if (is_index && !(in_a && in_b && expr_equal(in_a, in_b)))
			return false;
	}
	for (size_t i = 0; i < e->arg_count; i++)
		if (!means_the_same(e->arg[i], a, b))
			return false;
	return e->kind != EXPR_REDUCE;
}

/* The largest costly tree of e that later statement b also holds. */
static const struct expr *find_shared(const struct expr *e, const struct normal_stmt *a, const struct normal_stmt *b)
{
	struct arena scratch = ARENA_INIT;
	const struct expr *found = NULL;
	int count = 0;

	if (!is_costly(e))
		return NULL;
	if (b->value->kind == EXPR_REDUCE)
		replace_tree(&scratch, b->value->arg[0], e, b->value, &count);
	else
		replace_tree(&scratch, b->value, e, b->value, &count);
	arena_release(&scratch);
	if (count && means_the_same(e, a, b))
		return e;
	for (size_t i = 0; !found && i < e->arg_count; i++)
		found = find_shared(e->arg[i], a, b);
	return found;
}

/* Statement a and all later ones read the tree from a statement of its own, put before a. */
static void share(struct arena *arena, struct normal *n, size_t a, const struct expr *tree, int number)
{
	const struct normal_stmt from = n->stmt[a];
	struct normal_stmt *grown = ARENA_ARRAY(arena, struct normal_stmt, n->stmt_count + 1);
	struct normal_stmt made = { .name = arena_printf(arena, "shared%d_", number), .value = (struct expr *)tree, .kind = normal_kind(n, tree),
				    .tensor = -1 };
	size_t own = from.index_count, most = own + from.value->range_count;
	struct expr **index = ARENA_ARRAY(arena, struct expr *, most);
	int count = 0;

	made.index = ARENA_ARRAY(arena, struct expr_range, most);
	for (size_t i = 0; i < most; i++) {
		const struct expr_range *r = i < own ? &from.index[i] : &from.value->range[i - own];
		if (expr_uses(tree, r->name)) {
			index[made.index_count] = expr_name(arena, r->name);
			made.index[made.index_count++] = *r;
		}
	}
	struct expr *access = expr_access(arena, made.name, index, made.index_count);
	for (size_t b = a; b < n->stmt_count; b++)
		if (b == a || means_the_same(tree, &from, &n->stmt[b]))
			n->stmt[b].value = replace_tree(arena, n->stmt[b].value, tree, access, &count);
	memcpy(grown, n->stmt, a * sizeof(*grown));
	grown[a] = made;
	memcpy(grown + a + 1, n->stmt + a, (n->stmt_count - a) * sizeof(*grown));
	n->stmt = grown;
	n->stmt_count++;
}

void loops_share(struct arena *arena, struct normal *n)
{
	int number = 0;

	for (size_t a = 0; a < n->stmt_count; a++)
		for (size_t b = a + 1; b < n->stmt_count; b++) {
			const struct expr *e = n->stmt[a].value, *tree = NULL;
			if (e->kind == EXPR_REDUCE && !e->filter)
				tree = find_shared(e->arg[0], &n->stmt[a], &n->stmt[b]);
			if (tree && n->stmt[a].index_count + e->range_count <= 8) {
				share(arena, n, a, tree, ++number);
				a++;
				b++;
			}
		}
}
