#include "ops/core/interp.h"
#include "ops/core/normal.h"
#include "ops/core/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value of the notation: ints stay int64, reals carry their running error magnitude. */
struct value {
	enum kind kind;
	int64_t i;
	double d;
	double magnitude; /* sum of |terms|, carried to first order through functions; at least |d| */
};

enum code_kind { CODE_CONSTANT, CODE_INDEX, CODE_TENSOR, CODE_STMT, CODE_NEG, CODE_BINARY, CODE_SELECT, CODE_CALL, CODE_PRELUDE, CODE_REDUCE };

/* An expression with its names resolved to slots. */
struct code {
	enum code_kind kind;
	const struct expr *expr;
	enum kind want;            /* SELECT, REDUCE, access with else: the kind of every branch */
	struct value constant;
	int slot;                  /* index slot, tensor position or statement position */
	struct code **arg;
	size_t arg_count;
	struct code *otherwise, *filter;
	struct { int slot; struct code *lo, *hi; } *range;
	size_t range_count;
	double (*function)(const double *x);
	struct code *definition;   /* of a prelude function; its parameters are slots from `slot` on */
};

struct memo {
	int64_t *key;
	struct value *value;
	size_t count, capacity; /* power of two; key -1: free */
};
struct stmt {
	const struct normal_stmt *normal;
	int64_t extent[8];
	struct code *code;
	int slot[8];
	int slot_count; /* slots its value uses, from 0 */
	int step;       /* the index along which a recurrence steps back, or -1 */
	struct memo memo;
};

enum { MAX_SLOTS = 64, MAX_DEPTH = 1000 };

struct interp {
	struct arena arena;
	const struct problem *problem;
	interp_read *read;
	const void *user;
	struct normal normal;
	struct stmt *stmt;
	struct { int64_t extent[8]; int rank; enum kind kind; } tensor[OP_MAX_TENSORS];
	struct value slot[MAX_SLOTS];
	int64_t reads;
	int depth;
	struct strbuf *err;
	bool failed;
};

static struct value integer(int64_t i)
{
	return (struct value){ KIND_INT, i, (double)i, fabs((double)i) };
}

static struct value real(double d, double magnitude)
{
	double least = fabs(d);
	return (struct value){ KIND_REAL, 0, d, magnitude >= least ? magnitude : least };
}

static struct value truth(bool b)
{
	return (struct value){ KIND_BOOL, b, b, b };
}

static void fail(struct interp *in, const struct expr *at, const char *fmt, ...) PRINTF(3, 4);
static void fail(struct interp *in, const struct expr *at, const char *fmt, ...)
{
	va_list ap;

	if (in->failed)
		return;
	in->failed = true;
	strbuf_addf(in->err, "%s:body:%d:%d: ", in->problem->op->source_path ? in->problem->op->source_path : in->problem->op->name,
		    at->line, at->column);
	va_start(ap, fmt);
	strbuf_vaddf(in->err, fmt, ap);
	va_end(ap);
}

/* ---- resolving ------------------------------------------------------- */

struct resolver {
	struct interp *in;
	bool is_prelude;
	const char *name[MAX_SLOTS];
	int count, most;
};

static struct code *resolve(struct resolver *r, const struct expr *e);

static int bind_slot(struct resolver *r, const char *name)
{
	if (r->count == MAX_SLOTS) {
		r->in->failed = true;
		strbuf_addf(r->in->err, "%s: more than %d indices in scope", r->in->problem->op->name, MAX_SLOTS);
		return 0;
	}
	r->name[r->count] = name;
	if (r->most <= r->count)
		r->most = r->count + 1;
	return r->count++;
}

