#include "ops/core/loops.h"
#include "ops/core/loops_head.h"
#include "ops/core/normal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct printer {
	const struct problem *problem;
	struct normal normal;
	enum loops_arithmetic arithmetic;
	bool pairs;           /* every real is (value, magnitude) */
	struct strbuf *out;
	int depth;
	/* The group of statements that share one outer loop nest. */
	size_t group_first, group_end;
	size_t prefix;        /* leading indices that the group shares */
	struct strbuf *err;
	struct expr *extent[OP_MAX_TENSORS][8]; /* of the tensor table, attributes put in */
	const struct normal_stmt *stmt; /* being printed */
	bool *is_whole;       /* by statement: kept as a whole array though its group shares loops */
	bool *is_array;       /* by statement: a whole array, freed at the end */
	bool failed;
};

/* ---- expressions ----------------------------------------------------- */

static void print_as(struct printer *p, const struct expr *e, enum kind want);

static void add(struct printer *p, const char *text)
{
	strbuf_addstr(p->out, text);
}

static bool is_group_local(const struct printer *p, const struct normal_stmt *s)
{
	size_t i = (size_t)(s - p->normal.stmt);
	return i >= p->group_first && i < p->group_end && s->tensor < 0 && !p->is_whole[i];
}

/* Flat position of args[from..count) over extents that `extent` prints. */
static void print_flat(struct printer *p, struct expr *const *arg, const struct expr_range *index,
		       size_t from, size_t count, int tensor)
{
	if (from == count) {
		add(p, "0");
		return;
	}
	for (size_t i = from; i + 1 < count; i++)
		add(p, "(");
	for (size_t i = from; i < count; i++) {
		if (i > from) {
			add(p, " * ");
			if (tensor >= 0)
				strbuf_addf(p->out, "extent%d_%zu_", tensor, i);
			else
				print_as(p, index[i].hi, KIND_INT);
			add(p, " + ");
		}
		print_as(p, arg[i], KIND_INT);
		if (i > from)
			add(p, ")");
	}
}

static void print_load(struct printer *p, const struct expr *e)
{
	const struct normal_stmt *s = normal_find(&p->normal, e->name);
	int t = s ? s->tensor : op_tensor_index(p->problem->op, e->name);

	if (s && is_group_local(p, s)) {
		if (s->index_count == p->prefix) {
			strbuf_addf(p->out, "v_%s", e->name);
		} else {
			strbuf_addf(p->out, "v_%s[", e->name);
			print_flat(p, e->arg, s->index, p->prefix, e->arg_count, -1);
			add(p, "]");
		}
	} else if (t >= 0) {
		strbuf_addf(p->out, "load_%s(%s, ", dtype_name(problem_tensor_dtype(p->problem, t)), e->name);
		print_flat(p, e->arg, NULL, 0, e->arg_count, t);
		add(p, ")");
	} else if (s && !s->index_count) {
		strbuf_addf(p->out, "v_%s", e->name);
	} else {
		strbuf_addf(p->out, "v_%s[", e->name);
		print_flat(p, e->arg, s->index, 0, e->arg_count, -1);
		add(p, "]");
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
		print_load(p, e);
		return;
	}
	add(p, "(");
	for (size_t i = 0; i < e->arg_count; i++) {
		if (is_inside(p, e->arg[i], t >= 0 ? p->extent[t][i] : s->index[i].hi))
			continue;
		add(p, checks++ ? " && (uint64_t)(" : "(uint64_t)(");
		print_as(p, e->arg[i], KIND_INT);
		add(p, ") < (uint64_t)(");
		if (t >= 0)
			strbuf_addf(p->out, "extent%d_%zu_", t, i);
		else
			print_as(p, s->index[i].hi, KIND_INT);
		add(p, ")");
	}
	add(p, checks ? " ? " : "1 ? ");
	print_load(p, e);
	add(p, " : ");
	print_as(p, e->otherwise, kind);
	add(p, ")");
}

