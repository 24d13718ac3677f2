#include "generate/vocabulary.h"
#include "ops/core/expr.h"

#include <string.h>

/* Written by hand in vector_c.c and simt_vocabulary.c. */
static const char *const names[] = { "maximum", "minimum", "abs", "sqrt", "rsqrt", "floor", "ceil", "trunc", "round", "exp", "exp2", "erf", "log", "log1p", "sigmoid", "tanh", "sin", "cos" };

static bool is_own(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool has_its_own(const struct vocabulary_style *style, const char *name)
{
	for (const char *const *own = style->own; own && *own; own++)
		if (!strcmp(*own, name))
			return true;
	return false;
}

static bool can_define(const struct expr *e)
{
	if (e->kind == EXPR_CALL && !vocabulary_has(e->name))
		return false;
	for (size_t i = 0; i < e->arg_count; i++)
		if (!can_define(e->arg[i]))
			return false;
	return e->kind != EXPR_REDUCE && e->kind != EXPR_ACCESS;
}

bool vocabulary_has(const char *name)
{
	const struct function *f = function_find(name);
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct expr *e;

	if (is_own(name))
		return true;
	if (!f || !f->definition)
		return false;
	bool has = !expr_parse(&arena, f->definition, name, EXPR_BODY, &e, &err) && can_define(e);
	arena_release(&arena);
	strbuf_release(&err);
	return has;
}

static bool is_double(const struct vocabulary_style *style)
{
	return !strcmp(style->type, "double");
}

static void print_definition(const struct vocabulary_style *style, const struct expr *e, struct strbuf *out)
{
	switch (e->kind) {
	case EXPR_INT:
		strbuf_addf(out, is_double(style) ? "%lld.0" : "%lld.0f", (long long)e->int_value);
		break;
	case EXPR_REAL:
		strbuf_addf(out, is_double(style) ? "%.17e" : "%.9ef", e->real_value);
		break;
	case EXPR_NAME:
		strbuf_addstr(out, e->name);
		break;
	case EXPR_NEG:
		strbuf_addstr(out, "(-");
		print_definition(style, e->arg[0], out);
		strbuf_addch(out, ')');
		break;
	case EXPR_BINARY:
		strbuf_addch(out, '(');
		print_definition(style, e->arg[0], out);
		strbuf_addf(out, " %s ", expr_op_text(e->op));
		print_definition(style, e->arg[1], out);
		strbuf_addch(out, ')');
		break;
	case EXPR_SELECT:
		strbuf_addch(out, '(');
		print_definition(style, e->arg[0], out);
		strbuf_addstr(out, " ? ");
		print_definition(style, e->arg[1], out);
		strbuf_addstr(out, " : ");
		print_definition(style, e->arg[2], out);
		strbuf_addch(out, ')');
		break;
	default:
		if (style->has_number && e->arg_count == 2 && (e->arg[1]->kind == EXPR_INT || e->arg[1]->kind == EXPR_REAL) &&
		    style->has_number(e->name)) {
			strbuf_addf(out, "km_%s_number(", e->name);
			print_definition(style, e->arg[0], out);
			strbuf_addstr(out, ", ");
			print_definition(style, e->arg[1], out);
			strbuf_addch(out, ')');
			break;
		}
		strbuf_addf(out, "km_%s(", e->name);
		for (size_t i = 0; i < e->arg_count; i++) {
			if (i)
				strbuf_addstr(out, ", ");
			if (style->converts)
				strbuf_addf(out, "(%s)(", style->type);
			print_definition(style, e->arg[i], out);
			if (style->converts)
				strbuf_addch(out, ')');
		}
		strbuf_addch(out, ')');
	}
}

void vocabulary_print(const struct vocabulary_style *style, struct strbuf *out)
{
	for (const struct function *f = function_table; f->name; f++) {
		struct arena arena = ARENA_INIT;
		struct strbuf err = STRBUF_INIT;
		struct expr *e;
		if (f->definition && !is_own(f->name) && !has_its_own(style, f->name) && vocabulary_has(f->name) && !expr_parse(&arena, f->definition, f->name, EXPR_BODY, &e, &err)) {
			strbuf_addf(out, "%s %s km_%s(", style->qualifier, style->type, f->name);
			for (const char *s = f->params; *s; s += strspn(s, " ")) {
				size_t n = strcspn(s, " ");
				strbuf_addf(out, "%s%s %.*s", s == f->params ? "" : ", ", style->type, (int)n, s);
				s += n;
			}
			strbuf_addstr(out, ") { return ");
			print_definition(style, e, out);
			strbuf_addstr(out, "; }\n");
		}
		arena_release(&arena);
		strbuf_release(&err);
	}
}