static void resolve_name(struct resolver *r, const struct expr *e, struct code *c)
{
	struct interp *in = r->in;

	for (int i = r->count; i-- > 0;)
		if (!strcmp(r->name[i], e->name)) {
			c->kind = CODE_INDEX;
			c->slot = i;
			return;
		}
	for (size_t i = 0; i < in->problem->binding_count; i++)
		if (!strcmp(in->problem->binding[i].name, e->name)) {
			c->kind = CODE_CONSTANT;
			c->constant = integer(in->problem->binding[i].value);
			return;
		}
	for (size_t i = 0; i < in->normal.stmt_count; i++)
		if (!strcmp(in->normal.stmt[i].name, e->name)) {
			c->kind = CODE_STMT;
			c->slot = (int)i;
			return;
		}
	int t = op_tensor_index(in->problem->op, e->name);
	if (t >= 0 && in->problem->op->tensor[t].role == OP_IN) {
		c->kind = CODE_TENSOR;
		c->slot = t;
		return;
	}
	fail(in, e, "'%s' is not declared: neither an index in scope, a dimension, an attribute, an input nor a statement", e->name);
}

static void resolve_access(struct resolver *r, const struct expr *e, struct code *c)
{
	struct expr plain = *e;
	struct interp *in = r->in;

	plain.kind = EXPR_NAME;
	resolve_name(r, &plain, c);
	if (in->failed)
		return;
	if (c->kind != CODE_TENSOR && c->kind != CODE_STMT) {
		fail(in, e, "'%s' is an index or a dimension and cannot be indexed", e->name);
		return;
	}
	size_t rank = c->kind == CODE_TENSOR ? (size_t)in->tensor[c->slot].rank : in->normal.stmt[c->slot].index_count;
	if (rank != e->arg_count)
		fail(in, e, "'%s' has %zu dimension%s but is read with %zu", e->name, rank, rank == 1 ? "" : "s", e->arg_count);
}

static void resolve_call(struct resolver *r, const struct expr *e, struct code *c)
{
	const struct function *f = function_find(e->name);
	struct expr *definition;
	int saved = r->count, first = saved;

	if (!f->definition) {
		c->kind = CODE_CALL;
		c->function = f->value;
		return;
	}
	/* The parameters are slots; the definition sees nothing else. */
	for (const char *p = f->params; *p;) {
		size_t n = strcspn(p, " ");
		bind_slot(r, arena_strndup(&r->in->arena, p, n));
		p += n;
		p += strspn(p, " ");
	}
	if (expr_parse(&r->in->arena, f->definition, f->name, EXPR_BODY, &definition, r->in->err)) {
		r->in->failed = true;
		return;
	}
	c->kind = CODE_PRELUDE;
	c->slot = first;
	bool outer = r->is_prelude;
	r->is_prelude = true;
	c->definition = resolve(r, definition);
	r->is_prelude = outer;
	r->count = saved;
}

static void resolve_reduce(struct resolver *r, const struct expr *e, struct code *c)
{
	int saved = r->count;

	c->kind = CODE_REDUCE;
	c->range = arena_alloc(&r->in->arena, sizeof(*c->range) * e->range_count);
	c->range_count = e->range_count;
	for (size_t i = 0; i < e->range_count; i++) {
		c->range[i].lo = resolve(r, e->range[i].lo);
		c->range[i].hi = resolve(r, e->range[i].hi);
		c->range[i].slot = bind_slot(r, e->range[i].name);
	}
	if (e->filter)
		c->filter = resolve(r, e->filter);
	c->arg = ARENA_ARRAY(&r->in->arena, struct code *, 1);
	c->arg_count = 1;
	c->arg[0] = resolve(r, e->arg[0]);
	r->count = saved;
}

static struct code *resolve(struct resolver *r, const struct expr *e)
{
	struct code *c = ARENA_ARRAY(&r->in->arena, struct code, 1);

