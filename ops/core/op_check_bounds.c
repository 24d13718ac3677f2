/* Do all accesses of a body stay inside, at the declared shapes?  Intervals, and differences with what conditions say. */
#include "ops/core/affine.h"
#include "ops/core/normal.h"
#include "ops/core/op_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAMES = 48, MAX_GUARDS = 64, MAX_STMTS = 256, MAX_DEPTH = 24 };
static const int64_t far = INT64_C(1) << 56; /* beyond: as good as infinite, and sums do not overflow */

/* Both ends inclusive, within -far..far; empty when lo > hi. */
struct interval {
	int64_t lo, hi;
};
static const struct interval anything = { -(INT64_C(1) << 56), INT64_C(1) << 56 };

struct bounds {
	struct arena arena;
	const struct problem *problem;
	const struct normal *form;
	struct { const char *name; struct interval value; } index[MAX_NAMES];
	size_t index_first, index_count; /* those from index_first on are in scope */
	struct affine guard[MAX_GUARDS]; /* each at least 0 here */
	size_t guard_first, guard_count;
	struct interval value[MAX_STMTS]; /* of each statement */
	bool has_value[MAX_STMTS];
	int depth;
	bool is_tightening; /* intervals of names by their ranges alone: a condition is being applied */
	struct strbuf *err;
	bool bad;
};

static int64_t clip(__int128 v)
{
	return v > far ? far : v < -far ? -far : (int64_t)v;
}

static struct interval span(__int128 lo, __int128 hi) { return (struct interval){ clip(lo), clip(hi) }; }
static struct interval point(int64_t v) { return span(v, v); }
static struct interval either(struct interval a, struct interval b)
{
	return a.lo > a.hi ? b : b.lo > b.hi ? a : (struct interval){ a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi };
}
static struct interval sum_of(struct interval a, struct interval b) { return span((__int128)a.lo + b.lo, (__int128)a.hi + b.hi); }

static struct interval product(struct interval a, struct interval b)
{
	__int128 p[4] = { (__int128)a.lo * b.lo, (__int128)a.lo * b.hi, (__int128)a.hi * b.lo, (__int128)a.hi * b.hi }, lo = p[0], hi = p[0];

	for (int i = 1; i < 4; i++) {
		lo = p[i] < lo ? p[i] : lo;
		hi = p[i] > hi ? p[i] : hi;
	}
	return span(lo, hi);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b && (a < 0) != (b < 0));
}

/* ---- values ------------------------------------------------------------- */

static struct interval interval_of(struct bounds *b, const struct expr *e);
static void guard_by(struct bounds *b, const struct expr *condition, bool holds);
static bool enter_range(struct bounds *b, const struct expr_range *r);

/* A linear form's: exact where each atom occurs once, as it does after collection. */
static struct interval interval_of_affine(struct bounds *b, const struct affine *a)
{
	struct interval total = point(a->constant);

	for (size_t i = 0; i < a->count; i++)
		total = sum_of(total, product(point(a->term[i].coefficient), interval_of(b, a->term[i].atom)));
	return total;
}

/* a - b, exactly or not at all. */
static bool difference(struct bounds *b, const struct affine *x, const struct affine *y, struct affine *out)
{
	*out = affine_of(&b->arena, expr_binary(&b->arena, OP_SUB, affine_expr(&b->arena, x), affine_expr(&b->arena, y)));
	return x->is_exact && y->is_exact && out->is_exact;
}

/* Proves a >= 0: by its interval, or because a condition is no greater. */
static bool is_nonnegative(struct bounds *b, const struct affine *a)
{
	struct affine rest, again;

	if (interval_of_affine(b, a).lo >= 0)
		return true;
	for (size_t i = b->guard_first; i < b->guard_count; i++) {
		if (!difference(b, a, &b->guard[i], &rest))
			continue;
		if (interval_of_affine(b, &rest).lo >= 0)
			return true;
		for (size_t k = i + 1; k < b->guard_count; k++)
			if (difference(b, &rest, &b->guard[k], &again) && interval_of_affine(b, &again).lo >= 0)
				return true;
	}
	return false;
}

