#include "ops/core/loops_head.h"
#include "ops/core/loops_print.h"

#include <string.h>

static bool same_range(const struct expr_range *a, const struct expr_range *b)
{
	return !strcmp(a->name, b->name) && expr_equal(a->hi, b->hi);
}

/* Does e read `name` only at positions that begin with the group's indices? */
static bool reads_at_prefix(const struct expr *e, const char *name, const struct expr_range *index, size_t prefix)
{
	if (!e)
		return true;
	if (e->kind == EXPR_ACCESS && !strcmp(e->name, name))
		for (size_t i = 0; i < prefix; i++)
			if (i >= e->arg_count || e->arg[i]->kind != EXPR_NAME || strcmp(e->arg[i]->name, index[i].name))
				return false;
	for (size_t i = 0; i < e->arg_count; i++)
		if (!reads_at_prefix(e->arg[i], name, index, prefix))
			return false;
	for (size_t i = 0; i < e->range_count; i++) {
		if (!reads_at_prefix(e->range[i].lo, name, index, prefix) || !reads_at_prefix(e->range[i].hi, name, index, prefix))
			return false;
		/* A reduced index that shadows the prefix would change its meaning. */
		for (size_t k = 0; k < prefix; k++)
			if (!strcmp(e->range[i].name, index[k].name))
				return false;
	}
	return reads_at_prefix(e->otherwise, name, index, prefix) && reads_at_prefix(e->filter, name, index, prefix);
}

void loops_group(struct printer *p, size_t first)
{
	const struct normal_stmt *s = &p->normal.stmt[first];

	p->group_first = first;
	p->group_end = first + 1;
	p->prefix = loops_shareable(p, s);
	for (size_t k = first + 1; k < p->normal.stmt_count; k++) {
		const struct normal_stmt *t = &p->normal.stmt[k];
		size_t common = 0;
		while (common < p->prefix && common < loops_shareable(p, t) && same_range(&s->index[common], &t->index[common]))
			common++;
		bool fits = common > 0;
		for (size_t i = first; fits && i < k; i++)
			for (size_t j = i + 1; fits && j <= k; j++)
				fits = reads_at_prefix(p->normal.stmt[j].value, p->normal.stmt[i].name, s->index, common);
		if (!fits)
			break;
		p->prefix = common;
		p->group_end = k + 1;
	}
	/* Alone, a statement needs no shared loops; its own are the nest. */
	if (p->group_end == first + 1)
		p->prefix = 0;
}

/* Is the statement read after its group?  Then it must be a whole array. */
static bool is_used_later(const struct printer *p, const struct normal_stmt *s)
{
	for (size_t k = p->group_end; k < p->normal.stmt_count; k++) {
		if (expr_uses(p->normal.stmt[k].value, s->name))
			return true;
		for (size_t i = 0; i < p->normal.stmt[k].index_count; i++)
			if (expr_uses(p->normal.stmt[k].index[i].hi, s->name))
				return true;
	}
	return false;
}

static void declare(struct printer *p, const struct normal_stmt *s, size_t from)
{
	if (s->tensor >= 0)
		return;
	loops_line(p, "");
	if (s->index_count <= from) {
		strbuf_addf(p->out, "%s v_%s;\n", loops_type(s->kind), s->name);
		return;
	}
	if (!from)
		p->is_array[s - p->normal.stmt] = true;
	strbuf_addf(p->out, "%s *restrict v_%s = ", loops_type(s->kind), s->name);
	if (p->boxed && !from)
		strbuf_addf(p->out, "team_->share(team_, %zu, ", (size_t)(s - p->normal.stmt));
	else
		loops_add(p, "malloc(");
	strbuf_addf(p->out, "sizeof(%s) * (size_t)(1", loops_type(s->kind));
	for (size_t i = from; i < s->index_count; i++) {
		loops_add(p, " * ");
		loops_value(p, s->index[i].hi, KIND_INT);
	}
	loops_add(p, ") + 64);\n");
}