	c->expr = e;
	if (r->in->failed)
		return c;
	/* Inside a prelude's definition the kinds are the arguments', known when it runs. */
	c->want = r->is_prelude ? KIND_BOOL : normal_kind(&r->in->normal, e);
	if (e->kind == EXPR_REDUCE) {
		resolve_reduce(r, e, c);
		return c;
	}
	c->arg = ARENA_ARRAY(&r->in->arena, struct code *, e->arg_count);
	c->arg_count = e->arg_count;
	for (size_t i = 0; i < e->arg_count; i++)
		c->arg[i] = resolve(r, e->arg[i]);
	if (e->otherwise)
		c->otherwise = resolve(r, e->otherwise);
	switch (e->kind) {
	case EXPR_INT:
		c->constant = integer(e->int_value);
		break;
	case EXPR_REAL:
		c->constant = real(e->real_value, 0);
		break;
	case EXPR_NAME: resolve_name(r, e, c); break;
	case EXPR_ACCESS: resolve_access(r, e, c); break;
	case EXPR_NEG: c->kind = CODE_NEG; break;
	case EXPR_BINARY: c->kind = CODE_BINARY; break;
	case EXPR_SELECT: c->kind = CODE_SELECT; break;
	case EXPR_CALL: resolve_call(r, e, c); break;
	case EXPR_REDUCE: break;
	}
	return c;
}

/* ---- evaluating ------------------------------------------------------ */

static struct value evaluate(struct interp *in, const struct code *c);
static struct value stmt_value(struct interp *in, int s, const int64_t *index, const struct expr *at);

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b && (a < 0) != (b < 0));
}

static struct value int_binary(struct interp *in, const struct expr *e, int64_t a, int64_t b)
{
	switch (e->op) {
	case OP_ADD: return integer((int64_t)((uint64_t)a + (uint64_t)b));
	case OP_SUB: return integer((int64_t)((uint64_t)a - (uint64_t)b));
	case OP_MUL: return integer((int64_t)((uint64_t)a * (uint64_t)b));
	case OP_FLOORDIV:
	case OP_MOD:
		if (!b) {
			fail(in, e, "integer division by zero");
			return integer(0);
		}
		if (b == -1)
			return integer(e->op == OP_MOD ? 0 : (int64_t)(0 - (uint64_t)a));
		return integer(e->op == OP_FLOORDIV ? floor_div(a, b) : a - floor_div(a, b) * b);
	case OP_EQ: return truth(a == b);
	case OP_NE: return truth(a != b);
	case OP_LT: return truth(a < b);
	case OP_LE: return truth(a <= b);
	case OP_GT: return truth(a > b);
	default: return truth(a >= b);
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
	case OP_ADD: return real(x + y, p + q);
	case OP_SUB: return real(x - y, p + q);
	case OP_MUL: return real(x * y, p * fabs(y) + fabs(x) * q);
	case OP_DIV: return real(x / y, p / fabs(y) + fabs(x) * q / (y * y));
	case OP_FLOORDIV: return real(real_floor_div(x, y), 0);
	case OP_MOD: return real(real_mod(x, y), p);
	case OP_EQ: return truth(x == y);
	case OP_NE: return truth(x != y);
	case OP_LT: return truth(x < y);
	case OP_LE: return truth(x <= y);
	case OP_GT: return truth(x > y);
	default: return truth(x >= y);
	}
}

static struct value binary(struct interp *in, const struct code *c)
{
	enum expr_op op = c->expr->op;
	struct value a = evaluate(in, c->arg[0]);

	if (op == OP_AND || op == OP_OR) {
		bool left = a.kind == KIND_REAL ? a.d != 0 : a.i != 0;
		if (left == (op == OP_OR))
			return truth(left);
		struct value b = evaluate(in, c->arg[1]);
		return truth(b.kind == KIND_REAL ? b.d != 0 : b.i != 0);
	}
	struct value b = evaluate(in, c->arg[1]);
	if (a.kind != KIND_REAL && b.kind != KIND_REAL && op != OP_DIV)
		return int_binary(in, c->expr, a.i, b.i);
	return real_binary(op, a, b);
}

