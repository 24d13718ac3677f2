/* Real expressions, loads and stores of printed C. */
#include "generate/recognise.h"
#include "generate/emit_c.h"
#include "generate/vector_c.h"
#include "generate/vocabulary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A name that stands for a rank 0 tile or buffer is an access to it. */
static bool as_access(const struct emitter *e, const struct expr *x, struct expr *access)
{
	*access = *x;
	access->kind = EXPR_ACCESS;
	return x->kind == EXPR_ACCESS || (x->kind == EXPR_NAME && (emit_tile(e, x->name) || emit_buffer(e, x->name)));
}

bool emit_is_real_vector(enum dtype d)
{
	return d == DTYPE_f32 || d == DTYPE_bf16;
}

/* Is the value outside another one in each lane? */
static bool varies_outside(const struct emitter *e, const struct expr *otherwise, int v)
{
	return otherwise && expr_uses(otherwise, e->kernel->index[v].name);
}

/* The upper bits of a random word, shr(philox(seed, counter, word), 8 or more), or the prelude's uniform(seed, counter). */
static bool is_random_bits(const struct expr *x)
{
	if (!strcmp(x->name, "uniform"))
		return true;
	return !strcmp(x->name, "shr") && x->arg[0]->kind == EXPR_CALL && !strcmp(x->arg[0]->name, "philox") && x->arg[1]->kind == EXPR_INT &&
	       x->arg[1]->int_value >= 8;
}

bool emit_fits_vector(struct emitter *e, const struct expr *x, int v, int *units)
{
	struct expr access;
	enum dtype dtype;

	if (as_access(e, x, &access)) {
		int s = emit_lane_stride(e, &access, v);
		*units += s == 1;
		if (s < 0 || !emit_dtype(e, emit_through_view(e, &access)->name, &dtype) || (s == 1 && !emit_is_real_vector(dtype)))
			return false;
		/* f32 lanes hold no large integers. */
		if (!emit_is_real_vector(dtype) && dtype_bytes(dtype) > 2)
			return false;
		if (varies_outside(e, x->otherwise, v) && (s == 0 || dtype != DTYPE_f32))
			return false;
		return !x->otherwise || emit_fits_vector(e, x->otherwise, v, units);
	}
	if (x->kind == EXPR_CALL && !vocabulary_has(x->name))
		return is_random_bits(x);
	/* Integer division has no vectors; one for all lanes is printed before them. */
	if (x->kind == EXPR_BINARY && (x->op == OP_FLOORDIV || x->op == OP_MOD) && (!emit_is_whole(e, x) || expr_uses(x, e->kernel->index[v].name)))
		return false;
	for (size_t i = 0; i < x->arg_count; i++)
		if (!emit_fits_vector(e, x->arg[i], v, units))
			return false;
	return !e->is_double;
}

static const char *number(struct emitter *e, double v, bool is_vector)
{
	char text[40];

	if (isinf(v))
		snprintf(text, sizeof(text), "%s__builtin_inff()", v < 0 ? "-" : "");
	else if (e->is_double && !is_vector)
		snprintf(text, sizeof(text), "%.17e", v);
	else
		snprintf(text, sizeof(text), "%.9ef", v);
	return emit_text(e, "%s(%s)", is_vector ? "(km_vf)" : "", text);
}

/* Does text printed for this access change inside the loop being written? */
static bool is_invariant(struct emitter *e, const struct expr *x)
{
	struct polynomial p = emit_address(e, x);
	struct expr *a = polynomial_expr(&e->arena, &p);

	if (!e->hoist || expr_uses(a, "km_v") || expr_uses(a, "km_lane") || e->block_tile >= 0 || tile_find(e->kernel, x->name) == e->written)
		return false;
	for (int i = 0; i < e->inner_count; i++)
		if (expr_uses(a, e->inner[i]) || expr_uses(x, e->inner[i]))
			return false;
	return true;
}