/*
 * Are all reads of `name` at positions that the loops over index[0..count) have
 * passed: equal up to some index, and smaller by a constant there?
 */
static bool reads_passed(const struct expr *e, const char *name, const struct expr_range *index, size_t count)
{
	bool good = true;

	if (!e)
		return true;
	if (e->kind == EXPR_NAME && !strcmp(e->name, name))
		return false;
	if (e->kind == EXPR_ACCESS && !strcmp(e->name, name)) {
		size_t i = 0;
		while (i < count && e->arg[i]->kind == EXPR_NAME && !strcmp(e->arg[i]->name, index[i].name))
			i++;
		const struct expr *x = i < count ? e->arg[i] : NULL;
		good = x && x->kind == EXPR_BINARY && x->op == OP_SUB && x->arg[0]->kind == EXPR_NAME &&
		       !strcmp(x->arg[0]->name, index[i].name) && x->arg[1]->kind == EXPR_INT && x->arg[1]->int_value > 0;
	}
	for (size_t i = 0; good && i < e->arg_count; i++)
		good = reads_passed(e->arg[i], name, index, count);
	return good && reads_passed(e->otherwise, name, index, count) && reads_passed(e->filter, name, index, count);
}

/* A statement that reads itself or a later one: only where the shared loops have passed. */
static bool is_in_order(struct printer *p)
{
	for (size_t k = p->group_first; k < p->group_end; k++) {
		const struct normal_stmt *s = &p->normal.stmt[k];
		for (size_t j = k; j < p->normal.stmt_count; j++) {
			const char *name = p->normal.stmt[j].name;
			bool alone = !p->prefix && j == k;
			if (!expr_uses(s->value, name))
				continue;
			if (j < p->group_end && reads_passed(s->value, name, s->index, alone ? s->index_count : p->prefix))
				continue;
			strbuf_addf(p->err, "%s: statement '%s' is a recurrence that loops are not printed for", p->problem->op->name, s->name);
			p->failed = true;
			return false;
		}
	}
	return true;
}

/* Does a statement of the group read itself or a later one? */
static bool is_recurrent(const struct printer *p)
{
	for (size_t k = p->group_first; k < p->group_end; k++)
		for (size_t j = k; j < p->normal.stmt_count; j++)
			if (expr_uses(p->normal.stmt[k].value, p->normal.stmt[j].name))
				return true;
	return false;
}

/*
 * Divides the outer loops of the group among the team's threads; where there are none to
 * divide, the first thread runs them all.  A lone number is worked out by every thread.
 */
static bool open_team(struct printer *p)
{
	const struct normal_stmt *first = &p->normal.stmt[p->group_first];

	p->divided = 0;
	if (!p->boxed || !first->index_count)
		return false;
	p->divided = is_recurrent(p) ? 0 : p->prefix ? p->prefix : loops_shareable(p, first);
	loops_line(p, "{\n");
	p->depth++;
	loops_line(p, "");
	strbuf_addf(p->out, "const int64_t divided_ = divided_of(box + %zu, %zu);\n", 2 * LOOPS_RANK * p->group_first, p->divided);
	loops_line(p, "if (divided_ >= 0 || !thread_) {\n");
	p->depth++;
	return true;
}

static void close_team(struct printer *p)
{
	loops_close(p, 2);
	loops_line(p, "team_->wait(team_);\n");
	p->divided = 0;
}

static void print_group(struct printer *p)
{
	const struct normal_stmt *stmt = p->normal.stmt;

	for (size_t k = p->group_first; k < p->group_end; k++)
		if (p->is_whole[k] || !p->prefix)
			declare(p, &stmt[k], 0);
		else if (stmt[k].index_count > p->prefix)
			declare(p, &stmt[k], p->prefix);
	bool is_team = open_team(p);
	for (size_t i = 0; i < p->prefix; i++)
		loops_open_index(p, &stmt[p->group_first], i);
	for (size_t k = p->group_first; k < p->group_end; k++) {
		if (p->prefix && stmt[k].index_count == p->prefix && !p->is_whole[k])
			declare(p, &stmt[k], p->prefix);
		loops_stmt(p, &stmt[k]);
	}
	loops_close(p, p->prefix);
	if (is_team)
		close_team(p);
	for (size_t k = p->group_first; k < p->group_end; k++)
		if (stmt[k].tensor < 0 && !p->is_array[k] && stmt[k].index_count > p->prefix) {
			loops_line(p, "");
			strbuf_addf(p->out, "free(v_%s);\n", stmt[k].name);
		}
}