static void print_two(struct printer *p, const char *function, const struct expr *e, enum kind kind)
{
	strbuf_addf(p->out, "%s(", function);
	for (size_t i = 0; i < e->arg_count; i++) {
		if (i)
			add(p, ", ");
		print_as(p, e->arg[i], kind);
	}
	add(p, ")");
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
	add(p, "(");
	print_as(p, e->arg[0], e->op >= OP_AND ? KIND_BOOL : kind);
	strbuf_addf(p->out, "%s %s ", value_of ? ".v" : "", expr_op_text(e->op));
	print_as(p, e->arg[1], e->op >= OP_AND ? KIND_BOOL : kind);
	add(p, value_of ? ".v)" : ")");
}

static void print_number(struct printer *p, double v)
{
	bool is_float = p->arithmetic == LOOPS_NATIVE && p->problem->dtype != DTYPE_f64;

	char text[40];

	if (isinf(v)) {
		add(p, v < 0 ? "(-INFINITY)" : "INFINITY");
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
			add(p, "p_of(");
		print_number(p, e->real_value);
		if (p->pairs)
			add(p, ")");
		break;
	case EXPR_NAME:
		if (normal_find(&p->normal, e->name) || op_tensor_index(p->problem->op, e->name) >= 0)
			print_load(p, e);
		else
			add(p, e->name);
		break;
	case EXPR_ACCESS:
		print_access(p, e, kind);
		break;
	case EXPR_NEG:
		add(p, p->pairs && kind == KIND_REAL ? "p_neg(" : "(-");
		print_as(p, e->arg[0], kind);
		add(p, ")");
		break;
	case EXPR_BINARY:
		print_binary(p, e);
		break;
	case EXPR_SELECT:
		add(p, "(");
		print_as(p, e->arg[0], KIND_BOOL);
		add(p, " ? ");
		print_as(p, e->arg[1], kind);
		add(p, " : ");
		print_as(p, e->arg[2], kind);
		add(p, ")");
		break;
	case EXPR_CALL:
		print_call(p, e, kind);
		break;
	case EXPR_REDUCE:
		p->failed = true;
		break;
	}
}

static void print_as(struct printer *p, const struct expr *e, enum kind want)
{
	enum kind kind = normal_kind(&p->normal, e);

	if (want == KIND_REAL && kind != KIND_REAL) {
		if (e->kind == EXPR_INT && !p->pairs) {
			print_number(p, (double)e->int_value);
			return;
		}
		add(p, p->pairs ? "p_of((double)(" : "(real)(");
		print_bare(p, e, kind);
		add(p, p->pairs ? "))" : ")");
	} else if (want == KIND_BOOL && kind == KIND_REAL) {
		add(p, "(");
		print_bare(p, e, kind);
		add(p, p->pairs ? ".v != 0)" : " != 0)");
	} else {
		print_bare(p, e, kind);
	}
}

/* ---- statements ------------------------------------------------------ */

static void line(struct printer *p, const char *text)
{
	for (int i = 0; i < p->depth; i++)
		add(p, "\t");
	add(p, text);
}

static void open_loop(struct printer *p, const struct expr_range *r)
{
	line(p, "");
	strbuf_addf(p->out, "for (int64_t %s = ", r->name);
	print_as(p, r->lo, KIND_INT);
	strbuf_addf(p->out, ", %s_end_ = ", r->name);
	print_as(p, r->hi, KIND_INT);
	strbuf_addf(p->out, "; %s < %s_end_; %s++) {\n", r->name, r->name, r->name);
	p->depth++;
}

static void close_loops(struct printer *p, size_t count)
{
	while (count--) {
		p->depth--;
		line(p, "}\n");
	}
}

static const char *type_of(enum kind kind)
{
	return kind == KIND_REAL ? "num" : "int64_t";
}

/* "y[..] = " or "v_m = " around what `value` names. */
static void print_store(struct printer *p, const struct normal_stmt *s, const char *value)
{
	struct expr name[8], *arg[8];

	for (size_t i = 0; i < s->index_count; i++) {
		name[i] = (struct expr){ .kind = EXPR_NAME, .name = s->index[i].name };
		arg[i] = &name[i];
	}
	line(p, "");
	if (s->tensor >= 0) {
		strbuf_addf(p->out, "store_%s(%s, ", dtype_name(problem_tensor_dtype(p->problem, s->tensor)), s->name);
		print_flat(p, arg, NULL, 0, s->index_count, s->tensor);
		strbuf_addf(p->out, ", %s);\n", value);
		return;
	}
	strbuf_addf(p->out, "v_%s", s->name);
	size_t from = is_group_local(p, s) ? p->prefix : 0;
	if (s->index_count > from) {
		add(p, "[");
		print_flat(p, arg, s->index, from, s->index_count, -1);
		add(p, "]");
	}
	strbuf_addf(p->out, " = %s;\n", value);
}

