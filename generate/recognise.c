#include "generate/lang.h"
#include "generate/recognise.h"

#include <string.h>

bool access_is_plain(const struct expr *access)
{
	for (size_t i = 0; i < access->arg_count; i++)
		if (access->arg[i]->kind != EXPR_NAME)
			return false;
	return access->kind == EXPR_ACCESS && !access->otherwise;
}

int access_position(const struct expr *access, const char *name)
{
	for (size_t i = 0; i < access->arg_count; i++)
		if (access->arg[i]->kind == EXPR_NAME && !strcmp(access->arg[i]->name, name))
			return (int)i;
	return -1;
}

bool may_run_ahead(const struct expr *e)
{
	bool may = e->kind != EXPR_REDUCE && !(e->kind == EXPR_BINARY && (e->op == OP_FLOORDIV || e->op == OP_MOD)) && !e->otherwise;

	for (size_t i = 0; i < e->arg_count && may; i++)
		may = may_run_ahead(e->arg[i]) && !(e->kind == EXPR_ACCESS && reads_any_tensor(e->arg[i]));
	return may;
}

bool reads_any_tensor(const struct expr *e)
{
	if (!e)
		return false;
	if (e->kind == EXPR_ACCESS)
		return true;
	for (size_t i = 0; i < e->arg_count; i++)
		if (reads_any_tensor(e->arg[i]))
			return true;
	return reads_any_tensor(e->filter);
}

bool calls_rounding(const struct expr *e)
{
	static const char *const exact[] = { "abs", "maximum", "minimum", "relu", "clamp", "floor", "ceil", "round", "trunc" };
	bool rounds = e->kind == EXPR_CALL;

	for (size_t i = 0; i < ARRAY_SIZE(exact) && rounds; i++)
		rounds = strcmp(e->name, exact[i]) != 0;
	for (size_t i = 0; i < e->arg_count && !rounds; i++)
		rounds = calls_rounding(e->arg[i]);
	return rounds;
}

void add_real_knob(struct arena *arena, struct space *space, const struct problem *problem, const struct target *target)
{
	if (target->warp <= 1 && dtype_is_real(problem->dtype) && problem->dtype != DTYPE_f64)
		add_choice(arena, space, "REAL", (const char *const[]){ "f32", "f64", NULL });
}

static bool is_static_dim(const struct op *op, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = op->static_dims ? op->static_dims : ""; (s = strstr(s, name)); s += n)
		if ((s == op->static_dims || s[-1] == ' ') && (!s[n] || s[n] == ' '))
			return true;
	return false;
}

void add_align_knob(struct arena *arena, struct space *space)
{
	const char *lang = space->knob_count > 1 ? space->knob[1].value[0] : "";

	if (lang_find(lang) && lang_find(lang)->has_tiles)
		add_knob(arena, space, "ALIGN", (const int[]){ 1, 8, -1 });
}

bool align_write(struct arena *arena, const struct problem *problem, const struct space *space, const struct point *point, struct strbuf *text,
		 struct strbuf *why_not)
{
	int64_t align = point_int(space, point, "ALIGN");
	const char *done[OP_MAX_TENSORS];
	int count = 0;

	for (int t = 0; align > 1 && t < OP_MAX_TENSORS && problem->op->tensor[t].name; t++) {
		struct expr *extent[OP_MAX_RANK];
		int rank = op_extents(arena, problem->op, problem->attr, t, extent, why_not);
		const struct expr *last = rank > 0 ? extent[rank - 1] : NULL;
		bool is_known = !last || last->kind != EXPR_NAME || is_static_dim(problem->op, last->name);
		for (int i = 0; i < count && !is_known; i++)
			is_known = !strcmp(done[i], last->name);
		if (is_known)
			continue;
		if (extent_value(problem, last) % align) {
			strbuf_addf(why_not, "ALIGN: '%s' is no multiple of %lld", last->name, (long long)align);
			return false;
		}
		strbuf_addf(text, "require %s %% %lld == 0\n", last->name, (long long)align);
		done[count++] = last->name;
	}
	if (align > 1 && !count)
		strbuf_addf(why_not, "ALIGN does nothing here");
	return align <= 1 || count > 0;
}

bool is_real_f64(const struct space *space, const struct point *point)
{
	const char *real = point_word(space, point, "REAL");
	return real && !strcmp(real, "f64");
}