static const char *scalar_load(struct emitter *e, const struct expr *x, enum dtype dtype, const char *fill, bool is_vector)
{
	const char *condition, *mask;

	emit_guards(e, x, &condition, &mask);
	const char *load = emit_text(e, "%skm_ls_%s(%s)", dtype_is_real(dtype) ? "" : e->is_double ? "(double)" : "(float)", dtype_name(dtype), emit_pointer(e, x));
	if (*condition && e->is_window)
		load = emit_text(e, "({ const int km_in = %s; const %s km_t = %skm_ls_%s(km_in ? %s : %s); km_in ? km_t : %s; })", condition, e->is_double ? "double" : "float",
				 dtype_is_real(dtype) ? "" : e->is_double ? "(double)" : "(float)", dtype_name(dtype), emit_pointer(e, x), emit_base(e, x), fill);
	else if (*condition)
		load = emit_text(e, "(%s ? %s : %s)", condition, load, fill);
	if (!is_vector)
		return load;
	load = emit_text(e, "(km_vf)(%s)", load);
	return is_invariant(e, x) ? emit_hoisted(e, "km_vf ", load) : load;
}

static const char *load_text(struct emitter *e, const struct expr *access, bool is_vector)
{
	const struct expr *x = emit_through_view(e, access);
	const struct expr *otherwise = access->otherwise ? access->otherwise : x->otherwise;
	const char *condition, *mask;
	/* In a vector a value outside that varies is printed where it is used. */
	bool is_plain = otherwise && !(is_vector && varies_outside(e, otherwise, e->vector));
	const char *fill = is_plain ? emit_real(e, otherwise, false) : "0.0f";
	enum dtype dtype;

	if (e->failed || !emit_dtype(e, x->name, &dtype))
		return "";
	if (!is_vector || emit_lane_stride(e, x, e->vector) == 0)
		return scalar_load(e, x, dtype, fill, is_vector);
	if (emit_lane_stride(e, x, e->vector) != 1 || !emit_is_real_vector(dtype))
		emit_fail(e, "access to '%s' has no unit stride along '%s'", x->name, e->kernel->index[e->vector].name);
	emit_guards(e, x, &condition, &mask);
	const char *at = emit_pointer(e, x);
	if (varies_outside(e, otherwise, e->vector) && (*mask || e->is_tail))
		return emit_text(e, "__builtin_masked_load(%s%s, %s, %s)", e->is_tail ? *mask ? "km_m & " : "km_m" : "", mask, at,
				 emit_real(e, otherwise, true));
	if (*mask)
		return emit_text(e, "km_l_%s_m(%s, %s%s, %s)", dtype_name(dtype), at, e->is_tail ? "km_m & " : "", mask, fill);
	if (e->is_tail)
		return emit_text(e, "km_l_%s_m(%s, km_m, %s)", dtype_name(dtype), at, fill);
	return emit_text(e, "km_l_%s(%s)", dtype_name(dtype), at);
}

/* A truth as it is, anything else compared with zero; whole numbers are compared exactly. */
const char *emit_truth(struct emitter *e, const struct expr *x, bool is_vector)
{
	bool is_whole = !is_vector && emit_is_whole(e, x);

	if (!emit_is_truth(x))
		return emit_text(e, "(%s != 0)", is_whole ? emit_whole(e, x) : emit_real(e, x, is_vector));
	if (x->op == OP_AND || x->op == OP_OR) {
		const char *op = is_vector ? (x->op == OP_AND ? "&" : "|") : expr_op_text(x->op);
		return emit_text(e, "(%s %s %s)", emit_truth(e, x->arg[0], is_vector), op, emit_truth(e, x->arg[1], is_vector));
	}
	if (!is_vector && emit_is_whole(e, x->arg[0]) && emit_is_whole(e, x->arg[1]))
		return emit_text(e, "(%s %s %s)", emit_whole(e, x->arg[0]), expr_op_text(x->op), emit_whole(e, x->arg[1]));
	return emit_text(e, "(%s %s %s)", emit_real(e, x->arg[0], is_vector), expr_op_text(x->op), emit_real(e, x->arg[1], is_vector));
}

static const char *name_text(struct emitter *e, const struct expr *x, bool is_vector)
{
	const struct expr *here = emit_here(e, x);
	struct facts facts = emit_facts(e);
	struct polynomial p = polynomial_of(&e->arena, &facts, here), lane, rest;

	if (is_vector && polynomial_split(&e->arena, &p, "km_lane", &lane, &rest) && lane.count)
		return emit_text(e, "__builtin_convertvector(KM_IOTA + (int)(%s), km_vf)", emit_polynomial(e, &rest));
	return emit_text(e, "%s(float)(%s)", is_vector ? "(km_vf)" : "", emit_polynomial(e, &p));
}

