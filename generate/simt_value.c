/* Values of printed SIMT code: truths, whole numbers, and reals in the kernel's own type. */
#include "generate/recognise.h"
#include "generate/simt_print.h"
#include "generate/vector_c.h"
#include "generate/vocabulary.h"

#include <math.h>
#include <string.h>

/* ---- kinds ----------------------------------------------------------- */

static enum simt_kind kind_of_dtype(enum dtype dtype)
{
	return dtype == DTYPE_bool ? SIMT_TRUTH : dtype_is_real(dtype) ? SIMT_REAL : SIMT_WHOLE;
}

/* Functions of whole numbers, where all arguments are. */
static bool is_whole_function(const char *name)
{
	static const char *const names[] = { "minimum", "maximum", "abs", "cdiv", "rup", "bit_and", "bit_or", "bit_xor", "bit_not", "shl", "shr", "philox" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

const struct expr *simt_definition(struct simt *s, const struct expr *call)
{
	const struct function *f = function_find(call->name);
	struct expr *body;
	size_t i = 0;

	if (!f || !f->definition || expr_parse(&s->arena, f->definition, f->name, EXPR_BODY, &body, s->err))
		return NULL;
	for (const char *p = f->params; *p && i < call->arg_count; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		body = expr_replace_name(&s->arena, body, arena_strndup(&s->arena, p, n), call->arg[i++]);
		p += n;
	}
	return body;
}

static bool are_whole(struct simt *s, const struct expr *x)
{
	for (size_t i = 0; i < x->arg_count; i++)
		if (simt_kind(s, x->arg[i]) == SIMT_REAL)
			return false;
	return true;
}

static enum simt_kind kind_of_call(struct simt *s, const struct expr *x)
{
	enum dtype dtype;

	if (dtype_find(x->name, &dtype))
		return kind_of_dtype(dtype);
	if (!strcmp(x->name, "bit_not") && simt_kind(s, x->arg[0]) == SIMT_TRUTH)
		return SIMT_TRUTH;
	if (is_whole_function(x->name))
		return are_whole(s, x) ? SIMT_WHOLE : SIMT_REAL;
	const struct expr *definition = are_whole(s, x) ? simt_definition(s, x) : NULL;
	return definition ? simt_kind(s, definition) : SIMT_REAL;
}

static enum simt_kind kind_of_name(const struct simt *s, const char *name)
{
	const struct tile *t = simt_tile(s, name);
	const struct tile_buffer *b = simt_buffer(s, name);

	return t ? kind_of_dtype(t->dtype) : b ? kind_of_dtype(b->dtype) : SIMT_WHOLE;
}

enum simt_kind simt_kind(struct simt *s, const struct expr *x)
{
	enum simt_kind a, b;

	switch (x->kind) {
	case EXPR_INT:
		return SIMT_WHOLE;
	case EXPR_NAME:
		return kind_of_name(s, x->name);
	case EXPR_ACCESS:
		a = kind_of_name(s, x->name);
		b = x->otherwise ? simt_kind(s, x->otherwise) : a;
		return a > b ? a : b;
	case EXPR_NEG:
		return simt_kind(s, x->arg[0]) == SIMT_REAL ? SIMT_REAL : SIMT_WHOLE;
	case EXPR_BINARY:
		return x->op >= OP_EQ && x->op <= OP_OR ? SIMT_TRUTH : x->op != OP_DIV && are_whole(s, x) ? SIMT_WHOLE : SIMT_REAL;
	case EXPR_SELECT:
		a = simt_kind(s, x->arg[1]);
		b = simt_kind(s, x->arg[2]);
		return a > b ? a : b;
	case EXPR_CALL:
		return kind_of_call(s, x);
	case EXPR_REDUCE:
		return x->op <= OP_MIN && simt_kind(s, x->arg[0]) != SIMT_REAL ? SIMT_WHOLE : SIMT_REAL;
	default:
		return SIMT_REAL;
	}
}

const char *simt_type(const struct simt *s, enum simt_kind kind)
{
	return kind == SIMT_TRUTH ? "bool" : kind == SIMT_WHOLE ? "long" : s->is_double ? "double" : "float";
}

bool simt_is_double(const struct tile_program *program, const struct tile_kernel *kernel)
{
	bool is = tile_wants_double(program, kernel);

	for (size_t i = 0; i < kernel->tile_count && !is; i++)
		is = kernel->tile[i].dtype == DTYPE_f64;
	return is;
}

/* ---- text ------------------------------------------------------------ */

static void print_value(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind want);

/* An access that is no prefetched chunk: one element, guarded; what is outside, or beyond the lanes, is its `else`. */
static void print_load(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind kind)
{
	const struct tile *t = simt_tile(s, x->name);
	const struct tile_buffer *b = simt_buffer(s, x->name);

	/* Tiles may be narrower than the kernel's reals. */
	if (t && t->place != PLACE_VIEW && s->is_double && kind == SIMT_REAL)
		strbuf_addstr(out, "(double)");
	if (t && t->place == PLACE_SHARED) {
		strbuf_addf(out, "km_value(t_%s[%s])", t->name, simt_int_text(s, simt_address(s, x)));
		return;
	}
	if (t && t->place != PLACE_VIEW) {
		for (size_t i = 0; i < t->rank; i++)
			if (x->arg[i]->kind != EXPR_NAME || strcmp(x->arg[i]->name, s->kernel->index[t->index[i]].name))
				simt_fail(s, "tile '%s' lies in registers: it is read at its own indices only", t->name);
		strbuf_addf(out, "t_%s%s", t->name, simt_register(s, t));
		return;
	}
	if (!b) {
		simt_fail(s, t ? "view '%s' is not printed for SIMT" : "'%s' is neither a tile nor a buffer", x->name);
		return;
	}
	const char *guard = simt_guard(s, x), *lane = "";
	/* What does not depend on the lane is read when any lane counts, so that it leaves the loop. */
	if (s->lanes)
		lane = s->column >= 0 && expr_uses(x, s->kernel->index[s->column].name) ? "km_v < km_n" : "km_n > 0";
	bool reads_dead = !*guard && !s->lanes, reads_ahead = !reads_dead && tile_knob_int(s->kernel, "AHEAD", 0) && b->role == PLAN_IN && !simt_reads_index(x);
	if (reads_ahead)
		strbuf_addf(out, "km_ahead<%s>(b_%s, %s, %s%s%s, ", simt_type(s, kind), b->name, simt_int_text(s, simt_address(s, x)), lane, *lane && *guard ? " && " : "", guard);
	else if (!reads_dead)
		strbuf_addf(out, "(%s%s%s ? ", lane, *lane && *guard ? " && " : "", guard);
	if (!reads_ahead)
		strbuf_addf(out, "(%s)km_value(b_%s[%s])%s", simt_type(s, kind), b->name, simt_int_text(s, simt_address(s, x)), reads_dead ? "" : " : ");
	if (reads_dead)
		return;
	if (x->otherwise)
		print_value(s, out, x->otherwise, kind);
	else
		strbuf_addf(out, "(%s)0", simt_type(s, kind));
	strbuf_addch(out, ')');
}

static void print_number(const struct simt *s, struct strbuf *out, double v)
{
	if (isinf(v))
		strbuf_addf(out, "(%s(%s)KM_INFINITY)", v < 0 ? "-" : "", simt_type(s, SIMT_REAL));
	else if (s->is_double)
		strbuf_addf(out, v < 0 ? "(%.17e)" : "%.17e", v);
	else
		strbuf_addf(out, v < 0 ? "(%.9ef)" : "%.9ef", v);
}

static void print_arguments(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind kind)
{
	for (size_t i = 0; i < x->arg_count; i++) {
		strbuf_addstr(out, i ? ", " : "(");
		print_value(s, out, x->arg[i], kind);
	}
	strbuf_addch(out, ')');
}

/* Conversions: to a type's values, in the arithmetic of its kind. */
static void print_cast(struct simt *s, struct strbuf *out, const struct expr *x, enum dtype dtype)
{
	const char *name = dtype_name(dtype);

	if (dtype == DTYPE_bool) {
		print_value(s, out, x->arg[0], SIMT_TRUTH);
	} else if (!dtype_is_real(dtype)) {
		strbuf_addf(out, "(long)(km_%s)", name);
		print_value(s, out, x->arg[0], SIMT_WHOLE);
	} else {
		strbuf_addf(out, "(%s)km_%s_d((double)", simt_type(s, SIMT_REAL), name);
		print_value(s, out, x->arg[0], SIMT_REAL);
		strbuf_addch(out, ')');
	}
}

static void print_call(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind kind)
{
	enum dtype dtype;
	bool has_double = double_c_has(x->name);

	if (dtype_find(x->name, &dtype)) {
		print_cast(s, out, x, dtype);
	} else if (kind == SIMT_TRUTH && !strcmp(x->name, "bit_not")) {
		strbuf_addch(out, '!');
		print_value(s, out, x->arg[0], SIMT_TRUTH);
	} else if (kind == SIMT_WHOLE && is_whole_function(x->name)) {
		strbuf_addf(out, "km_%s", x->name);
		print_arguments(s, out, x, SIMT_WHOLE);
	} else if (kind == SIMT_REAL && (has_double || vocabulary_has(x->name))) {
		strbuf_addf(out, "km_%s", x->name);
		print_arguments(s, out, x, SIMT_REAL);
	} else {
		const struct expr *definition = simt_definition(s, x);
		if (definition)
			print_value(s, out, definition, kind);
		else
			simt_fail(s, "function '%s' is not in the SIMT vocabulary", x->name);
	}
}

static void print_binary(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind kind)
{
	enum simt_kind operands = kind;

	if (x->op == OP_FLOORDIV || x->op == OP_MOD) {
		bool is_whole = kind == SIMT_WHOLE;
		strbuf_addstr(out, x->op == OP_MOD ? (is_whole ? "km_floor_mod" : "km_rest") : is_whole ? "km_floor_div" : "km_quotient_floor");
		print_arguments(s, out, x, kind);
		return;
	}
	if (kind == SIMT_TRUTH && x->op < OP_AND)
		operands = are_whole(s, x) ? SIMT_WHOLE : SIMT_REAL;
	strbuf_addch(out, '(');
	print_value(s, out, x->arg[0], operands);
	strbuf_addf(out, " %s ", x->op == OP_AND ? "&&" : x->op == OP_OR ? "||" : expr_op_text(x->op));
	print_value(s, out, x->arg[1], operands);
	strbuf_addch(out, ')');
}

/* x in its own kind. */
static void print_own(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind kind)
{
	struct expr access;

	for (int i = 0; i < s->reduce_count; i++)
		if (s->reduce[i] == x) {
			strbuf_addf(out, "km_q%d", i);
			return;
		}
	for (int i = 0; i < s->load_count; i++)
		if (expr_equal(s->load[i], x)) {
			strbuf_addf(out, "km_x%d[%s]", i, s->column >= 0 ? "km_v" : "0");
			return;
		}
	switch (x->kind) {
	case EXPR_INT:
		strbuf_addf(out, x->int_value < 0 ? "(%lldL)" : "%lldL", (long long)x->int_value);
		break;
	case EXPR_REAL:
		print_number(s, out, x->real_value);
		break;
	case EXPR_NAME:
		if (!simt_tile(s, x->name) && !simt_buffer(s, x->name)) {
			strbuf_addf(out, "(long)%s", x->name);
			break;
		}
		access = *x;
		access.kind = EXPR_ACCESS;
		print_load(s, out, &access, kind);
		break;
	case EXPR_ACCESS:
		print_load(s, out, x, kind);
		break;
	case EXPR_NEG:
		strbuf_addstr(out, "(-");
		print_value(s, out, x->arg[0], kind);
		strbuf_addch(out, ')');
		break;
	case EXPR_BINARY:
		print_binary(s, out, x, kind);
		break;
	case EXPR_SELECT: {
		/* Threads of a warp that disagree would go both ways, one behind the other. */
		bool is_ahead = kind == SIMT_REAL && may_run_ahead(x->arg[1]) && may_run_ahead(x->arg[2]);
		strbuf_addf(out, is_ahead ? "km_select<%s>(" : "(", simt_type(s, kind));
		print_value(s, out, x->arg[0], SIMT_TRUTH);
		strbuf_addstr(out, is_ahead ? ", " : " ? ");
		print_value(s, out, x->arg[1], kind);
		strbuf_addstr(out, is_ahead ? ", " : " : ");
		print_value(s, out, x->arg[2], kind);
		strbuf_addch(out, ')');
		break;
	}
	case EXPR_CALL:
		print_call(s, out, x, kind);
		break;
	case EXPR_REDUCE:
		simt_fail(s, "a reduction inside a reduction is not printed for SIMT");
		break;
	}
}

static void print_value(struct simt *s, struct strbuf *out, const struct expr *x, enum simt_kind want)
{
	enum simt_kind kind = simt_kind(s, x);

	if (x->kind == EXPR_INT && want == SIMT_REAL) {
		print_number(s, out, (double)x->int_value);
	} else if (kind == want) {
		print_own(s, out, x, kind);
	} else {
		strbuf_addstr(out, want == SIMT_TRUTH ? "(" : want == SIMT_REAL ? s->is_double ? "(double)(" : "(float)(" :
				   kind == SIMT_REAL ? "km_long(" : "(long)(");
		print_own(s, out, x, kind);
		strbuf_addstr(out, want == SIMT_TRUTH ? " != 0)" : ")");
	}
}

const char *simt_value_text(struct simt *s, const struct expr *x, enum simt_kind kind)
{
	struct strbuf text = STRBUF_INIT;

	print_value(s, &text, x, kind);
	const char *kept = arena_strdup(&s->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

const char *simt_text_for(struct simt *s, const struct expr *x, enum dtype dtype)
{
	return simt_value_text(s, x, kind_of_dtype(dtype));
}

const char *simt_type_for(const struct simt *s, enum dtype dtype)
{
	return simt_type(s, kind_of_dtype(dtype));
}