static int64_t declared_bound(const struct bounds *b, const char *text)
{
	struct arena arena = ARENA_INIT;
	struct strbuf ignored = STRBUF_INIT;
	struct expr *e;
	int64_t value = far;

	if (text && (expr_parse(&arena, text, "bound", EXPR_BODY, &e, &ignored) ||
		     expr_int_value(e, b->problem->binding, b->problem->binding_count, &value, &ignored)))
		value = far;
	strbuf_release(&ignored);
	arena_release(&arena);
	return value;
}

static struct interval of_tensor(const struct bounds *b, int t)
{
	const struct op_tensor *x = &b->problem->op->tensor[t];
	enum dtype d = problem_tensor_dtype(b->problem, t);

	switch (x->domain) {
	case OP_INDEX:
	case OP_UNIQUE: return span(0, declared_bound(b, x->bound) - 1);
	case OP_OFFSETS: return span(0, declared_bound(b, x->bound));
	default: break;
	}
	if (x->lo < x->hi)
		return span((__int128)x->lo, (__int128)x->hi);
	return d == DTYPE_bool ? span(0, 1) : d == DTYPE_u8 ? span(0, 255) : d == DTYPE_i8 ? span(-128, 127) : anything;
}

/* Over the whole of its box, in a scope of its own. */
static struct interval of_stmt(struct bounds *b, const struct normal_stmt *s)
{
	size_t i = (size_t)(s - b->form->stmt), index_first = b->index_first, guard_first = b->guard_first;

	if (i >= MAX_STMTS || s->kind == KIND_REAL)
		return anything;
	if (b->has_value[i])
		return b->value[i];
	/* Itself, in a recurrence: unknown. */
	b->has_value[i] = true;
	b->value[i] = anything;
	b->index_first = b->index_count;
	b->guard_first = b->guard_count;
	bool occurs = true;
	for (size_t k = 0; k < s->index_count; k++)
		occurs &= enter_range(b, &s->index[k]);
	if (occurs)
		b->value[i] = interval_of(b, s->value);
	b->index_count = b->index_first;
	b->guard_count = b->guard_first;
	b->index_first = index_first;
	b->guard_first = guard_first;
	return b->value[i];
}

static struct interval of_access(struct bounds *b, const struct expr *e)
{
	const struct normal_stmt *s = normal_find(b->form, e->name);
	int t = op_tensor_index(b->problem->op, e->name);
	struct interval v = anything;

	if (s)
		v = of_stmt(b, s);
	else if (t >= 0)
		v = of_tensor(b, t);
	return e->otherwise ? either(v, interval_of(b, e->otherwise)) : v;
}

/* An index's range, cut by what conditions say of it alone: c * index + rest >= 0. */
static struct interval tightened(struct bounds *b, const struct expr *name, struct interval v)
{
	if (b->is_tightening)
		return v;
	b->is_tightening = true;
	for (size_t i = b->guard_first; i < b->guard_count; i++) {
		struct affine rest = b->guard[i];
		int64_t c = 0;
		rest.term = ARENA_ARRAY(&b->arena, struct affine_term, rest.count + 1);
		rest.count = 0;
		for (size_t k = 0; k < b->guard[i].count; k++)
			if (expr_equal(b->guard[i].term[k].atom, name))
				c = b->guard[i].term[k].coefficient;
			else
				rest.term[rest.count++] = b->guard[i].term[k];
		int64_t most = c ? interval_of_affine(b, &rest).hi : far;
		if (c > 0 && most < far && -floor_div(most, c) > v.lo)
			v.lo = -floor_div(most, c);
		if (c < 0 && most < far && floor_div(most, -c) < v.hi)
			v.hi = floor_div(most, -c);
	}
	b->is_tightening = false;
	return v;
}

static struct interval of_name(struct bounds *b, const struct expr *e)
{
	for (size_t i = b->index_count; i-- > b->index_first;)
		if (!strcmp(b->index[i].name, e->name))
			return tightened(b, e, b->index[i].value);
	for (size_t i = 0; i < b->problem->binding_count; i++)
		if (!strcmp(b->problem->binding[i].name, e->name))
			return point(b->problem->binding[i].value);
	return of_access(b, e);
}

