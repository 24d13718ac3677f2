#include "ops/core/loops_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void loops_open(struct printer *p, const struct expr_range *r)
{
	loops_line(p, "");
	strbuf_addf(p->out, "for (int64_t %s = ", r->name);
	loops_value(p, r->lo, KIND_INT);
	strbuf_addf(p->out, ", %s_end_ = ", r->name);
	loops_value(p, r->hi, KIND_INT);
	strbuf_addf(p->out, "; %s < %s_end_; %s++) {\n", r->name, r->name, r->name);
	p->depth++;
}

void loops_open_index(struct printer *p, const struct normal_stmt *s, size_t i)
{
	size_t at = 2 * (LOOPS_RANK * (size_t)(s - p->normal.stmt) + i);

	if (!p->boxed) {
		loops_open(p, &s->index[i]);
		return;
	}
	loops_line(p, "");
	strbuf_addf(p->out, "for (int64_t %s = ", s->index[i].name);
	if (i < p->divided)
		strbuf_addf(p->out, "divided_ == %zu ? part_of(box + %zu, thread_, threads_) : ", i, at);
	strbuf_addf(p->out, "box[%zu], %s_end_ = ", at, s->index[i].name);
	if (i < p->divided)
		strbuf_addf(p->out, "divided_ == %zu ? part_of(box + %zu, thread_ + 1, threads_) : ", i, at);
	strbuf_addf(p->out, "box[%zu]; %s < %s_end_; %s++) {\n", at + 1, s->index[i].name, s->index[i].name, s->index[i].name);
	p->depth++;
}

void loops_close(struct printer *p, size_t count)
{
	while (count--) {
		p->depth--;
		loops_line(p, "}\n");
	}
}

/* "y[..] = " or "v_m = " around what `value` names. */
static void print_store(struct printer *p, const struct normal_stmt *s, const char *value)
{
	struct expr name[8], *arg[8];

	for (size_t i = 0; i < s->index_count; i++) {
		name[i] = (struct expr){ .kind = EXPR_NAME, .name = s->index[i].name };
		arg[i] = &name[i];
	}
	loops_line(p, "");
	if (s->tensor >= 0) {
		strbuf_addf(p->out, "store_%s(%s, ", dtype_name(problem_tensor_dtype(p->problem, s->tensor)), s->name);
		loops_flat(p, arg, NULL, 0, s->index_count, s->tensor);
		bool is_pair = p->pairs && s->kind != KIND_REAL && dtype_is_real(problem_tensor_dtype(p->problem, s->tensor));
		strbuf_addf(p->out, is_pair ? ", p_of((double)(%s)));\n" : ", %s);\n", value);
		return;
	}
	strbuf_addf(p->out, "v_%s", s->name);
	size_t from = loops_is_local(p, s) ? p->prefix : 0;
	if (s->index_count > from) {
		loops_add(p, "[");
		loops_flat(p, arg, s->index, from, s->index_count, -1);
		loops_add(p, "]");
	}
	strbuf_addf(p->out, " = %s;\n", value);
}

static void print_fold(struct printer *p, const struct expr *e, enum kind kind)
{
	bool is_arg = e->op == OP_ARGMAX || e->op == OP_ARGMIN;

	if (e->filter) {
		loops_line(p, "if (");
		loops_value(p, e->filter, KIND_BOOL);
		loops_add(p, ") {\n");
		p->depth++;
	}
	loops_line(p, "");
	if (e->op == OP_SUM || e->op == OP_PROD) {
		/* A sum's magnitude is never below its value: terms are added apart, so that they vectorise. */
		if (p->pairs && kind == KIND_REAL)
			strbuf_addstr(p->out, e->op == OP_SUM ? "acc_ = p_gather(acc_, " : "acc_ = p_mul(acc_, ");
		else
			strbuf_addf(p->out, "acc_ %s= (", e->op == OP_SUM ? "+" : "*");
		loops_value(p, e->arg[0], kind);
		loops_add(p, ");\n");
	} else if (!is_arg) {
		/* The magnitude of a reduction is the winner's, also where two tie. */
		strbuf_addf(p->out, "acc_ = %s_%s(acc_, ", kind != KIND_REAL ? "i" : p->pairs ? "p" : "f", e->op == OP_MAX ? "maximum" : "minimum");
		loops_value(p, e->arg[0], kind);
		loops_add(p, ");\n");
	} else {
		const char *value = p->pairs ? ".v" : "";
		loops_add(p, "{ num this_ = ");
		loops_value(p, e->arg[0], KIND_REAL);
		strbuf_addf(p->out, "; if (acc_ < 0 || (best_%s == best_%s && (this_%s != this_%s || this_%s %s best_%s))) { best_ = this_; acc_ = %s; } }\n",
			    value, value, value, value, value, e->op == OP_ARGMAX ? ">" : "<", value, e->range[0].name);
	}
	if (e->filter)
		loops_close(p, 1);
}