static void print_fold(struct printer *p, const struct expr *e, enum kind kind)
{
	bool is_arg = e->op == OP_ARGMAX || e->op == OP_ARGMIN;

	if (e->filter) {
		line(p, "if (");
		print_as(p, e->filter, KIND_BOOL);
		add(p, ") {\n");
		p->depth++;
	}
	line(p, "");
	if (e->op == OP_SUM || e->op == OP_PROD) {
		if (p->pairs && kind == KIND_REAL)
			strbuf_addf(p->out, "acc_ = %s(acc_, ", e->op == OP_SUM ? "p_add" : "p_mul");
		else
			strbuf_addf(p->out, "acc_ %s= (", e->op == OP_SUM ? "+" : "*");
		print_as(p, e->arg[0], kind);
		add(p, ");\n");
	} else if (!is_arg) {
		strbuf_addf(p->out, "acc_ = %s_%s(acc_, ", kind == KIND_REAL ? "f" : "i", e->op == OP_MAX ? "maximum" : "minimum");
		print_as(p, e->arg[0], kind);
		add(p, ");\n");
	} else {
		const char *value = p->pairs ? ".v" : "";
		add(p, "{ num this_ = ");
		print_as(p, e->arg[0], KIND_REAL);
		strbuf_addf(p->out, "; if (acc_ < 0 || (best_%s == best_%s && (this_%s != this_%s || this_%s %s best_%s))) { best_ = this_; acc_ = %s; } }\n",
			    value, value, value, value, value, e->op == OP_ARGMAX ? ">" : "<", value, e->range[0].name);
	}
	if (e->filter)
		close_loops(p, 1);
}

static void print_start(struct printer *p, const struct expr *e, enum kind kind)
{
	line(p, "");
	strbuf_addf(p->out, "%s acc_ = ", type_of(kind));
	switch (e->op) {
	case OP_SUM: add(p, p->pairs && kind == KIND_REAL ? "p_of(0)" : "0"); break;
	case OP_PROD: add(p, p->pairs && kind == KIND_REAL ? "p_of(1)" : "1"); break;
	case OP_ARGMAX:
	case OP_ARGMIN: add(p, p->pairs ? "-1; num best_ = p_of(0)" : "-1; num best_ = 0"); break;
	default: {
		const char *sign = e->op == OP_MAX ? "-" : "";
		if (kind != KIND_REAL)
			add(p, e->op == OP_MAX ? "INT64_MIN" : "INT64_MAX");
		else if (p->pairs)
			strbuf_addf(p->out, "(num){ %sINFINITY, 0 }", sign);
		else
			strbuf_addf(p->out, "%sINFINITY", sign);
	}
	}
	add(p, ";\n");
}

/* Is e `name`, or linear in it with a constant step: name*2 + u - 1? */
static bool steps_with(const struct expr *e, const char *name)
{
	if (e->kind == EXPR_NAME)
		return !strcmp(e->name, name);
	if (e->kind != EXPR_BINARY || !expr_uses(e, name) || (expr_uses(e->arg[0], name) && expr_uses(e->arg[1], name)))
		return false;
	const struct expr *with = e->arg[expr_uses(e->arg[0], name) ? 0 : 1];
	const struct expr *without = e->arg[with == e->arg[0] ? 1 : 0];
	return steps_with(with, name) && (e->op == OP_ADD || (e->op == OP_SUB && with == e->arg[0]) ||
					  (e->op == OP_MUL && without->kind == EXPR_INT));
}

/* An access that walks along its last dimension with `name`, or does not use it. */
static bool walks_along(const struct expr *e, const char *name, bool *uses)
{
	if (e->kind != EXPR_ACCESS || !e->arg_count || (e->otherwise && expr_uses(e->otherwise, name)))
		return false;
	for (size_t i = 0; i + 1 < e->arg_count; i++)
		if (expr_uses(e->arg[i], name))
			return false;
	bool here = expr_uses(e->arg[e->arg_count - 1], name);
	*uses |= here;
	return !here || steps_with(e->arg[e->arg_count - 1], name);
}