/* The interval v of e, cut where a condition is no further from it than a constant. */
static struct interval cut(struct bounds *b, const struct expr *e, struct interval v)
{
	struct affine a, rest;

	/* Once deep: conditions inside conditions would be without end. */
	if (b->is_tightening)
		return v;
	b->is_tightening = true;
	a = affine_of(&b->arena, e);
	for (size_t i = b->guard_first; i < b->guard_count; i++) {
		/* e >= e - guard, e <= e + guard. */
		if (!difference(b, &a, &b->guard[i], &rest))
			continue;
		int64_t lo = interval_of_affine(b, &rest).lo;
		v.lo = lo > v.lo ? lo : v.lo;
		rest = affine_of(&b->arena, expr_binary(&b->arena, OP_ADD, affine_expr(&b->arena, &a), affine_expr(&b->arena, &b->guard[i])));
		int64_t hi = rest.is_exact ? interval_of_affine(b, &rest).hi : far;
		v.hi = hi < v.hi ? hi : v.hi;
	}
	b->is_tightening = false;
	return v;
}

static struct interval of_quotient(struct interval x, struct interval y, bool is_mod)
{
	if (y.lo <= 0)
		return anything;
	if (is_mod)
		return x.lo >= 0 && x.hi < y.lo ? x : span(0, y.hi - 1);
	int64_t q[4] = { floor_div(x.lo, y.lo), floor_div(x.lo, y.hi), floor_div(x.hi, y.lo), floor_div(x.hi, y.hi) };
	return either(either(point(q[0]), point(q[1])), either(point(q[2]), point(q[3])));
}

static struct interval of_call(struct bounds *b, const struct expr *e)
{
	struct interval x[3] = { anything, anything, anything };

	for (size_t i = 0; i < e->arg_count && i < 3; i++)
		x[i] = normal_kind(b->form, e->arg[i]) == KIND_REAL ? anything : interval_of(b, e->arg[i]);
	if (!strcmp(e->name, "clamp")) {
		x[0] = (struct interval){ x[0].lo > x[1].lo ? x[0].lo : x[1].lo, x[0].hi > x[1].hi ? x[0].hi : x[1].hi };
		x[1] = x[2];
	}
	if (!strcmp(e->name, "minimum") || !strcmp(e->name, "clamp"))
		return (struct interval){ x[0].lo < x[1].lo ? x[0].lo : x[1].lo, x[0].hi < x[1].hi ? x[0].hi : x[1].hi };
	if (!strcmp(e->name, "maximum"))
		return (struct interval){ x[0].lo > x[1].lo ? x[0].lo : x[1].lo, x[0].hi > x[1].hi ? x[0].hi : x[1].hi };
	if (!strcmp(e->name, "abs"))
		return x[0].lo >= 0 ? x[0] : span(0, x[0].hi > -x[0].lo ? x[0].hi : -x[0].lo);
	if (!strcmp(e->name, "i64") || (!strcmp(e->name, "i32") && x[0].lo >= INT32_MIN && x[0].hi <= INT32_MAX))
		return x[0];
	if (!strcmp(e->name, "bool"))
		return span(0, 1);
	if (!strcmp(e->name, "philox"))
		return span(0, UINT32_MAX);
	if (!strcmp(e->name, "bit_and") && (x[0].lo >= 0 || x[1].lo >= 0))
		return span(0, x[0].lo >= 0 && x[0].hi < x[1].hi ? x[0].hi : x[1].lo >= 0 ? x[1].hi : x[0].hi);
	if (!strcmp(e->name, "shr") && x[0].lo >= 0 && x[1].lo >= 0)
		return span(0, x[1].lo < 63 ? x[0].hi >> x[1].lo : 0);
	return anything;
}

static struct interval of_reduce(struct bounds *b, const struct expr *e)
{
	size_t indices = b->index_count, guards = b->guard_count;
	struct interval n = point(1), v = anything, none = span(0, 0);
	bool occurs = true;

