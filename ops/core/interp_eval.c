#include "ops/core/interp_code.h"
#include "ops/core/rng.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static struct value int_binary(struct interp *in, const struct expr *e, int64_t a, int64_t b)
{
	switch (e->op) {
	case OP_ADD: return integer_value((int64_t)((uint64_t)a + (uint64_t)b));
	case OP_SUB: return integer_value((int64_t)((uint64_t)a - (uint64_t)b));
	case OP_MUL: return integer_value((int64_t)((uint64_t)a * (uint64_t)b));
	case OP_FLOORDIV:
	case OP_MOD:
		if (!b) {
			interp_fail(in, e, "integer division by zero");
			return integer_value(0);
		}
		if (b == -1)
			return integer_value(e->op == OP_MOD ? 0 : (int64_t)(0 - (uint64_t)a));
		return integer_value(e->op == OP_FLOORDIV ? floor_div(a, b) : a - floor_div(a, b) * b);
	case OP_EQ: return truth_value(a == b);
	case OP_NE: return truth_value(a != b);
	case OP_LT: return truth_value(a < b);
	case OP_LE: return truth_value(a <= b);
	case OP_GT: return truth_value(a > b);
	default: return truth_value(a >= b);
	}
}

/* Floor division and its remainder, as PyTorch's: the remainder has the divisor's sign. */
static double real_mod(double x, double y)
{
	double m = fmod(x, y);
	return m != 0 && (y < 0) != (m < 0) ? m + y : m;
}

static double real_floor_div(double x, double y)
{
	double m = fmod(x, y);
	return y == 0 ? x / y : nearbyint((x - m) / y - (m != 0 && (y < 0) != (m < 0)));
}

static struct value real_binary(enum expr_op op, struct value a, struct value b)
{
	double x = a.d, y = b.d, p = a.magnitude, q = b.magnitude;

	switch (op) {
	case OP_ADD: return real_value(x + y, p + q);
	case OP_SUB: return real_value(x - y, p + q);
	case OP_MUL: return real_value(x * y, p * fabs(y) + fabs(x) * q);
	case OP_DIV: return real_value(x / y, p / fabs(y) + fabs(x) * q / (y * y));
	case OP_FLOORDIV: return real_value(real_floor_div(x, y), 0);
	case OP_MOD: return real_value(real_mod(x, y), p + fabs(floor(x / y)) * q);
	case OP_EQ: return truth_value(x == y);
	case OP_NE: return truth_value(x != y);
	case OP_LT: return truth_value(x < y);
	case OP_LE: return truth_value(x <= y);
	case OP_GT: return truth_value(x > y);
	default: return truth_value(x >= y);
	}
}

struct value interp_combine(struct interp *in, const struct expr *e, struct value a, struct value b)
{
	if (a.kind != KIND_REAL && b.kind != KIND_REAL && e->op != OP_DIV)
		return int_binary(in, e, a.i, b.i);
	return real_binary(e->op, a, b);
}

static struct value binary(struct interp *in, const struct code *c)
{
	enum expr_op op = c->expr->op;
	struct value a = interp_evaluate(in, c->arg[0]);

	if (op == OP_AND || op == OP_OR) {
		bool left = is_true(a);
		if (left == (op == OP_OR))
			return truth_value(left);
		struct value b = interp_evaluate(in, c->arg[1]);
		return truth_value(is_true(b));
	}
	return interp_combine(in, c->expr, a, interp_evaluate(in, c->arg[1]));
}

/* Exact on integers; false: not such a function. */
static bool int_call(const char *name, const struct value *x, struct value *out)
{
	int64_t a = x[0].i, b = x[1].i;

	if (!strcmp(name, "maximum")) *out = integer_value(a > b ? a : b);
	else if (!strcmp(name, "minimum")) *out = integer_value(a < b ? a : b);
	else if (!strcmp(name, "abs")) *out = integer_value(a < 0 ? (int64_t)(0 - (uint64_t)a) : a);
	else if (!strcmp(name, "floor") || !strcmp(name, "ceil") || !strcmp(name, "round") || !strcmp(name, "trunc") || !strcmp(name, "i64"))
		*out = integer_value(a);
	else if (!strcmp(name, "bit_and")) *out = integer_value(a & b);
	else if (!strcmp(name, "bit_or")) *out = integer_value(a | b);
	else if (!strcmp(name, "bit_xor")) *out = integer_value(a ^ b);
	else if (!strcmp(name, "bit_not")) *out = x[0].kind == KIND_BOOL ? truth_value(!a) : integer_value(~a);
	else if (!strcmp(name, "shl")) *out = integer_value(b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b));
	else if (!strcmp(name, "shr")) *out = integer_value(b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a >> b));
	else if (!strcmp(name, "i32")) *out = integer_value((int32_t)a);
	else if (!strcmp(name, "i16")) *out = integer_value((int16_t)a);
	else if (!strcmp(name, "i8")) *out = integer_value((int8_t)a);
	else if (!strcmp(name, "u8")) *out = integer_value((uint8_t)a);
	else if (!strcmp(name, "bool")) *out = truth_value(a != 0);
	else if (!strcmp(name, "philox")) *out = integer_value(philox((uint64_t)a, (uint64_t)b, (int)x[2].i));
	else if (!strcmp(name, "cdiv")) *out = integer_value(-floor_div(-a, b));
	else if (!strcmp(name, "rup")) *out = integer_value(-floor_div(-a, b) * b);
	else return false;
	return true;
}

