/* Whole numbers of printed C: integers and truths, in longs, exactly. */
#include "generate/emit_c.h"

#include <string.h>

/* Functions of integers, and the C that does them. */
static const struct {
	const char *name, *c;
	bool converts; /* from a real too */
} functions[] = {
	{ "minimum", "km_min", false }, { "maximum", "km_max", false }, { "cdiv", "km_cdiv", false }, { "rup", "km_rup", false },
	{ "bit_and", "km_and", false }, { "bit_or", "km_or", false }, { "bit_xor", "km_xor", false }, { "shl", "km_shl", false },
	{ "shr", "km_shr", false }, { "abs", "km_labs", false }, { "philox", "km_philox", false }, { "bit_not", "~", false }, { "i64", "(km_i64)", true },
	{ "i32", "(km_i32)", true }, { "i16", "(km_i16)", true }, { "i8", "(km_i8)", true }, { "u8", "(km_u8)", true },
};

static int function_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].name, name))
			return (int)i;
	return -1;
}

bool emit_is_truth(const struct expr *x)
{
	return x->kind == EXPR_BINARY && x->op >= OP_EQ && x->op <= OP_OR;
}

static bool is_stored(const struct emitter *e, const char *name)
{
	return emit_tile(e, name) || emit_buffer(e, name);
}

const struct expr *emit_definition(struct emitter *e, const struct expr *x)
{
	const struct function *f = function_find(x->name);
	struct expr *body;
	size_t i = 0;

	if (!f || !f->definition || expr_parse(&e->arena, f->definition, f->name, EXPR_BODY, &body, e->err))
		return NULL;
	for (const char *s = f->params; *s && i < x->arg_count; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");
		body = expr_replace_name(&e->arena, body, arena_strndup(&e->arena, s, n), x->arg[i++]);
		s += n;
	}
	return body;
}

static bool all_whole(struct emitter *e, const struct expr *x)
{
	for (size_t i = 0; i < x->arg_count; i++)
		if (!emit_is_whole(e, x->arg[i]))
			return false;
	return true;
}

bool emit_is_whole(struct emitter *e, const struct expr *x)
{
	enum dtype d;
	int f;

	switch (x->kind) {
	case EXPR_INT: return true;
	case EXPR_NAME:
		return !is_stored(e, x->name) || (emit_dtype(e, x->name, &d) && !dtype_is_real(d));
	case EXPR_ACCESS:
		return emit_dtype(e, emit_through_view(e, x)->name, &d) && !dtype_is_real(d) && (!x->otherwise || emit_is_whole(e, x->otherwise));
	case EXPR_NEG: return emit_is_whole(e, x->arg[0]);
	case EXPR_BINARY: return emit_is_truth(x) || (x->op != OP_DIV && all_whole(e, x));
	case EXPR_SELECT: return emit_is_whole(e, x->arg[1]) && emit_is_whole(e, x->arg[2]);
	case EXPR_REDUCE: return (x->op > OP_MIN && x->op != OP_SCAN && x->op != OP_MMA) || (x->op <= OP_MIN && emit_is_whole(e, x->arg[0]));
	case EXPR_CALL:
		f = function_of(x->name);
		if (!strcmp(x->name, "bool") || (f >= 0 && functions[f].converts))
			return true;
		if (f >= 0)
			return all_whole(e, x);
		const struct expr *definition = emit_definition(e, x);
		return definition && emit_is_whole(e, definition);
	default: return false;
	}
}

static const char *load(struct emitter *e, const struct expr *access)
{
	const struct expr *x = emit_through_view(e, access);
	const struct expr *otherwise = access->otherwise ? access->otherwise : x->otherwise;
	const char *condition, *mask;
	enum dtype d;

	if (!emit_dtype(e, x->name, &d))
		return "0";
	emit_guards(e, x, &condition, &mask);
	const char *value = emit_text(e, "(long)*(%s)", emit_pointer(e, x));
	if (*condition)
		value = emit_text(e, "(%s ? %s : %s)", condition, value, otherwise ? emit_whole(e, otherwise) : "0");
	return value;
}

bool emit_is_bool(struct emitter *e, const struct expr *x)
{
	enum dtype d;

	if (x->kind == EXPR_ACCESS || (x->kind == EXPR_NAME && is_stored(e, x->name)))
		return emit_dtype(e, emit_through_view(e, x)->name, &d) && d == DTYPE_bool;
	return emit_is_truth(x) || (x->kind == EXPR_CALL && !strcmp(x->name, "bool"));
}

static const char *call(struct emitter *e, const struct expr *x)
{
	int f = function_of(x->name);

	if (!strcmp(x->name, "bool"))
		return emit_text(e, "(long)%s", emit_truth(e, x->arg[0], false));
	if (f < 0) {
		const struct expr *definition = emit_definition(e, x);
		if (!definition)
			emit_fail(e, "'%s' is no function of integers", x->name);
		return definition ? emit_whole(e, definition) : "0";
	}
	if (!strcmp(x->name, "bit_not") && emit_is_bool(e, x->arg[0]))
		return emit_text(e, "(long)!%s", emit_truth(e, x->arg[0], false));
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < x->arg_count; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "", emit_is_whole(e, x->arg[i]) ? emit_whole(e, x->arg[i]) : emit_text(e, "km_long(%s)", emit_real(e, x->arg[i], false)));
	const char *kept = emit_text(e, "(long)%s(%s)", functions[f].c, text.buf);
	strbuf_release(&text);
	return kept;
}

const char *emit_whole(struct emitter *e, const struct expr *x)
{
	struct expr access;

	switch (x->kind) {
	case EXPR_INT:
		return emit_text(e, "%lldL", (long long)x->int_value);
	case EXPR_NAME:
		if (is_stored(e, x->name)) {
			access = *x;
			access.kind = EXPR_ACCESS;
			return load(e, &access);
		}
		return emit_text(e, e->is_short ? "(long)(%s)" : "(%s)", emit_int(e, emit_here(e, x)));
	case EXPR_ACCESS:
		return load(e, x);
	case EXPR_NEG:
		return emit_text(e, "(long)-(unsigned long)%s", emit_whole(e, x->arg[0]));
	case EXPR_SELECT:
		return emit_text(e, "(%s ? %s : %s)", emit_truth(e, x->arg[0], false), emit_whole(e, x->arg[1]), emit_whole(e, x->arg[2]));
	case EXPR_CALL:
		return call(e, x);
	case EXPR_BINARY:
		if (emit_is_truth(x))
			return emit_text(e, "(long)%s", emit_truth(e, x, false));
		if (emit_is_divided_once(e, x))
			return emit_text(e, "(long)%s", emit_int(e, x));
		if (x->op == OP_FLOORDIV || x->op == OP_MOD)
			return emit_text(e, "%s(%s, %s)", x->op == OP_MOD ? "km_fmod" : "km_fdiv", emit_whole(e, x->arg[0]), emit_whole(e, x->arg[1]));
		/* Whole numbers wrap, which C's signed ones do not. */
		return emit_text(e, "(long)((unsigned long)%s %s (unsigned long)%s)", emit_whole(e, x->arg[0]), expr_op_text(x->op), emit_whole(e, x->arg[1]));
	case EXPR_REDUCE:
		for (int i = 0; i < e->reduction_count; i++)
			if (e->reduction[i] == x)
				return emit_text(e, "(long)km_q%d", i);
		emit_fail(e, "'%s' at a place where it is not printed", expr_op_text(x->op));
		return "0";
	default:
		emit_fail(e, "a real number where a whole one is wanted");
		return "0";
	}
}