	for (size_t i = 0; i < e->range_count; i++) {
		occurs &= enter_range(b, &e->range[i]);
		struct interval r = b->index_count > indices ? b->index[b->index_count - 1].value : anything;
		n = product(n, span(0, r.hi >= r.lo ? (__int128)r.hi - r.lo + 1 : 0));
	}
	if (e->filter)
		guard_by(b, e->filter, true);
	if (occurs)
		v = interval_of(b, e->arg[0]);
	struct interval position = b->index_count > indices ? b->index[indices].value : anything;
	b->index_count = indices;
	b->guard_count = guards;
	switch (e->op) {
	case OP_SUM: return occurs ? product(span(0, n.hi), v) : none;
	case OP_ARGMAX:
	case OP_ARGMIN: return either(point(-1), occurs ? position : point(-1));
	case OP_MAX:
	case OP_MIN: {
		/* Over nothing: the least or greatest number, here as far as intervals go. */
		bool always = occurs && !e->filter;
		for (size_t i = 0; i < e->range_count && always; i++) {
			struct interval lo = interval_of(b, e->range[i].lo), hi = interval_of(b, e->range[i].hi);
			always = e->range_count == 1 && lo.hi < hi.lo;
		}
		return always ? v : either(v, e->op == OP_MAX ? point(-far) : point(far));
	}
	default: return anything;
	}
}

static struct interval interval_of(struct bounds *b, const struct expr *e)
{
	size_t guards = b->guard_count;
	struct interval x, y;
	struct affine a;

	if (++b->depth > MAX_DEPTH) {
		b->depth--;
		return anything;
	}
	x = anything;
	switch (e->kind) {
	case EXPR_INT: x = point(e->int_value); break;
	case EXPR_NAME: x = of_name(b, e); break;
	case EXPR_ACCESS: x = of_access(b, e); break;
	case EXPR_CALL: x = of_call(b, e); break;
	case EXPR_REDUCE: x = of_reduce(b, e); break;
	case EXPR_SELECT:
		guard_by(b, e->arg[0], true);
		x = interval_of(b, e->arg[1]);
		b->guard_count = guards;
		guard_by(b, e->arg[0], false);
		y = interval_of(b, e->arg[2]);
		b->guard_count = guards;
		x = either(x, y);
		break;
	case EXPR_NEG:
	case EXPR_BINARY:
		if (e->kind == EXPR_BINARY && e->op >= OP_EQ) {
			x = span(0, 1);
		} else if (e->kind == EXPR_BINARY && (e->op == OP_FLOORDIV || e->op == OP_MOD)) {
			x = of_quotient(cut(b, e->arg[0], interval_of(b, e->arg[0])), interval_of(b, e->arg[1]), e->op == OP_MOD);
		} else if (e->kind == EXPR_NEG || e->op == OP_ADD || e->op == OP_SUB || e->op == OP_MUL) {
			a = affine_of(&b->arena, e);
			/* A product of two unknowns is its own atom. */
			if (e->kind == EXPR_BINARY && e->op == OP_MUL && a.count == 1 && !a.constant && expr_equal(a.term[0].atom, e))
				x = product(interval_of(b, e->arg[0]), interval_of(b, e->arg[1]));
			else if (a.is_exact)
				x = interval_of_affine(b, &a);
		}
		break;
	default: break;
	}
	b->depth--;
	return x;
}

/* ---- conditions --------------------------------------------------------- */

/* greater - less - margin >= 0 from here on; tightens the intervals of the indices in it. */
static void guard_le(struct bounds *b, const struct expr *less, const struct expr *greater, int64_t margin)
{
	struct expr *e = expr_binary(&b->arena, OP_SUB, expr_binary(&b->arena, OP_SUB, (struct expr *)greater, (struct expr *)less),
				     expr_int(&b->arena, margin));
	struct affine a = affine_of(&b->arena, e);

	if (a.is_exact && b->guard_count < MAX_GUARDS)
		b->guard[b->guard_count++] = a;
}