static void print_groups(struct printer *p)
{
	for (size_t k = 0; k < p->normal.stmt_count; k++)
		for (size_t j = k; j < p->normal.stmt_count; j++)
			p->is_whole[j] |= expr_uses(p->normal.stmt[k].value, p->normal.stmt[j].name);
	for (size_t i = 0; i < p->normal.stmt_count; i = p->group_end) {
		loops_group(p, i);
		for (size_t k = i; k < p->group_end; k++)
			p->is_whole[k] |= is_used_later(p, &p->normal.stmt[k]);
		if (!is_in_order(p))
			return;
		print_group(p);
	}
	for (size_t i = 0; i < p->normal.stmt_count; i++)
		if (p->is_array[i] && !p->boxed) {
			loops_line(p, "");
			strbuf_addf(p->out, "free(v_%s);\n", p->normal.stmt[i].name);
		}
}

static void print_head(struct printer *p, struct arena *arena)
{
	bool native = p->arithmetic == LOOPS_NATIVE;

	loops_head(native, native && p->problem->dtype != DTYPE_f64, p->pairs, p->boxed, p->out);
	if (p->boxed)
		loops_boxed_head(p->out);
	loops_prelude(p, arena);
}

/* const int64_t M = dim[0]; const float *x = buf[0]; and its extents. */
static int print_arguments(struct printer *p, struct arena *arena)
{
	const struct op *op = p->problem->op;

	for (int i = 0; i < op_dim_count(op); i++)
		strbuf_addf(p->out, "\tconst int64_t %s = dim[%d]; (void)%s;\n", op_dim_name(op, i), i, op_dim_name(op, i));
	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		const struct op_tensor *x = &op->tensor[t];
		const char *type = p->arithmetic == LOOPS_DOUBLE && !(p->boxed && x->role == OP_IN) ? "double" : dtype_ctype(problem_tensor_dtype(p->problem, t));
		strbuf_addf(p->out, "\t%s%s *restrict %s = buf[%d];\n", x->role == OP_IN ? "const " : "", type, x->name, t);
		int rank = op_extents(arena, op, p->problem->attr, t, p->extent[t], p->err);
		if (rank < 0)
			return -1;
		for (int i = 0; i < rank; i++) {
			strbuf_addf(p->out, "\tconst int64_t extent%d_%d_ = ", t, i);
			loops_value(p, p->extent[t][i], KIND_INT);
			strbuf_addf(p->out, "; (void)extent%d_%d_;\n", t, i);
		}
	}
	return 0;
}

/* e with reads of `name` turned into reads of `other`. */
static struct expr *renamed(struct arena *arena, const struct expr *e, const char *name, const char *other)
{
	if (!e)
		return NULL;
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	if ((e->kind == EXPR_NAME || e->kind == EXPR_ACCESS) && !strcmp(e->name, name))
		copy->name = other;
	copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = renamed(arena, e->arg[i], name, other);
	copy->range = ARENA_ARRAY(arena, struct expr_range, e->range_count + 1);
	for (size_t i = 0; i < e->range_count; i++)
		copy->range[i] = (struct expr_range){ e->range[i].name, renamed(arena, e->range[i].lo, name, other), renamed(arena, e->range[i].hi, name, other) };
	copy->filter = renamed(arena, e->filter, name, other);
	copy->otherwise = renamed(arena, e->otherwise, name, other);
	return copy;
}