/*
 * Does the sum run with the last output index innermost, as a programmer would
 * write it (the i,k,j order of a matrix product), so that it vectorises?
 */
static bool is_streamed(const struct printer *p, const struct normal_stmt *s)
{
	const struct expr *e = s->value;
	bool streams = false;

	if (p->arithmetic != LOOPS_NATIVE || e->kind != EXPR_REDUCE || e->op != OP_SUM || e->filter || s->index_count < 2 ||
	    s->kind != KIND_REAL)
		return false;
	if (s->tensor >= 0 && dtype_roundoff(problem_tensor_dtype(p->problem, s->tensor)) > dtype_roundoff(DTYPE_f32))
		return false;
	const struct expr *product = e->arg[0];
	const char *last = s->index[s->index_count - 1].name;
	for (size_t i = 0; i < e->range_count; i++)
		if (expr_uses(e->range[i].lo, last) || expr_uses(e->range[i].hi, last))
			return false;
	if (product->kind == EXPR_BINARY && product->op == OP_MUL)
		return walks_along(product->arg[0], last, &streams) && walks_along(product->arg[1], last, &streams) && streams;
	return walks_along(product, last, &streams) && streams;
}

/* y[.., j] = 0 over j; then for every reduced index: y[.., j] += term over j. */
static void print_streamed(struct printer *p, const struct normal_stmt *s)
{
	const struct expr *e = s->value;
	const struct expr_range *last = &s->index[s->index_count - 1];
	struct strbuf sum = STRBUF_INIT, *saved = p->out;
	struct expr self = { .kind = EXPR_ACCESS, .name = s->name, .arg_count = s->index_count }, name[8], *index[8];

	for (size_t i = 0; i < s->index_count; i++) {
		name[i] = (struct expr){ .kind = EXPR_NAME, .name = s->index[i].name };
		index[i] = &name[i];
	}
	self.arg = index;
	open_loop(p, last);
	print_store(p, s, "0");
	close_loops(p, 1);
	for (size_t i = 0; i < e->range_count; i++)
		open_loop(p, &e->range[i]);
	open_loop(p, last);
	p->out = &sum;
	print_load(p, &self);
	add(p, " + ");
	print_as(p, e->arg[0], KIND_REAL);
	p->out = saved;
	print_store(p, s, sum.buf);
	strbuf_release(&sum);
	close_loops(p, 1 + e->range_count);
}

/*
 * A reduction over 0..last or 0..last+1 of what does not use the last index: one
 * running value serves the whole row.
 */
static bool is_scan(const struct normal_stmt *s)
{
	const struct expr *e = s->value, *hi;

	if (e->kind != EXPR_REDUCE || e->op > OP_MIN || e->range_count != 1 || !s->index_count)
		return false;
	const char *last = s->index[s->index_count - 1].name;
	hi = e->range[0].hi;
	if (hi->kind == EXPR_BINARY && hi->op == OP_ADD && hi->arg[1]->kind == EXPR_INT && hi->arg[1]->int_value == 1)
		hi = hi->arg[0];
	return hi->kind == EXPR_NAME && !strcmp(hi->name, last) && e->range[0].lo->kind == EXPR_INT && !e->range[0].lo->int_value &&
	       !expr_uses(e->arg[0], last) && !expr_uses(e->filter, last);
}

static void print_scan(struct printer *p, const struct normal_stmt *s)
{
	const struct expr *e = s->value;
	const struct expr_range *last = &s->index[s->index_count - 1];
	bool is_exclusive = e->range[0].hi->kind == EXPR_NAME;

	line(p, "{\n");
	p->depth++;
	print_start(p, e, s->kind);
	open_loop(p, last);
	if (is_exclusive)
		print_store(p, s, "acc_");
	line(p, "");
	strbuf_addf(p->out, "const int64_t %s = %s;\n", e->range[0].name, last->name);
	print_fold(p, e, s->kind);
	if (!is_exclusive)
		print_store(p, s, "acc_");
	close_loops(p, 2);
}