/* Lanes that are consecutive counters, or all the same one. */
static const char *random_bits(struct emitter *e, const struct expr *x)
{
	struct facts facts = emit_facts(e);
	const struct expr *bits = x->arg[0];
	struct polynomial p = polynomial_of(&e->arena, &facts, emit_here(e, bits->arg[1])), lane, rest;
	int64_t stride = 0;

	if (!polynomial_split(&e->arena, &p, "km_lane", &lane, &rest) || !polynomial_is_int(&lane, &stride) || stride < 0 || stride > 1)
		emit_fail(e, "random counters that are not consecutive");
	return emit_text(e, "km_philox_v(%s, %s, %lld, %s, %lld)", emit_int(e, bits->arg[0]), emit_polynomial(e, &rest), (long long)stride,
			 emit_int(e, bits->arg[2]), (long long)x->arg[1]->int_value);
}

/* A scalar function in double, rounded where the rest is in f32. */
static const char *double_call(struct emitter *e, const struct expr *x)
{
	const struct expr *definition = emit_definition(e, x);

	if (definition)
		return emit_real(e, definition, false);
	if (!double_c_has(x->name))
		emit_fail(e, "function '%s' is not in the vocabulary of C in double", x->name);
	const char *value = emit_text(e, x->arg_count == 2 ? "km_%s_d(%s, %s)" : "km_%s_d(%s)", x->name, emit_real(e, x->arg[0], false),
				      x->arg_count == 2 ? emit_real(e, x->arg[1], false) : "");
	return e->is_double ? value : emit_text(e, "km_single(%s)", value);
}