/*
 * An output's memory receives magnitudes, or values rounded to a narrow dtype: what later
 * statements read of it must be kept apart, and the output is copied from there.
 */
static void keep_read_outputs(struct arena *arena, struct normal *n)
{
	struct normal_stmt *grown = ARENA_ARRAY(arena, struct normal_stmt, 2 * n->stmt_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < n->stmt_count; i++) {
		struct normal_stmt s = n->stmt[i];
		bool is_read = false;
		for (size_t k = 0; k < n->stmt_count; k++)
			is_read |= expr_uses(n->stmt[k].value, s.name);
		if (s.tensor < 0 || !is_read) {
			grown[count++] = s;
			continue;
		}
		const char *other = arena_printf(arena, "%s_value_", s.name);
		for (size_t k = 0; k < n->stmt_count; k++)
			n->stmt[k].value = renamed(arena, n->stmt[k].value, s.name, other);
		for (size_t k = 0; k < count; k++)
			grown[k].value = renamed(arena, grown[k].value, s.name, other);
		struct expr **index = ARENA_ARRAY(arena, struct expr *, s.index_count + 1);
		for (size_t k = 0; k < s.index_count; k++)
			index[k] = expr_name(arena, s.index[k].name);
		struct normal_stmt kept = n->stmt[i];
		kept.name = other;
		kept.tensor = -1;
		s.value = s.index_count ? expr_access(arena, other, index, s.index_count) : expr_name(arena, other);
		grown[count++] = kept;
		grown[count++] = s;
	}
	n->stmt = grown;
	n->stmt_count = count;
}

int loops_prepare(struct printer *p, struct arena *arena)
{
	const struct problem *problem = p->problem;
	struct normal *n = &p->normal;

	if (normal_form(arena, problem->op, problem->dtype, problem->attr, n, p->err))
		return -1;
	if (p->pairs || (p->arithmetic == LOOPS_NATIVE && dtype_bytes(problem->dtype) < sizeof(float)))
		keep_read_outputs(arena, n);
	if (p->arithmetic == LOOPS_NATIVE)
		loops_share(arena, n);
	if (p->boxed)
		loops_factor(arena, n);
	p->is_array = ARENA_ARRAY(arena, bool, n->stmt_count + 1);
	p->is_whole = ARENA_ARRAY(arena, bool, n->stmt_count + 1);
	return 0;
}

static int print_function(struct printer *p, const char *symbol)
{
	struct arena arena = ARENA_INIT;
	int ret = -1;

	if (loops_prepare(p, &arena))
		goto out;
	print_head(p, &arena);
	strbuf_addf(p->out, "void %s(void *const *buf, const int64_t *dim%s)\n{\n", symbol, p->boxed ? ", const int64_t *box, struct loops_team *team_" : "");
	if (p->boxed)
		loops_add(p, "\tconst int64_t thread_ = team_->thread, threads_ = team_->threads; (void)thread_, (void)threads_;\n");
	if (print_arguments(p, &arena))
		goto out;
	print_groups(p);
	loops_add(p, "}\n");
	ret = p->failed ? -1 : 0;
	if (p->failed && !p->err->len)
		strbuf_addf(p->err, "%s: the normal form holds a construct loops cannot print", p->problem->op->name);
out:
	arena_release(&arena);
	return ret;
}

int loops_print(const struct problem *problem, enum loops_arithmetic arithmetic, bool magnitude,
		const char *symbol, struct strbuf *out, struct strbuf *err)
{
	struct printer p = { .problem = problem, .arithmetic = arithmetic, .pairs = magnitude, .out = out, .depth = 1, .err = err };

	return print_function(&p, symbol);
}

int loops_print_boxed(const struct problem *problem, const char *symbol, struct strbuf *out, struct strbuf *err)
{
	struct printer p = { .problem = problem, .arithmetic = LOOPS_DOUBLE, .boxed = true, .pairs = true, .out = out, .depth = 1, .err = err };

	return print_function(&p, symbol);
}