static void print_stmt(struct printer *p, const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	p->stmt = s;
	if (is_scan(s) || is_streamed(p, s)) {
		for (size_t i = p->prefix; i + 1 < s->index_count; i++)
			open_loop(p, &s->index[i]);
		if (is_scan(s))
			print_scan(p, s);
		else
			print_streamed(p, s);
		close_loops(p, s->index_count - 1 - p->prefix);
		return;
	}
	for (size_t i = p->prefix; i < s->index_count; i++)
		open_loop(p, &s->index[i]);
	if (e->kind == EXPR_REDUCE) {
		line(p, "{\n");
		p->depth++;
		print_start(p, e, s->kind);
		for (size_t i = 0; i < e->range_count; i++)
			open_loop(p, &e->range[i]);
		print_fold(p, e, s->kind);
		close_loops(p, e->range_count);
		print_store(p, s, "acc_");
		close_loops(p, 1);
	} else {
		struct strbuf value = STRBUF_INIT, *saved = p->out;
		p->out = &value;
		print_as(p, e, s->kind);
		p->out = saved;
		print_store(p, s, value.buf);
		strbuf_release(&value);
	}
	close_loops(p, s->index_count - p->prefix);
}

/* ---- groups ---------------------------------------------------------- */

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

/* The leading indices whose loops a statement can share: a scan or streamed sum keeps its last. */
static size_t shareable(const struct printer *p, const struct normal_stmt *s)
{
	return s->index_count - (is_scan(s) || is_streamed(p, s));
}

/* Statements from `first` on that share an outer loop nest: sets group_end and prefix. */
static void find_group(struct printer *p, size_t first)
{
	const struct normal_stmt *s = &p->normal.stmt[first];

	p->group_first = first;
	p->group_end = first + 1;
	p->prefix = shareable(p, s);
	for (size_t k = first + 1; k < p->normal.stmt_count; k++) {
		const struct normal_stmt *t = &p->normal.stmt[k];
		size_t common = 0;
		while (common < p->prefix && common < shareable(p, t) && same_range(&s->index[common], &t->index[common]))
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
	line(p, "");
	if (s->index_count <= from) {
		strbuf_addf(p->out, "%s v_%s;\n", type_of(s->kind), s->name);
		return;
	}
	if (!from)
		p->is_array[s - p->normal.stmt] = true;
	strbuf_addf(p->out, "%s *restrict v_%s = malloc(sizeof(%s) * (size_t)(1", type_of(s->kind), s->name, type_of(s->kind));
	for (size_t i = from; i < s->index_count; i++) {
		add(p, " * ");
		print_as(p, s->index[i].hi, KIND_INT);
	}
	add(p, ") + 64);\n");
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

static void print_group(struct printer *p)
{
	const struct normal_stmt *stmt = p->normal.stmt;

	for (size_t k = p->group_first; k < p->group_end; k++)
		if (p->is_whole[k] || !p->prefix)
			declare(p, &stmt[k], 0);
		else if (stmt[k].index_count > p->prefix)
			declare(p, &stmt[k], p->prefix);
	for (size_t i = 0; i < p->prefix; i++)
		open_loop(p, &stmt[p->group_first].index[i]);
	for (size_t k = p->group_first; k < p->group_end; k++) {
		if (p->prefix && stmt[k].index_count == p->prefix && !p->is_whole[k])
			declare(p, &stmt[k], p->prefix);
		print_stmt(p, &stmt[k]);
	}
	close_loops(p, p->prefix);
	for (size_t k = p->group_first; k < p->group_end; k++)
		if (stmt[k].tensor < 0 && !p->is_array[k] && stmt[k].index_count > p->prefix) {
			line(p, "");
			strbuf_addf(p->out, "free(v_%s);\n", stmt[k].name);
		}
}

static void print_groups(struct printer *p)
{
	for (size_t k = 0; k < p->normal.stmt_count; k++)
		for (size_t j = k; j < p->normal.stmt_count; j++)
			p->is_whole[j] |= expr_uses(p->normal.stmt[k].value, p->normal.stmt[j].name);
	for (size_t i = 0; i < p->normal.stmt_count; i = p->group_end) {
		find_group(p, i);
		for (size_t k = i; k < p->group_end; k++)
			p->is_whole[k] |= is_used_later(p, &p->normal.stmt[k]);
		if (!is_in_order(p))
			return;
		print_group(p);
	}
	for (size_t i = 0; i < p->normal.stmt_count; i++)
		if (p->is_array[i]) {
			line(p, "");
			strbuf_addf(p->out, "free(v_%s);\n", p->normal.stmt[i].name);
		}
}

/* ---- the frame ------------------------------------------------------- */

/* The prelude, printed from its definitions: parameters are scalars v_x, v_a, ... */
static void print_prelude(struct printer *p, struct arena *arena)
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
			strbuf_addf(p->out, "%s%s v_%s", count ? ", " : "", type_of(kind), param[count].name);
			count++;
			s += n;
		}
		if (expr_parse(arena, f->definition, f->name, EXPR_BODY, &definition, p->err)) {
			p->failed = true;
			return;
		}
		p->normal.stmt = param;
		p->normal.stmt_count = count;
		add(p, ") { return ");
		print_as(p, definition, KIND_REAL);
		add(p, "; }\n");
		p->normal = saved;
	}
}