/* What rounding left of a magnitude below its value, and NaN. */
static void print_gathered(struct printer *p, const struct expr *e, enum kind kind)
{
	if (e->op == OP_SUM && p->pairs && kind == KIND_REAL)
		loops_line(p, "acc_ = p_make(acc_.v, acc_.m);\n");
}

static void print_start(struct printer *p, const struct expr *e, enum kind kind)
{
	loops_line(p, "");
	strbuf_addf(p->out, "%s acc_ = ", loops_type(kind));
	switch (e->op) {
	case OP_SUM: loops_add(p, p->pairs && kind == KIND_REAL ? "p_of(0)" : "0"); break;
	case OP_PROD: loops_add(p, p->pairs && kind == KIND_REAL ? "p_of(1)" : "1"); break;
	case OP_ARGMAX:
	case OP_ARGMIN: loops_add(p, p->pairs ? "-1; num best_ = p_of(0)" : "-1; num best_ = 0"); break;
	default: {
		const char *sign = e->op == OP_MAX ? "-" : "";
		if (kind == KIND_BOOL)
			loops_add(p, e->op == OP_MAX ? "0" : "1");
		else if (kind != KIND_REAL)
			loops_add(p, e->op == OP_MAX ? "INT64_MIN" : "INT64_MAX");
		else if (p->pairs)
			strbuf_addf(p->out, "(num){ %sINFINITY, 0 }", sign);
		else
			strbuf_addf(p->out, "%sINFINITY", sign);
	}
	}
	loops_add(p, ";\n");
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
	loops_open(p, last);
	print_store(p, s, "0");
	loops_close(p, 1);
	for (size_t i = 0; i < e->range_count; i++)
		loops_open(p, &e->range[i]);
	loops_open(p, last);
	p->out = &sum;
	loops_load(p, &self);
	loops_add(p, " + ");
	loops_value(p, e->arg[0], KIND_REAL);
	p->out = saved;
	print_store(p, s, sum.buf);
	strbuf_release(&sum);
	loops_close(p, 1 + e->range_count);
}

/*
 * A reduction over 0..last or 0..last+1 of what does not use the last index: one
 * running value serves the whole row.
 */
bool loops_is_scan(const struct normal_stmt *s)
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

	loops_line(p, "{\n");
	p->depth++;
	print_start(p, e, s->kind);
	loops_open_index(p, s, s->index_count - 1);
	if (is_exclusive)
		print_store(p, s, "acc_");
	loops_line(p, "");
	strbuf_addf(p->out, "const int64_t %s = %s;\n", e->range[0].name, last->name);
	print_fold(p, e, s->kind);
	print_gathered(p, e, s->kind);
	if (!is_exclusive)
		print_store(p, s, "acc_");
	loops_close(p, 2);
}

void loops_stmt(struct printer *p, const struct normal_stmt *s)
{
	const struct expr *e = s->value;

	p->stmt = s;
	if (loops_is_scan(s) || is_streamed(p, s)) {
		for (size_t i = p->prefix; i + 1 < s->index_count; i++)
			loops_open_index(p, s, i);
		if (loops_is_scan(s))
			print_scan(p, s);
		else
			print_streamed(p, s);
		loops_close(p, s->index_count - 1 - p->prefix);
		return;
	}
	for (size_t i = p->prefix; i < s->index_count; i++)
		loops_open_index(p, s, i);
	if (e->kind == EXPR_REDUCE) {
		loops_line(p, "{\n");
		p->depth++;
		print_start(p, e, s->kind);
		for (size_t i = 0; i < e->range_count; i++)
			loops_open(p, &e->range[i]);
		print_fold(p, e, s->kind);
		loops_close(p, e->range_count);
		print_gathered(p, e, s->kind);
		print_store(p, s, "acc_");
		loops_close(p, 1);
	} else {
		struct strbuf value = STRBUF_INIT, *saved = p->out;
		p->out = &value;
		loops_value(p, e, s->kind);
		p->out = saved;
		print_store(p, s, value.buf);
		strbuf_release(&value);
	}
	loops_close(p, s->index_count - p->prefix);
}

/* The leading indices whose loops a statement can share: a scan or streamed sum keeps its last. */
size_t loops_shareable(const struct printer *p, const struct normal_stmt *s)
{
	return s->index_count - (loops_is_scan(s) || is_streamed(p, s));
}