static const char *call_text(struct emitter *e, const struct expr *x, bool is_vector)
{
	struct strbuf text = STRBUF_INIT;

	if (e->is_double && !is_vector)
		return double_call(e, x);
	if (is_vector && is_random_bits(x) && strcmp(x->name, "uniform"))
		return random_bits(e, x);
	if (!vocabulary_has(x->name)) {
		const struct expr *definition = emit_definition(e, x);
		if (definition)
			return emit_real(e, definition, is_vector);
		if (!is_vector)
			return double_call(e, x);
		emit_fail(e, "function '%s' is not in the vocabulary of vector C", x->name);
	}
	if (is_vector && x->arg_count == 2 && (x->arg[1]->kind == EXPR_INT || x->arg[1]->kind == EXPR_REAL) && vector_c_has_number(x->name))
		return emit_text(e, "km_%s_number(%s, %s)", x->name, emit_real(e, x->arg[0], true), emit_real(e, x->arg[1], false));
	if (e->is_thread) {
		for (size_t i = 0; i < x->arg_count; i++)
			strbuf_addf(&text, "%s%s", i ? ", " : "", emit_real(e, x->arg[i], false));
		const char *scalar = emit_text(e, "km_%s(%s)", x->name, text.buf);
		strbuf_release(&text);
		return scalar;
	}
	/* A scalar call is lane 0 of the vector one: it happens once a row. */
	bool is_called = (e->is_cold || !is_vector) && vector_c_is_long(x->name);
	strbuf_addf(&text, "%skm_%s%s(", is_vector ? "" : "(", x->name, is_called ? "_call" : "");
	for (size_t i = 0; i < x->arg_count; i++)
		strbuf_addf(&text, "%s(km_vf)(%s)", i ? ", " : "", emit_real(e, x->arg[i], is_vector));
	strbuf_addstr(&text, is_vector ? ")" : ")[0])");
	const char *kept = arena_strdup(&e->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

const char *emit_real(struct emitter *e, const struct expr *x, bool is_vector)
{
	struct expr access;

	for (int i = 0; i < e->reduction_count; i++)
		if (e->reduction[i] == x)
			return emit_text(e, is_vector || !emit_is_whole(e, x) ? "km_q%d" : e->is_double ? "(double)km_q%d" : "(float)km_q%d", i);
	if (!is_vector && x->kind != EXPR_INT && emit_is_whole(e, x))
		return emit_text(e, "(%s)%s", e->is_double ? "double" : "float", emit_whole(e, x));
	if (as_access(e, x, &access))
		return load_text(e, &access, is_vector);
	switch (x->kind) {
	case EXPR_INT:
		return number(e, (double)x->int_value, is_vector);
	case EXPR_REAL:
		return number(e, x->real_value, is_vector);
	case EXPR_NAME:
		return name_text(e, x, is_vector);
	case EXPR_NEG:
		return emit_text(e, "(-%s)", emit_real(e, x->arg[0], is_vector));
	case EXPR_SELECT:
		/* Without a branch what the terms of an unrolled loop read is on its way together. */
		if (e->is_thread && may_run_ahead(x->arg[1]) && may_run_ahead(x->arg[2]))
			return emit_text(e, "km_select<%s>(%s, %s, %s)", e->is_double ? "double" : "float", emit_truth(e, x->arg[0], false), emit_real(e, x->arg[1], false),
					 emit_real(e, x->arg[2], false));
		return emit_text(e, "(%s ? %s : %s)", emit_truth(e, x->arg[0], is_vector), emit_real(e, x->arg[1], is_vector),
				 emit_real(e, x->arg[2], is_vector));
	case EXPR_CALL:
		return call_text(e, x, is_vector);
	case EXPR_BINARY:
		if (emit_is_truth(x))
			return emit_text(e, "(%s ? %s : %s)", emit_truth(e, x, is_vector), number(e, 1, is_vector), number(e, 0, is_vector));
		if (is_vector && (x->op == OP_FLOORDIV || x->op == OP_MOD) && emit_is_whole(e, x))
			return emit_text(e, "(km_vf)(float)%s", emit_whole(e, x));
		if (is_vector && (x->op == OP_FLOORDIV || x->op == OP_MOD))
			emit_fail(e, "'%s' of reals has no vectors", expr_op_text(x->op));
		if (x->op == OP_FLOORDIV || x->op == OP_MOD)
			return emit_text(e, "%s(%s(%s, %s))", e->is_double ? "" : "km_single", x->op == OP_MOD ? "km_mod_d" : "km_fdiv_d",
					 emit_real(e, x->arg[0], false), emit_real(e, x->arg[1], false));
		return emit_text(e, "(%s %s %s)", emit_real(e, x->arg[0], is_vector), expr_op_text(x->op), emit_real(e, x->arg[1], is_vector));
	default:
		emit_fail(e, "'%s' at a place where it is not printed", x->kind == EXPR_REDUCE ? expr_op_text(x->op) : "an expression");
		return "0";
	}
}

void emit_store(struct emitter *e, const struct expr *target, const char *value, bool is_vector, bool is_raw)
{
	const struct tile_buffer *b = emit_buffer(e, target->name);
	const char *condition, *mask, *name, *at;
	enum dtype dtype;

	if (!emit_dtype(e, target->name, &dtype))
		return;
	name = is_raw ? "u16" : dtype_name(dtype);
	emit_guards(e, target, &condition, &mask);
	at = emit_pointer(e, target);
	if (!is_vector) {
		if (e->is_double && (dtype == DTYPE_f16 || dtype == DTYPE_bf16))
			value = emit_text(e, "km_odd(%s)", value);
		emit_line(e, "%s%s%skm_ss_%s(%s, %s);", *condition ? "if (" : "", condition, *condition ? ") " : "", name, at, value);
	} else if (*mask || e->is_tail) {
		if (*mask && e->is_tail)
			mask = emit_text(e, "km_m & %s", mask);
		emit_line(e, "km_s_%s_m(%s, %s, %s);", name, at, value, *mask ? mask : "km_m");
	} else {
		bool past = b && b->role == PLAN_OUT && dtype == DTYPE_f32 && tile_knob_int(e->kernel, "NT", 0);
		e->uses_nt |= past;
		emit_line(e, "km_%s_%s(%s, %s);", past ? "snt" : "s", name, at, value);
	}
}

const char *emit_scalar(struct emitter *e, const struct expr *x, const struct expr *target)
{
	enum dtype dtype;

	if (!emit_dtype(e, target->name, &dtype) || dtype_is_real(dtype))
		return emit_real(e, x, false);
	if (dtype == DTYPE_bool)
		return emit_truth(e, x, false);
	if (!emit_is_whole(e, x))
		emit_fail(e, "a real number into '%s' of %s", target->name, dtype_name(dtype));
	return e->failed ? "0" : emit_whole(e, x);
}