/* Exact on integers; false: not such a function. */
static bool int_call(const char *name, const struct value *x, struct value *out)
{
	int64_t a = x[0].i, b = x[1].i;

	if (!strcmp(name, "maximum")) *out = integer(a > b ? a : b);
	else if (!strcmp(name, "minimum")) *out = integer(a < b ? a : b);
	else if (!strcmp(name, "abs")) *out = integer(a < 0 ? (int64_t)(0 - (uint64_t)a) : a);
	else if (!strcmp(name, "floor") || !strcmp(name, "ceil") || !strcmp(name, "round") || !strcmp(name, "trunc") || !strcmp(name, "i64"))
		*out = integer(a);
	else if (!strcmp(name, "bit_and")) *out = integer(a & b);
	else if (!strcmp(name, "bit_or")) *out = integer(a | b);
	else if (!strcmp(name, "bit_xor")) *out = integer(a ^ b);
	else if (!strcmp(name, "bit_not")) *out = x[0].kind == KIND_BOOL ? truth(!a) : integer(~a);
	else if (!strcmp(name, "shl")) *out = integer(b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b));
	else if (!strcmp(name, "shr")) *out = integer(b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a >> b));
	else if (!strcmp(name, "i32")) *out = integer((int32_t)a);
	else if (!strcmp(name, "i16")) *out = integer((int16_t)a);
	else if (!strcmp(name, "i8")) *out = integer((int8_t)a);
	else if (!strcmp(name, "u8")) *out = integer((uint8_t)a);
	else if (!strcmp(name, "bool")) *out = truth(a != 0);
	else if (!strcmp(name, "philox")) *out = integer(philox((uint64_t)a, (uint64_t)b, (int)x[2].i));
	else if (!strcmp(name, "cdiv")) *out = integer(-floor_div(-a, b));
	else if (!strcmp(name, "rup")) *out = integer(-floor_div(-a, b) * b);
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

static struct value call(struct interp *in, const struct code *c)
{
	struct value x[3] = { { 0 } }, out;
	double d[3] = { 0 }, magnitude = 0;
	bool all_int = true;

	for (size_t i = 0; i < c->arg_count && i < 3; i++) {
		x[i] = evaluate(in, c->arg[i]);
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
		return integer((int64_t)y);
	if (!strcmp(c->expr->name, "bool"))
		return truth(y != 0);
	return real(y, magnitude);
}

static struct value read_tensor(struct interp *in, const struct code *c, const int64_t *index)
{
	int64_t flat = 0;

	for (int i = 0; i < in->tensor[c->slot].rank; i++)
		flat = flat * in->tensor[c->slot].extent[i] + index[i];
	double v = in->read(in->user, c->slot, flat);
	in->reads++;
	if (in->tensor[c->slot].kind == KIND_REAL)
		return real(v, 0);
	return in->tensor[c->slot].kind == KIND_INT ? integer((int64_t)v) : truth(v != 0);
}

static struct value access(struct interp *in, const struct code *c)
{
	int64_t index[8];
	const int64_t *extent = c->kind == CODE_TENSOR ? in->tensor[c->slot].extent : in->stmt[c->slot].extent;

	for (size_t i = 0; i < c->arg_count; i++) {
		struct value v = evaluate(in, c->arg[i]);
		if (v.kind == KIND_REAL)
			fail(in, c->arg[i]->expr, "index %zu of '%s' is not an integer", i, c->expr->name);
		if (in->failed)
			return integer(0);
		if (v.i < 0 || v.i >= extent[i]) {
			if (c->otherwise)
				return evaluate(in, c->otherwise);
			fail(in, c->expr, "read of '%s' outside: index %" PRId64 " of 0..%" PRId64 " in dimension %zu",
			     c->expr->name, v.i, extent[i] - 1, i);
			return integer(0);
		}
		index[i] = v.i;
	}
	return c->kind == CODE_TENSOR ? read_tensor(in, c, index) : stmt_value(in, c->slot, index, c->expr);
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
			f->total = integer((int64_t)((uint64_t)f->total.i + (uint64_t)v.i));
		else
			f->total = real(f->total.d + v.d, f->total.magnitude + v.magnitude);
		break;
	case OP_PROD:
		if (v.kind != KIND_REAL && (!f->any || f->total.kind != KIND_REAL))
			f->total = integer((int64_t)((uint64_t)f->total.i * (uint64_t)v.i));
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

static void loop(struct interp *in, const struct code *c, size_t level, struct fold *f)
{
	if (level == c->range_count) {
		if (c->filter) {
			struct value keep = evaluate(in, c->filter);
			if (!(keep.kind == KIND_REAL ? keep.d != 0 : keep.i != 0))
				return;
		}
		fold_one(c, f, evaluate(in, c->arg[0]), in->slot[c->range[0].slot].i);
		return;
	}
	int64_t lo = evaluate(in, c->range[level].lo).i, hi = evaluate(in, c->range[level].hi).i;
	for (int64_t i = lo; i < hi && !in->failed; i++) {
		in->slot[c->range[level].slot] = integer(i);
		loop(in, c, level + 1, f);
	}
}

static struct value reduce(struct interp *in, const struct code *c)
{
	struct fold f = { .at = -1 };

