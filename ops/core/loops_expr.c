#include "ops/core/loops_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void loops_add(struct printer *p, const char *text)
{
	strbuf_addstr(p->out, text);
}

bool loops_is_local(const struct printer *p, const struct normal_stmt *s)
{
	size_t i = (size_t)(s - p->normal.stmt);
	return i >= p->group_first && i < p->group_end && s->tensor < 0 && !p->is_whole[i];
}

void loops_line(struct printer *p, const char *text)
{
	for (int i = 0; i < p->depth; i++)
		loops_add(p, "\t");
	loops_add(p, text);
}

const char *loops_type(enum kind kind)
{
	return kind == KIND_REAL ? "num" : "int64_t";
}

/* Flat position of args[from..count) over extents that `extent` prints. */
void loops_flat(struct printer *p, struct expr *const *arg, const struct expr_range *index,
		       size_t from, size_t count, int tensor)
{
	if (from == count) {
		loops_add(p, "0");
		return;
	}
	for (size_t i = from; i + 1 < count; i++)
		loops_add(p, "(");
	for (size_t i = from; i < count; i++) {
		if (i > from) {
			loops_add(p, " * ");
			if (tensor >= 0)
				strbuf_addf(p->out, "extent%d_%zu_", tensor, i);
			else
				loops_value(p, index[i].hi, KIND_INT);
			loops_add(p, " + ");
		}
		loops_value(p, arg[i], KIND_INT);
		if (i > from)
			loops_add(p, ")");
	}
}

void loops_load(struct printer *p, const struct expr *e)
{
	const struct normal_stmt *s = normal_find(&p->normal, e->name);
	int t = s ? s->tensor : op_tensor_index(p->problem->op, e->name);

	if (s && loops_is_local(p, s)) {
		if (s->index_count == p->prefix) {
			strbuf_addf(p->out, "v_%s", e->name);
		} else {
			strbuf_addf(p->out, "v_%s[", e->name);
			loops_flat(p, e->arg, s->index, p->prefix, e->arg_count, -1);
			loops_add(p, "]");
		}
	} else if (t >= 0) {
		bool is_stored = p->boxed && p->problem->op->tensor[t].role == OP_IN;
		strbuf_addf(p->out, "%s_%s(%s, ", is_stored ? "input" : "load", dtype_name(problem_tensor_dtype(p->problem, t)), e->name);
		loops_flat(p, e->arg, NULL, 0, e->arg_count, t);
		loops_add(p, ")");
	} else if (s && !s->index_count) {
		strbuf_addf(p->out, "v_%s", e->name);
	} else {
		strbuf_addf(p->out, "v_%s[", e->name);
		loops_flat(p, e->arg, s->index, 0, e->arg_count, -1);
		loops_add(p, "]");
	}
}

/* Is `e` an index of the loops at hand that runs over 0..extent? */
static bool is_inside(const struct printer *p, const struct expr *e, const struct expr *extent)
{
	const struct normal_stmt *s = p->stmt;

	for (size_t i = 0; s && e->kind == EXPR_NAME && i < s->index_count; i++)
		if (!strcmp(s->index[i].name, e->name))
			return expr_equal(s->index[i].hi, extent);
	for (size_t i = 0; s && e->kind == EXPR_NAME && i < s->value->range_count; i++) {
		const struct expr_range *r = &s->value->range[i];
		if (!strcmp(r->name, e->name))
			return r->lo->kind == EXPR_INT && r->lo->int_value >= 0 && expr_equal(r->hi, extent);
	}
	return false;
}

static void print_access(struct printer *p, const struct expr *e, enum kind kind)
{
	const struct normal_stmt *s = normal_find(&p->normal, e->name);
	int t = op_tensor_index(p->problem->op, e->name);
	int checks = 0;

	if (!e->otherwise) {
		loops_load(p, e);
		return;
	}
	loops_add(p, "(");
	for (size_t i = 0; i < e->arg_count; i++) {
		if (is_inside(p, e->arg[i], t >= 0 ? p->extent[t][i] : s->index[i].hi))
			continue;
		loops_add(p, checks++ ? " && (uint64_t)(" : "(uint64_t)(");
		loops_value(p, e->arg[i], KIND_INT);
		loops_add(p, ") < (uint64_t)(");
		if (t >= 0)
			strbuf_addf(p->out, "extent%d_%zu_", t, i);
		else
			loops_value(p, s->index[i].hi, KIND_INT);
		loops_add(p, ")");
	}
	loops_add(p, checks ? " ? " : "1 ? ");
	struct expr inside = *e;
	inside.otherwise = NULL;
	loops_value(p, &inside, kind);
	loops_add(p, " : ");
	loops_value(p, e->otherwise, kind);
	loops_add(p, ")");
}

static void print_two(struct printer *p, const char *function, const struct expr *e, enum kind kind)
{
	strbuf_addf(p->out, "%s(", function);
	for (size_t i = 0; i < e->arg_count; i++) {
		if (i)
			loops_add(p, ", ");
		loops_value(p, e->arg[i], kind);
	}
	loops_add(p, ")");
}