static bool gives_int(const char *name)
{
	static const char *const word[] = { "i64", "i32", "i16", "i8", "u8" };

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (!strcmp(name, word[i]))
			return true;
	return false;
}

struct value interp_apply(const struct code *c, const struct value x[3])
{
	struct value out;
	double d[3] = { 0 }, magnitude = 0;
	bool all_int = true;

	for (size_t i = 0; i < c->arg_count && i < 3; i++) {
		d[i] = x[i].d;
		all_int &= x[i].kind != KIND_REAL;
	}
	if (all_int && int_call(c->expr->name, x, &out))
		return out;
	double y = c->function(d);
	/* First order: an error of the argument comes out multiplied by the slope. */
	for (size_t i = 0; i < c->arg_count && i < 3; i++) {
		double h = 1e-6 * (fabs(d[i]) + 1e-3), moved[3] = { d[0], d[1], d[2] };
		moved[i] += h;
		double slope = fabs(c->function(moved) - y) / h;
		if (isfinite(slope))
			magnitude += slope * x[i].magnitude;
	}
	if (gives_int(c->expr->name))
		return integer_value((int64_t)y);
	if (!strcmp(c->expr->name, "bool"))
		return truth_value(y != 0);
	return real_value(y, magnitude);
}

static struct value call(struct interp *in, const struct code *c)
{
	struct value x[3] = { { 0 } };

	for (size_t i = 0; i < c->arg_count && i < 3; i++)
		x[i] = interp_evaluate(in, c->arg[i]);
	return interp_apply(c, x);
}

static struct value read_tensor(struct interp *in, const struct code *c, const int64_t *index)
{
	int64_t flat = 0;

	for (int i = 0; i < in->tensor[c->slot].rank; i++)
		flat = flat * in->tensor[c->slot].extent[i] + index[i];
	double v = in->read(in->user, c->slot, flat);
	in->reads++;
	if (in->tensor[c->slot].kind == KIND_REAL)
		return real_value(v, 0);
	return in->tensor[c->slot].kind == KIND_INT ? integer_value((int64_t)v) : truth_value(v != 0);
}

struct value interp_access(struct interp *in, const struct code *c, const int64_t *index)
{
	return c->kind == CODE_TENSOR ? read_tensor(in, c, index) : interp_stmt(in, c->slot, index, c->expr);
}

void interp_outside(struct interp *in, const struct code *c, size_t dimension, int64_t index)
{
	const int64_t *extent = c->kind == CODE_TENSOR ? in->tensor[c->slot].extent : in->stmt[c->slot].extent;

	interp_fail(in, c->expr, "read of '%s' outside: index %" PRId64 " of 0..%" PRId64 " in dimension %zu", c->expr->name, index,
		    extent[dimension] - 1, dimension);
}

static struct value access(struct interp *in, const struct code *c)
{
	int64_t index[8];
	const int64_t *extent = c->kind == CODE_TENSOR ? in->tensor[c->slot].extent : in->stmt[c->slot].extent;

	for (size_t i = 0; i < c->arg_count; i++) {
		struct value v = interp_evaluate(in, c->arg[i]);
		if (v.kind == KIND_REAL)
			interp_fail(in, c->arg[i]->expr, "index %zu of '%s' is not an integer", i, c->expr->name);
		if (in->failed)
			return integer_value(0);
		if (v.i < 0 || v.i >= extent[i]) {
			if (c->otherwise)
				return interp_evaluate(in, c->otherwise);
			interp_outside(in, c, i, v.i);
			return integer_value(0);
		}
		index[i] = v.i;
	}
	return interp_access(in, c, index);
}

struct fold {
	struct value total;
	int64_t at; /* argmax, argmin */
	bool any;
};

static bool precedes(enum expr_op op, struct value a, struct value b)
{
	if (a.kind != KIND_REAL && b.kind != KIND_REAL)
		return op == OP_MAX || op == OP_ARGMAX ? a.i > b.i : a.i < b.i;
	return op == OP_MAX || op == OP_ARGMAX ? a.d > b.d : a.d < b.d;
}