static void guard_by(struct bounds *b, const struct expr *c, bool holds)
{
	static const enum expr_op negated[] = { [OP_EQ] = OP_NE, [OP_NE] = OP_EQ, [OP_LT] = OP_GE, [OP_LE] = OP_GT, [OP_GT] = OP_LE, [OP_GE] = OP_LT };

	if (c->kind != EXPR_BINARY || c->op < OP_EQ)
		return;
	if (c->op == (holds ? OP_AND : OP_OR)) {
		guard_by(b, c->arg[0], holds);
		guard_by(b, c->arg[1], holds);
		return;
	}
	if (c->op == OP_AND || c->op == OP_OR)
		return;
	/* (condition) == 0 is its negation. */
	if (c->arg[1]->kind == EXPR_INT && !c->arg[1]->int_value && (c->op == OP_EQ || c->op == OP_NE) && c->arg[0]->kind == EXPR_BINARY &&
	    c->arg[0]->op >= OP_EQ) {
		guard_by(b, c->arg[0], (c->op == OP_NE) == holds);
		return;
	}
	if (normal_kind(b->form, c->arg[0]) == KIND_REAL || normal_kind(b->form, c->arg[1]) == KIND_REAL)
		return;
	enum expr_op op = holds ? c->op : negated[c->op];
	if (op == OP_LT || op == OP_LE || op == OP_EQ)
		guard_le(b, c->arg[0], c->arg[1], op == OP_LT);
	if (op == OP_GT || op == OP_GE || op == OP_EQ)
		guard_le(b, c->arg[1], c->arg[0], op == OP_GT);
}

/* An index comes into scope with its range; false: there is no value for it at this shape. */
static bool enter_range(struct bounds *b, const struct expr_range *r)
{
	struct interval lo = interval_of(b, r->lo), hi = interval_of(b, r->hi);
	struct expr *index = expr_name(&b->arena, r->name);

	if (b->index_count < MAX_NAMES) {
		b->index[b->index_count].name = r->name;
		b->index[b->index_count++].value = span(lo.lo, (__int128)hi.hi - 1);
	}
	guard_le(b, r->lo, index, 0);
	guard_le(b, index, r->hi, 1);
	return lo.lo < hi.hi;
}

/* ---- accesses ----------------------------------------------------------- */

/* Extents of what e accesses; the rank. */
static int extents_of(struct bounds *b, const struct expr *e, int64_t extent[OP_MAX_RANK])
{
	const struct normal_stmt *s = normal_find(b->form, e->name);
	int t = op_tensor_index(b->problem->op, e->name), rank = 0;

	if (!s)
		return t >= 0 ? problem_shape(b->problem, t, extent) : 0;
	for (; rank < (int)s->index_count && rank < OP_MAX_RANK; rank++)
		extent[rank] = interval_of(b, s->index[rank].hi).lo;
	return rank;
}

/* Where the `else` of an access is evaluated: its one position that can be outside is, on the one side that it can be. */
static void guard_outside(struct bounds *b, const struct expr *e)
{
	int64_t extent[OP_MAX_RANK];
	int rank = extents_of(b, e, extent), doubtful = -1;
	struct affine low, high;

	for (int i = 0; i < rank && (size_t)i < e->arg_count; i++) {
		low = affine_of(&b->arena, e->arg[i]);
		high = affine_of(&b->arena, expr_binary(&b->arena, OP_SUB, expr_int(&b->arena, extent[i] - 1), e->arg[i]));
		if (is_nonnegative(b, &low) && is_nonnegative(b, &high))
			continue;
		if (doubtful >= 0)
			return;
		doubtful = i;
	}
	if (doubtful < 0)
		return;
	struct expr *first = expr_int(&b->arena, 0), *past = expr_int(&b->arena, extent[doubtful]);
	low = affine_of(&b->arena, e->arg[doubtful]);
	high = affine_of(&b->arena, expr_binary(&b->arena, OP_SUB, expr_int(&b->arena, extent[doubtful] - 1), e->arg[doubtful]));
	if (is_nonnegative(b, &low))
		guard_le(b, past, e->arg[doubtful], 0);
	else if (is_nonnegative(b, &high))
		guard_le(b, e->arg[doubtful], first, 1);
}