static void print_binary(struct printer *p, const struct expr *e)
{
	static const char *const pair_function[] = { "p_add", "p_sub", "p_mul", "p_div" };
	enum kind a = normal_kind(&p->normal, e->arg[0]), b = normal_kind(&p->normal, e->arg[1]);
	enum kind kind = e->op == OP_DIV || a == KIND_REAL || b == KIND_REAL ? KIND_REAL : KIND_INT;

	if (e->op == OP_FLOORDIV || e->op == OP_MOD) {
		print_two(p, kind == KIND_INT ? (e->op == OP_MOD ? "i_mod" : "i_div") : (e->op == OP_MOD ? "f_mod" : "f_div"), e, kind);
		return;
	}
	if (p->pairs && kind == KIND_REAL && e->op <= OP_DIV) {
		print_two(p, pair_function[e->op], e, KIND_REAL);
		return;
	}
	bool value_of = p->pairs && kind == KIND_REAL && e->op < OP_AND;
	loops_add(p, "(");
	loops_value(p, e->arg[0], e->op >= OP_AND ? KIND_BOOL : kind);
	strbuf_addf(p->out, "%s %s ", value_of ? ".v" : "", expr_op_text(e->op));
	loops_value(p, e->arg[1], e->op >= OP_AND ? KIND_BOOL : kind);
	loops_add(p, value_of ? ".v)" : ")");
}

static void print_number(struct printer *p, double v)
{
	bool is_float = p->arithmetic == LOOPS_NATIVE && p->problem->dtype != DTYPE_f64;

	char text[40];

	if (isinf(v)) {
		loops_add(p, v < 0 ? "(-INFINITY)" : "INFINITY");
		return;
	}
	snprintf(text, sizeof(text), "%.17g", v);
	strbuf_addf(p->out, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0", is_float ? "f" : "");
}

/* Functions whose arguments are integers whatever they are given. */
static bool takes_integers(const char *name)
{
	static const char *const list[] = { "philox", "uniform", "bit_and", "bit_or", "bit_xor", "bit_not", "shl", "shr" };

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* i_NAME of integers, f_NAME of reals, t_NAME from real to integer. */
static void print_call(struct printer *p, const struct expr *e, enum kind kind)
{
	bool all_int = takes_integers(e->name), gives_int = kind != KIND_REAL;

	if (gives_int && !all_int) {
		all_int = true;
		for (size_t i = 0; i < e->arg_count; i++)
			all_int &= normal_kind(&p->normal, e->arg[i]) != KIND_REAL;
	}
	strbuf_addf(p->out, "%s_%s", !gives_int ? "f" : all_int ? "i" : "t", e->name);
	print_two(p, "", e, all_int ? KIND_INT : KIND_REAL);
}

static void print_bare(struct printer *p, const struct expr *e, enum kind kind)
{
	switch (e->kind) {
	case EXPR_INT:
		strbuf_addf(p->out, "INT64_C(%lld)", (long long)e->int_value);
		break;
	case EXPR_REAL:
		if (p->pairs)
			loops_add(p, "p_of(");
		print_number(p, e->real_value);
		if (p->pairs)
			loops_add(p, ")");
		break;
	case EXPR_NAME:
		if (normal_find(&p->normal, e->name) || op_tensor_index(p->problem->op, e->name) >= 0)
			loops_load(p, e);
		else
			loops_add(p, e->name);
		break;
	case EXPR_ACCESS:
		print_access(p, e, kind);
		break;
	case EXPR_NEG:
		loops_add(p, p->pairs && kind == KIND_REAL ? "p_neg(" : "(-");
		loops_value(p, e->arg[0], kind);
		loops_add(p, ")");
		break;
	case EXPR_BINARY:
		print_binary(p, e);
		break;
	case EXPR_SELECT:
		loops_add(p, "(");
		loops_value(p, e->arg[0], KIND_BOOL);
		loops_add(p, " ? ");
		loops_value(p, e->arg[1], kind);
		loops_add(p, " : ");
		loops_value(p, e->arg[2], kind);
		loops_add(p, ")");
		break;
	case EXPR_CALL:
		print_call(p, e, kind);
		break;
	case EXPR_REDUCE:
		p->failed = true;
		break;
	}
}

void loops_value(struct printer *p, const struct expr *e, enum kind want)
{
	enum kind kind = normal_kind(&p->normal, e);

	if (want == KIND_REAL && kind != KIND_REAL) {
		if (e->kind == EXPR_INT && !p->pairs) {
			print_number(p, (double)e->int_value);
			return;
		}
		loops_add(p, p->pairs ? "p_of((double)(" : "(real)(");
		print_bare(p, e, kind);
		loops_add(p, p->pairs ? "))" : ")");
	} else if (want == KIND_BOOL && kind == KIND_REAL) {
		loops_add(p, "(");
		print_bare(p, e, kind);
		loops_add(p, p->pairs ? ".v != 0)" : " != 0)");
	} else {
		print_bare(p, e, kind);
	}
}


/* The prelude, printed from its definitions: parameters are scalars v_x, v_a, ... */
void loops_prelude(struct printer *p, struct arena *arena)
{
	struct normal saved = p->normal;

	for (const struct function *f = function_table; f->name; f++) {
		struct normal_stmt param[3] = { { 0 } };
		struct expr *definition;
		size_t count = 0;
		if (!f->definition)
			continue;
		strbuf_addf(p->out, "inline_ num f_%s(", f->name);
		enum kind kind = takes_integers(f->name) ? KIND_INT : KIND_REAL;
		for (const char *s = f->params; *s; s += strspn(s, " ")) {
			size_t n = strcspn(s, " ");
			param[count] = (struct normal_stmt){ .name = arena_strndup(arena, s, n), .kind = kind, .tensor = -1 };
			strbuf_addf(p->out, "%s%s v_%s", count ? ", " : "", loops_type(kind), param[count].name);
			count++;
			s += n;
		}
		if (expr_parse(arena, f->definition, f->name, EXPR_BODY, &definition, p->err)) {
			p->failed = true;
			return;
		}
		p->normal.stmt = param;
		p->normal.stmt_count = count;
		loops_add(p, ") { return ");
		loops_value(p, definition, KIND_REAL);
		loops_add(p, "; }\n");
		p->normal = saved;
	}
}