bool range_is_static(const struct expr_range *range, const struct expr_range *outer, size_t outer_count)
{
	if (reads_any_tensor(range->lo) || reads_any_tensor(range->hi) || range->lo->kind != EXPR_INT || range->lo->int_value)
		return false;
	for (size_t i = 0; i < outer_count; i++)
		if (expr_uses(range->hi, outer[i].name))
			return false;
	return true;
}

const struct expr *find_access(const struct expr *e, const char *name)
{
	const struct expr *found = NULL;

	if (!e)
		return NULL;
	if (e->kind == EXPR_ACCESS && !strcmp(e->name, name))
		return e;
	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = find_access(e->arg[i], name);
	return found ? found : find_access(e->otherwise, name);
}

bool dim_is_one(const struct problem *problem, const struct expr *extent)
{
	return extent->kind == EXPR_NAME && op_dim_index(problem->op, extent->name) >= 0 && !op_dim_is_static(problem->op, extent->name) &&
	       extent_value(problem, extent) == 1;
}

const struct expr *with_ones(struct arena *arena, const struct problem *p, const struct expr *e)
{
	struct expr *x = (struct expr *)e;

	for (int d = 0; d < op_dim_count(p->op); d++)
		if (p->dim[d] == 1 && !op_dim_is_static(p->op, op_dim_name(p->op, d)))
			x = expr_replace_name(arena, x, op_dim_name(p->op, d), expr_int(arena, 1));
	return x;
}

/* A tensor's extents with attributes put in, comma-separated. */
static void write_extents(struct arena *arena, const struct problem *p, int t, bool ones, struct strbuf *text)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *extent[OP_MAX_RANK];
	int rank = op_extents(arena, p->op, p->attr, t, extent, &err);

	for (int i = 0; i < rank; i++) {
		strbuf_addstr(text, i ? ", " : "");
		expr_print(ones ? with_ones(arena, p, extent[i]) : extent[i], text);
	}
	strbuf_release(&err);
}

const char *tile_real(const struct problem *problem)
{
	return dtype_name(problem->dtype == DTYPE_f64 ? DTYPE_f64 : DTYPE_f32);
}

void write_head(struct arena *arena, const struct problem *p, struct strbuf *text)
{
	write_head_of(arena, p, (const char *const[OP_MAX_TENSORS]){ NULL }, text);
}

void write_head_of(struct arena *arena, const struct problem *p, const char *const *extents, struct strbuf *text)
{
	const struct op *op = p->op;

	strbuf_addf(text, "plan %s\ndim", op->name);
	for (int i = 0; i < op_dim_count(op); i++) {
		const char *name = op_dim_name(op, i);
		strbuf_addf(text, " %s", name);
		if (op_dim_is_static(op, name))
			strbuf_addf(text, "=%lld", (long long)p->dim[i]);
	}
	strbuf_addch(text, '\n');
	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		strbuf_addf(text, "buffer %s %s [", op->tensor[t].name, dtype_name(problem_tensor_dtype(p, t)));
		if (extents[t])
			strbuf_addstr(text, extents[t]);
		else
			write_extents(arena, p, t, false, text);
		strbuf_addf(text, "] %s\n", op->tensor[t].role == OP_IN ? "in" : "out");
	}
}

void write_head_of_ones(struct arena *arena, const struct problem *p, struct strbuf *text)
{
	const char *extents[OP_MAX_TENSORS] = { NULL };
	const struct op *op = p->op;

	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		struct strbuf of_ones = STRBUF_INIT;
		write_extents(arena, p, t, true, &of_ones);
		extents[t] = arena_strdup(arena, of_ones.buf);
		strbuf_release(&of_ones);
	}
	write_head_of(arena, p, extents, text);
	for (int i = 0; i < op_dim_count(op); i++)
		if (p->dim[i] == 1 && !op_dim_is_static(op, op_dim_name(op, i)))
			strbuf_addf(text, "require %s == 1\n", op_dim_name(op, i));
}

const struct expr *expr_mapped(struct arena *arena, const struct expr *e, const char *const *mapping)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *x = (struct expr *)e;
	int n = 0;

	/* Through marks, so that a replacement may hold a name that is replaced too. */
	for (const char *const *m = mapping; m && *m; m += 2)
		x = expr_replace_name(arena, x, m[0], expr_name(arena, arena_printf(arena, "%%%d", n++)));
	n = 0;
	for (const char *const *m = mapping; m && *m; m += 2) {
		struct expr *with;
		if (expr_parse(arena, m[1], "mapping", EXPR_TILE, &with, &err))
			break;
		x = expr_replace_name(arena, x, arena_printf(arena, "%%%d", n++), with);
	}
	strbuf_release(&err);
	return x;
}

