#include "ops/core/expr.h"

#include <math.h>

/* x op y; false: op is none of + - * // % and comparisons, or divides by nothing. */
static bool binary(enum expr_op op, double x, double y, double *value)
{
	if ((op == OP_FLOORDIV || op == OP_MOD) && y == 0)
		return false;
	switch (op) {
	case OP_ADD: *value = x + y; return true;
	case OP_SUB: *value = x - y; return true;
	case OP_MUL: *value = x * y; return true;
	case OP_FLOORDIV: *value = floor(x / y); return true;
	case OP_MOD: *value = x - floor(x / y) * y; return true;
	case OP_EQ: *value = x == y; return true;
	case OP_NE: *value = x != y; return true;
	case OP_LT: *value = x < y; return true;
	case OP_LE: *value = x <= y; return true;
	case OP_GT: *value = x > y; return true;
	case OP_GE: *value = x >= y; return true;
	default: return false;
	}
}

bool expr_value(const struct expr *e, expr_named *named, const void *names, double *value)
{
	enum { MOST_ARGS = 4 };
	double x[MOST_ARGS] = { 0 };
	bool is[MOST_ARGS] = { false }, all = e->arg_count <= MOST_ARGS;
	const struct function *f;

	for (size_t i = 0; i < e->arg_count && i < MOST_ARGS; i++)
		all = (is[i] = expr_value(e->arg[i], named, names, &x[i])) && all;
	switch (e->kind) {
	case EXPR_INT: *value = (double)e->int_value; return true;
	case EXPR_REAL: *value = e->real_value; return true;
	case EXPR_NAME: return named && named(names, e->name, value);
	case EXPR_NEG: *value = -x[0]; return all;
	case EXPR_CALL:
		f = all ? function_find(e->name) : NULL;
		if (!f || !f->value || f->arity != (int)e->arg_count)
			return false;
		*value = f->value(x);
		return true;
	case EXPR_BINARY:
		if (e->op == OP_AND || e->op == OP_OR) {
			bool settles = e->op == OP_OR, is_settled = (is[0] && (x[0] != 0) == settles) || (is[1] && (x[1] != 0) == settles);
			*value = is_settled ? settles : !settles;
			return is_settled || all;
		}
		return all && binary(e->op, x[0], x[1], value);
	default: return false;
	}
}