static void check_access(struct bounds *b, const struct expr *e)
{
	int64_t extent[OP_MAX_RANK];
	int rank = extents_of(b, e, extent);
	struct strbuf where = STRBUF_INIT;
	char at[48];

	for (int i = 0; i < rank && (size_t)i < e->arg_count && !b->bad; i++) {
		struct affine low = affine_of(&b->arena, e->arg[i]);
		struct affine high = affine_of(&b->arena, expr_binary(&b->arena, OP_SUB, expr_int(&b->arena, extent[i] - 1), e->arg[i]));
		if (is_nonnegative(b, &low) && is_nonnegative(b, &high))
			continue;
		/* Conditions tighten what is divided only here: not below another one. */
		struct interval v = interval_of(b, e->arg[i]);
		if (v.lo >= 0 && v.hi < extent[i])
			continue;
		bool is_known = v.lo > -far && v.hi < far;
		b->bad = true;
		problem_print(b->problem, &where);
		snprintf(at, sizeof(at), "body:%d:%d:", e->line, e->column);
		if (is_known)
			op_fault(b->problem->op, at, b->err,
				 "read of '%s' outside: dimension %d is read at %" PRId64 "..%" PRId64 " of 0..%" PRId64
				 " at %s: change the position, or give a value outside with 'else'",
				 e->name, i, v.lo, v.hi, extent[i] - 1, where.buf);
		else
			op_fault(b->problem->op, at, b->err,
				 "read of '%s' cannot be proven inside: dimension %d of 0..%" PRId64 " at %s: bound the index in .tensor, guard it with "
				 "'?:', or give a value outside with 'else'",
				 e->name, i, extent[i] - 1, where.buf);
	}
	strbuf_release(&where);
}

static void check_expr(struct bounds *b, const struct expr *e);

/* Argument i of a select or of && and ||: under its condition. */
static void check_guarded(struct bounds *b, const struct expr *e, size_t i)
{
	size_t guards = b->guard_count;

	if (e->kind == EXPR_SELECT)
		guard_by(b, e->arg[0], i == 1);
	else
		guard_by(b, e->arg[0], e->op == OP_AND);
	check_expr(b, e->arg[i]);
	b->guard_count = guards;
}

static void check_expr(struct bounds *b, const struct expr *e)
{
	size_t indices = b->index_count, guards = b->guard_count;
	bool is_lazy = e && (e->kind == EXPR_SELECT || (e->kind == EXPR_BINARY && (e->op == OP_AND || e->op == OP_OR))), occurs = true;

	if (!e || b->bad)
		return;
	if (e->kind == EXPR_ACCESS && !e->otherwise)
		check_access(b, e);
	for (size_t i = 0; i < e->range_count; i++) {
		check_expr(b, e->range[i].lo);
		check_expr(b, e->range[i].hi);
		occurs &= enter_range(b, &e->range[i]);
	}
	if (occurs) {
		check_expr(b, e->filter);
		if (e->filter)
			guard_by(b, e->filter, true);
		for (size_t i = 0; i < e->arg_count; i++)
			if (is_lazy && i)
				check_guarded(b, e, i);
			else
				check_expr(b, e->arg[i]);
	}
	b->index_count = indices;
	b->guard_count = guards;
	if (e->otherwise) {
		guard_outside(b, e);
		check_expr(b, e->otherwise);
		b->guard_count = guards;
	}
}

static int bounds_at(const struct problem *p, enum op_use use, void *user)
{
	struct arena arena = ARENA_INIT;
	struct normal form;
	struct bounds *b = ARENA_ARRAY(&arena, struct bounds, 1);

	(void)use;
	b->problem = p;
	b->form = &form;
	b->err = user;
	bool bad = normal_form(&arena, p->op, p->dtype, p->attr, &form, b->err) != 0;
	for (size_t i = 0; !bad && i < form.stmt_count; i++) {
		bool occurs = true;
		b->index_count = b->guard_count = 0;
		for (size_t k = 0; k < form.stmt[i].index_count; k++)
			occurs &= enter_range(b, &form.stmt[i].index[k]);
		if (occurs)
			check_expr(b, form.stmt[i].value);
		bad = b->bad;
	}
	arena_release(&b->arena);
	arena_release(&arena);
	return bad;
}

bool op_check_bounds(const struct op *op, struct strbuf *err)
{
	return !problem_each(op, ~0u, 1, bounds_at, err, err);
}