	f.total = c->expr->op == OP_PROD ? integer(1) : integer(0);
	loop(in, c, 0, &f);
	if (c->expr->op == OP_ARGMAX || c->expr->op == OP_ARGMIN)
		return integer(f.at);
	/* Nothing to reduce: the least or greatest value of the kind. */
	if (!f.any && (c->expr->op == OP_MAX || c->expr->op == OP_MIN)) {
		bool least = c->expr->op == OP_MAX;
		if (c->want == KIND_REAL)
			return real(least ? -INFINITY : INFINITY, 0);
		return c->want == KIND_BOOL ? truth(!least) : integer(least ? INT64_MIN : INT64_MAX);
	}
	return f.total;
}

/* An int where the other branch is real. */
static struct value as_kind(struct value v, enum kind want)
{
	return want == KIND_REAL && v.kind != KIND_REAL ? real(v.d, v.magnitude) : v;
}

static struct value evaluate(struct interp *in, const struct code *c)
{
	struct value v;

	if (in->failed)
		return integer(0);
	switch (c->kind) {
	case CODE_CONSTANT: return c->constant;
	case CODE_INDEX: return in->slot[c->slot];
	case CODE_TENSOR:
	case CODE_STMT: return as_kind(access(in, c), c->want);
	case CODE_NEG:
		v = evaluate(in, c->arg[0]);
		return v.kind == KIND_REAL ? real(-v.d, v.magnitude) : integer(-v.i);
	case CODE_BINARY: return binary(in, c);
	case CODE_SELECT:
		v = evaluate(in, c->arg[0]);
		return as_kind(evaluate(in, c->arg[(v.kind == KIND_REAL ? v.d != 0 : v.i != 0) ? 1 : 2]), c->want);
	case CODE_CALL: return call(in, c);
	case CODE_PRELUDE: {
		struct value arg[3];
		for (size_t i = 0; i < c->arg_count && i < 3; i++)
			arg[i] = evaluate(in, c->arg[i]);
		memcpy(&in->slot[c->slot], arg, c->arg_count * sizeof(*arg));
		return evaluate(in, c->definition);
	}
	case CODE_REDUCE: return as_kind(reduce(in, c), c->want);
	}
	return integer(0);
}

/* ---- memo ------------------------------------------------------------ */

static size_t memo_slot(const struct memo *m, int64_t key)
{
	size_t i = (size_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 17) & (m->capacity - 1);

	while (m->key[i] != -1 && m->key[i] != key)
		i = (i + 1) & (m->capacity - 1);
	return i;
}

static void memo_grow(struct memo *m)
{
	struct memo old = *m;

	m->capacity = old.capacity ? 2 * old.capacity : 64;
	m->key = malloc(m->capacity * sizeof(*m->key));
	m->value = malloc(m->capacity * sizeof(*m->value));
	if (!m->key || !m->value)
		abort();
	for (size_t i = 0; i < m->capacity; i++)
		m->key[i] = -1;
	for (size_t i = 0; i < old.capacity; i++)
		if (old.key[i] != -1) {
			size_t k = memo_slot(m, old.key[i]);
			m->key[k] = old.key[i];
			m->value[k] = old.value[i];
		}
	free(old.key);
	free(old.value);
}

/* The memoised value, or NULL. */
static const struct value *memo_find(const struct stmt *stmt, const int64_t *index)
{
	int64_t key = 0;

	for (size_t i = 0; i < stmt->normal->index_count; i++)
		key = key * stmt->extent[i] + index[i];
	if (!stmt->memo.capacity)
		return NULL;
	size_t k = memo_slot(&stmt->memo, key);
	return stmt->memo.key[k] == key ? &stmt->memo.value[k] : NULL;
}

static void memo_add(struct stmt *stmt, const int64_t *index, struct value v)
{
	int64_t key = 0;

	for (size_t i = 0; i < stmt->normal->index_count; i++)
		key = key * stmt->extent[i] + index[i];
	if (2 * stmt->memo.count >= stmt->memo.capacity)
		memo_grow(&stmt->memo);
	size_t k = memo_slot(&stmt->memo, key);
	stmt->memo.key[k] = key;
	stmt->memo.value[k] = v;
	stmt->memo.count++;
}

/* A recurrence is evaluated in increasing order: recursion would be as deep as it is long. */
static void evaluate_before(struct interp *in, int s, const int64_t *index, const struct expr *at)
{
	struct stmt *stmt = &in->stmt[s];
	int64_t earlier[8], last = index[stmt->step];

	memcpy(earlier, index, stmt->normal->index_count * sizeof(*index));
	int64_t *t = &earlier[stmt->step];
	for (*t = last - 1; *t >= 0 && !memo_find(stmt, earlier); --*t)
		;
	for (++*t; *t < last && !in->failed; ++*t)
		stmt_value(in, s, earlier, at);
}

static struct value stmt_value(struct interp *in, int s, const int64_t *index, const struct expr *at)
{
	struct stmt *stmt = &in->stmt[s];
	struct value saved[MAX_SLOTS];
	const struct value *known = memo_find(stmt, index);