static void print_head(struct printer *p, struct arena *arena)
{
	bool native = p->arithmetic == LOOPS_NATIVE;

	loops_head(native, native && p->problem->dtype != DTYPE_f64, p->pairs, p->out);
	print_prelude(p, arena);
}

/* const int64_t M = dim[0]; const float *x = buf[0]; and its extents. */
static int print_arguments(struct printer *p, struct arena *arena)
{
	const struct op *op = p->problem->op;

	for (int i = 0; i < op_dim_count(op); i++)
		strbuf_addf(p->out, "\tconst int64_t %s = dim[%d]; (void)%s;\n", op_dim_name(op, i), i, op_dim_name(op, i));
	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		const struct op_tensor *x = &op->tensor[t];
		const char *type = p->arithmetic == LOOPS_DOUBLE ? "double" : dtype_ctype(problem_tensor_dtype(p->problem, t));
		strbuf_addf(p->out, "\t%s%s *restrict %s = buf[%d];\n", x->role == OP_IN ? "const " : "", type, x->name, t);
		int i = 0;
		for (const char *s = x->shape + strspn(x->shape, " "); *s && i < 8; i++) {
			size_t n = strcspn(s, " ");
			struct expr **e = &p->extent[t][i];
			if (expr_parse(arena, arena_strndup(arena, s, n), op->name, EXPR_BODY, e, p->err))
				return -1;
			for (int a = 0; a < OP_MAX_ATTRS && op->attr[a].name; a++)
				*e = expr_replace_name(arena, *e, op->attr[a].name, expr_int(arena, (int64_t)p->problem->attr[a]));
			strbuf_addf(p->out, "\tconst int64_t extent%d_%d_ = ", t, i);
			print_as(p, *e, KIND_INT);
			strbuf_addf(p->out, "; (void)extent%d_%d_;\n", t, i);
			s += n;
			s += strspn(s, " ");
		}
	}
	return 0;
}

int loops_print(const struct problem *problem, enum loops_arithmetic arithmetic, bool magnitude,
		const char *symbol, struct strbuf *out, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct printer p = { .problem = problem, .arithmetic = arithmetic, .pairs = magnitude, .out = out, .depth = 1, .err = err };
	int ret = -1;

	if (normal_form(&arena, problem->op, problem->attr, &p.normal, err))
		goto out;
	p.is_array = ARENA_ARRAY(&arena, bool, p.normal.stmt_count + 1);
	p.is_whole = ARENA_ARRAY(&arena, bool, p.normal.stmt_count + 1);
	print_head(&p, &arena);
	strbuf_addf(out, "void %s(void *const *buf, const int64_t *dim)\n{\n", symbol);
	if (print_arguments(&p, &arena))
		goto out;
	print_groups(&p);
	add(&p, "}\n");
	ret = p.failed ? -1 : 0;
	if (p.failed && !err->len)
		strbuf_addf(err, "%s: the normal form holds a construct loops cannot print", problem->op->name);
out:
	arena_release(&arena);
	return ret;
}