const char *expr_text(struct arena *arena, const struct expr *e, const char *const *mapping)
{
	struct strbuf text = STRBUF_INIT;

	expr_print(expr_mapped(arena, e, mapping), &text);
	const char *kept = arena_strdup(arena, text.buf);
	strbuf_release(&text);
	return kept;
}

int64_t extent_value(const struct problem *problem, const struct expr *extent)
{
	struct strbuf err = STRBUF_INIT;
	int64_t value = -1;

	if (expr_int_value(extent, problem->binding, problem->binding_count, &value, &err))
		value = -1;
	strbuf_release(&err);
	return value;
}

bool indices_are_short(const struct problem *problem)
{
	const struct op *op = problem->op;

	for (int d = 0; d < op_dim_count(op); d++)
		if (problem->dim[d] > TILE_MOST_SHORT)
			return false;
	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++)
		if (problem_elems(problem, t) > TILE_MOST_SHORT || (op->tensor[t].role != OP_OUT && !dtype_is_real(problem_tensor_dtype(problem, t))))
			return false;
	return true;
}

void add_choice(struct arena *arena, struct space *space, const char *name, const char *const *values)
{
	struct space_knob *k = &space->knob[space->knob_count++];

	k->name = name;
	k->value_count = 0;
	while (values[k->value_count])
		k->value_count++;
	k->value = ARENA_ARRAY(arena, const char *, k->value_count);
	memcpy(k->value, values, k->value_count * sizeof(*values));
}

void start_knob(struct space *space, const char *name, const char *value)
{
	space->has_start = true;
	for (size_t k = 0; k < space->knob_count; k++)
		for (size_t v = 0; v < space->knob[k].value_count && !strcmp(space->knob[k].name, name); v++)
			if (!strcmp(space->knob[k].value[v], value))
				space->knob[k].start = (int16_t)v;
}

void add_knob(struct arena *arena, struct space *space, const char *name, const int *values)
{
	const char *word[32];
	size_t n = 0;

	for (; values[n] >= 0 && n < 31; n++)
		word[n] = arena_printf(arena, "%d", values[n]);
	word[n] = NULL;
	add_choice(arena, space, name, word);
}

bool sum_is_mapped(const struct normal *normal, const char *skeleton, struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];

	for (size_t i = 1; i < normal->stmt_count; i++) {
		const struct normal_stmt *t = &normal->stmt[i];
		bool same = t->value->kind != EXPR_REDUCE && t->index_count == s->index_count && t->tensor >= 0;
		for (size_t k = 0; same && k < s->index_count; k++)
			same = !strcmp(t->index[k].name, s->index[k].name);
		if (!same) {
			strbuf_addf(why_not, "%s: '%s' is no map of the sum", skeleton, t->name);
			return false;
		}
	}
	if (normal->stmt_count > 2 || (normal->stmt_count == 2 && s->tensor >= 0)) {
		strbuf_addf(why_not, "%s: more than one output", skeleton);
		return false;
	}
	return true;
}

const struct expr *sum_stored(struct arena *arena, const struct normal *normal)
{
	const struct normal_stmt *sum = &normal->stmt[0], *last = &normal->stmt[normal->stmt_count - 1];
	const struct expr *access = last == sum ? NULL : find_access(last->value, sum->name), *value = last->value;
	struct strbuf text = STRBUF_INIT, from = STRBUF_INIT, err = STRBUF_INIT;
	struct expr *parsed;

	/* Every read of the sum is at the same indices. */
	if (last == sum)
		strbuf_addstr(&text, "_acc[local_i, local_j]");
	else
		expr_print(value, &text);
	if (access) {
		expr_print(access, &from);
		strbuf_replace(&text, from.buf, "_acc[local_i, local_j]");
	}
	if (!expr_parse(arena, text.buf, "epilogue", EXPR_TILE, &parsed, &err))
		value = parsed;
	strbuf_release(&text);
	strbuf_release(&from);
	strbuf_release(&err);
	return value;
}