	if (known)
		return *known;
	if (++in->depth > MAX_DEPTH) {
		fail(in, at, "'%s' depends on itself without end", stmt->normal->name);
		return integer(0);
	}
	if (stmt->step >= 0)
		evaluate_before(in, s, index, at);
	memcpy(saved, in->slot, (size_t)stmt->slot_count * sizeof(*saved));
	for (size_t i = 0; i < stmt->normal->index_count; i++)
		in->slot[stmt->slot[i]] = integer(index[i]);
	struct value v = evaluate(in, stmt->code);
	memcpy(in->slot, saved, (size_t)stmt->slot_count * sizeof(*saved));
	in->depth--;
	if (!in->failed && !memo_find(stmt, index))
		memo_add(stmt, index, v);
	return v;
}

/* ---- life ------------------------------------------------------------ */

void interp_forget(struct interp *in)
{
	for (size_t i = 0; i < in->normal.stmt_count; i++) {
		free(in->stmt[i].memo.key);
		free(in->stmt[i].memo.value);
		in->stmt[i].memo = (struct memo){ 0 };
	}
}

void interp_close(struct interp *in)
{
	if (!in)
		return;
	if (in->stmt)
		interp_forget(in);
	arena_release(&in->arena);
	free(in);
}

/* Does e read one of the marked statements at `name` - c? */
static bool steps_back(const struct interp *in, const struct expr *e, const char *name, const bool *cycle)
{
	bool found = false;

	if (!e)
		return false;
	for (size_t i = 0; e->kind == EXPR_ACCESS && i < e->arg_count; i++) {
		const struct normal_stmt *s = normal_find(&in->normal, e->name);
		const struct expr *x = e->arg[i];
		found |= s && cycle[s - in->normal.stmt] && x->kind == EXPR_BINARY && x->op == OP_SUB && x->arg[0]->kind == EXPR_NAME &&
			 !strcmp(x->arg[0]->name, name) && x->arg[1]->kind == EXPR_INT && x->arg[1]->int_value > 0;
	}
	for (size_t i = 0; !found && i < e->arg_count; i++)
		found = steps_back(in, e->arg[i], name, cycle);
	return found || steps_back(in, e->otherwise, name, cycle) || steps_back(in, e->filter, name, cycle);
}

/* Sets stmt[].step of the statements that depend on themselves. */
static void find_recurrences(struct interp *in)
{
	size_t n = in->normal.stmt_count;
	bool *reaches = ARENA_ARRAY(&in->arena, bool, n * n + 1), *cycle = ARENA_ARRAY(&in->arena, bool, n + 1);
	const struct normal_stmt *stmt = in->normal.stmt;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			reaches[i * n + j] = expr_uses(stmt[i].value, stmt[j].name);
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; reaches[i * n + k] && j < n; j++)
				reaches[i * n + j] |= reaches[k * n + j];
	for (size_t s = 0; s < n; s++) {
		in->stmt[s].step = -1;
		for (size_t i = 0; i < n; i++)
			cycle[i] = reaches[i * n + s] && reaches[s * n + i];
		for (size_t i = 0; reaches[s * n + s] && i < n; i++)
			for (size_t k = 0; cycle[i] && in->stmt[s].step < 0 && k < stmt[s].index_count; k++)
				if (steps_back(in, stmt[i].value, stmt[s].index[k].name, cycle))
					in->stmt[s].step = (int)k;
	}
}

static int prepare(struct interp *in)
{
	const struct problem *p = in->problem;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		enum dtype d = problem_tensor_dtype(p, t);
		in->tensor[t].rank = problem_shape(p, t, in->tensor[t].extent);
		in->tensor[t].kind = d == DTYPE_bool ? KIND_BOOL : dtype_is_real(d) ? KIND_REAL : KIND_INT;
	}
	for (size_t i = 0; i < in->normal.stmt_count; i++) {
		const struct normal_stmt *s = &in->normal.stmt[i];
		struct resolver r = { .in = in };
		in->stmt[i].normal = s;
		if (s->index_count > 8) {
			strbuf_addf(in->err, "%s: statement '%s' has more than 8 indices", p->op->name, s->name);
			return -1;
		}
		for (size_t k = 0; k < s->index_count; k++) {
			if (expr_int_value(s->index[k].hi, p->binding, p->binding_count, &in->stmt[i].extent[k], in->err))
				return -1;
			in->stmt[i].slot[k] = bind_slot(&r, s->index[k].name);
		}
		in->stmt[i].code = resolve(&r, s->value);
		in->stmt[i].slot_count = r.most;
		if (in->failed)
			return -1;
	}
	find_recurrences(in);
	return 0;
}