static void fold_one(const struct code *c, struct fold *f, struct value v, int64_t position)
{
	enum expr_op op = c->expr->op;

	switch (op) {
	case OP_SUM:
		if (v.kind != KIND_REAL && (!f->any || f->total.kind != KIND_REAL))
			f->total = integer_value((int64_t)((uint64_t)f->total.i + (uint64_t)v.i));
		else
			f->total = real_value(f->total.d + v.d, f->total.magnitude + v.magnitude);
		break;
	case OP_PROD:
		if (v.kind != KIND_REAL && (!f->any || f->total.kind != KIND_REAL))
			f->total = integer_value((int64_t)((uint64_t)f->total.i * (uint64_t)v.i));
		else
			f->total = real_binary(OP_MUL, f->total, v);
		break;
	default: {
		bool nan_now = v.kind == KIND_REAL && isnan(v.d), nan_before = f->total.kind == KIND_REAL && isnan(f->total.d);
		if (!f->any || (!nan_before && (nan_now || precedes(op, v, f->total)))) {
			f->total = v;
			f->at = position;
		}
	}
	}
	f->any = true;
}

/* Folds the terms of the batch, in order, and empties it. */
static void fold_batch(struct interp *in, const struct code *c, struct batch *b, struct fold *f)
{
	int lane[BATCH_LANES], count = b->count;
	struct value now[BATCH_RANGES]; /* where the loop stands; a lane evaluated alone moves it */

	for (int i = 0; i < count; i++)
		lane[i] = i;
	for (size_t k = 0; k < c->range_count; k++)
		now[k] = in->slot[c->range[k].slot];
	if (c->filter && count) {
		struct value keep[BATCH_LANES];
		const struct value *k = interp_evaluate_batch(in, c->filter, b, lane, count, keep);
		int kept = 0;
		for (int i = 0; i < count; i++)
			if (is_true(k[i]))
				lane[kept++] = i;
		count = kept;
	}
	if (count && !in->failed) {
		struct value term[BATCH_LANES];
		const struct value *t = interp_evaluate_batch(in, c->arg[0], b, lane, count, term);
		for (int i = 0; i < count; i++)
			fold_one(c, f, t[lane[i]], b->slot[0][lane[i]].i);
	}
	for (size_t k = 0; k < c->range_count; k++)
		in->slot[c->range[k].slot] = now[k];
	b->count = 0;
}

static void loop(struct interp *in, const struct code *c, size_t level, struct batch *b, struct fold *f)
{
	int64_t lo = interp_evaluate(in, c->range[level].lo).i, hi = interp_evaluate(in, c->range[level].hi).i;
	bool is_innermost = level + 1 == c->range_count;

	for (int64_t i = lo; i < hi && !in->failed; i++) {
		if (!is_innermost) {
			in->slot[c->range[level].slot] = integer_value(i);
			loop(in, c, level + 1, b, f);
			continue;
		}
		for (size_t k = 0; k < level; k++)
			b->slot[k][b->count] = in->slot[c->range[k].slot];
		b->slot[level][b->count] = integer_value(i);
		if (++b->count == BATCH_LANES)
			fold_batch(in, c, b, f);
	}
}

static struct value reduce(struct interp *in, const struct code *c)
{
	struct fold f = { .at = -1 };
	struct batch b;

	b.reduce = c;
	b.count = 0;
	f.total = c->expr->op == OP_PROD ? integer_value(1) : integer_value(0);
	loop(in, c, 0, &b, &f);
	fold_batch(in, c, &b, &f);
	if (c->expr->op == OP_ARGMAX || c->expr->op == OP_ARGMIN)
		return integer_value(f.at);
	/* Nothing to reduce: the least or greatest value of the kind. */
	if (!f.any && (c->expr->op == OP_MAX || c->expr->op == OP_MIN)) {
		bool least = c->expr->op == OP_MAX;
		if (c->want == KIND_REAL)
			return real_value(least ? -INFINITY : INFINITY, 0);
		return c->want == KIND_BOOL ? truth_value(!least) : integer_value(least ? INT64_MIN : INT64_MAX);
	}
	return f.total;
}

struct value interp_evaluate(struct interp *in, const struct code *c)
{
	struct value v;

	if (in->failed)
		return integer_value(0);
	if (c->is_whole)
		return whole_value(c, interp_whole(in, c));
	switch (c->kind) {
	case CODE_CONSTANT: return c->constant;
	case CODE_INDEX: return in->slot[c->slot];
	case CODE_TENSOR:
	case CODE_STMT: return as_kind(access(in, c), c->want);
	case CODE_NEG:
		v = interp_evaluate(in, c->arg[0]);
		return v.kind == KIND_REAL ? real_value(-v.d, v.magnitude) : integer_value(-v.i);
	case CODE_BINARY: return binary(in, c);
	case CODE_SELECT:
		v = interp_evaluate(in, c->arg[0]);
		return as_kind(interp_evaluate(in, c->arg[is_true(v) ? 1 : 2]), c->want);
	case CODE_CALL: return call(in, c);
	case CODE_PRELUDE: {
		struct value arg[3];
		for (size_t i = 0; i < c->arg_count && i < 3; i++)
			arg[i] = interp_evaluate(in, c->arg[i]);
		memcpy(&in->slot[c->slot], arg, c->arg_count * sizeof(*arg));
		return interp_evaluate(in, c->definition);
	}
	case CODE_REDUCE: return as_kind(reduce(in, c), c->want);
	}
	return integer_value(0);
}