struct interp *interp_open(const struct problem *problem, interp_read *read, const void *user,
			   struct strbuf *err)
{
	struct interp *in = calloc(1, sizeof(*in));

	if (!in)
		abort();
	in->problem = problem;
	in->read = read;
	in->user = user;
	in->err = err;
	if (normal_form(&in->arena, problem->op, problem->attr, &in->normal, err))
		goto fail;
	in->stmt = ARENA_ARRAY(&in->arena, struct stmt, in->normal.stmt_count + 1);
	if (prepare(in))
		goto fail;
	return in;
fail:
	interp_close(in);
	return NULL;
}

int interp_value_magnitude(struct interp *in, int tensor, int64_t index, double *value,
			   double *magnitude, struct strbuf *err)
{
	const char *name = in->problem->op->tensor[tensor].name;
	int64_t at[8];

	in->err = err;
	in->failed = false;
	in->depth = 0;
	for (size_t s = 0; s < in->normal.stmt_count; s++) {
		if (strcmp(in->normal.stmt[s].name, name))
			continue;
		for (size_t i = in->normal.stmt[s].index_count; i-- > 0;) {
			at[i] = index % in->stmt[s].extent[i];
			index /= in->stmt[s].extent[i];
		}
		struct value v = stmt_value(in, (int)s, at, in->normal.stmt[s].value);
		*value = v.d;
		*magnitude = v.magnitude;
		return in->failed ? -1 : 0;
	}
	strbuf_addf(err, "%s: output '%s' has no statement in the body", in->problem->op->name, name);
	return -1;
}

int interp_value(struct interp *in, int tensor, int64_t index, double *value, struct strbuf *err)
{
	double magnitude;
	return interp_value_magnitude(in, tensor, index, value, &magnitude, err);
}

int64_t interp_reads(const struct interp *in)
{
	return in->reads;
}
