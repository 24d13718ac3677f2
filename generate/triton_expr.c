/* Expressions of printed Triton: whole numbers, addresses, masks, reals, reductions. */
#include "generate/triton.h"

#include <math.h>
#include <string.h>

int64_t triton_padded(const struct triton *s, int index)
{
	int64_t points = 1;

	while (points < s->kernel->index[index].extent)
		points *= 2;
	return points;
}

const char *triton_dtype(enum dtype dtype)
{
	/* Its own fp8 is not for every device: bytes are. */
	static const char *const name[DTYPE_COUNT] = { [DTYPE_f64] = "tl.float64", [DTYPE_f32] = "tl.float32", [DTYPE_bf16] = "tl.bfloat16", [DTYPE_f16] = "tl.float16",
						       [DTYPE_i64] = "tl.int64", [DTYPE_i32] = "tl.int32", [DTYPE_i16] = "tl.int16", [DTYPE_i8] = "tl.int8",
						       [DTYPE_u8] = "tl.uint8", [DTYPE_bool] = "tl.uint8", [DTYPE_f8e4m3] = "tl.uint8", [DTYPE_f8e5m2] = "tl.uint8" };
	return name[dtype];
}

static const char *type_of(const struct triton *s, enum triton_kind kind)
{
	return kind == TRITON_REAL ? s->is_double ? "tl.float64" : "tl.float32" : "tl.int64";
}

static bool is_eighth(enum dtype dtype)
{
	return dtype_is_real(dtype) && dtype_bytes(dtype) == 1;
}

static const struct tile *tile_of(const struct triton *s, const char *name)
{
	int t = tile_find(s->kernel, name);
	return t < 0 ? NULL : &s->kernel->tile[t];
}

static const struct tile_buffer *buffer_of(const struct triton *s, const char *name)
{
	int b = tile_buffer_find(s->program, name);
	return b < 0 || tile_of(s, name) ? NULL : &s->program->buffer[b];
}

static struct facts facts_of(struct triton *s)
{
	return tile_facts(&s->arena, s->program, s->kernel, s->fors, s->for_count);
}

/* ---- axes ------------------------------------------------------------ */

static int axis_of(const struct triton *s, int index)
{
	for (int i = 0; i < s->axis_count; i++)
		if (s->axis[i] == index)
			return i;
	return -1;
}

/* The axes at hand, in their order, as a number. */
static uint64_t axes_key(const struct triton *s)
{
	uint64_t key = 0;

	for (int i = 0; i < s->axis_count; i++)
		key = key * 32 + (uint64_t)s->axis[i] + 1;
	return key;
}

static uint32_t axes_set(const struct triton *s)
{
	uint32_t set = 0;

	for (int i = 0; i < s->axis_count; i++)
		set |= UINT32_C(1) << s->axis[i];
	return set;
}

const char *triton_shape(struct triton *s)
{
	const char *text = "";

	for (int i = 0; i < s->axis_count; i++)
		text = arena_printf(&s->arena, "%s%s%lld", text, i ? ", " : "", (long long)triton_padded(s, s->axis[i]));
	return arena_printf(&s->arena, "[%s]", text);
}

/* "[:, None]": of the axes at hand, those in `has` are the value's own. */
static const char *subscript(struct triton *s, uint32_t has)
{
	const char *text = "";

	if (s->axis_count == __builtin_popcount(has))
		return "";
	for (int i = 0; i < s->axis_count; i++)
		text = arena_printf(&s->arena, "%s%s%s", text, i ? ", " : "", has >> i & 1 ? ":" : "None");
	return arena_printf(&s->arena, "[%s]", text);
}

static struct triton_value index_value(struct triton *s, int index)
{
	int at = axis_of(s, index);

	if (at < 0)
		triton_fail(s, "index '%s' beside its tile", s->kernel->index[index].name);
	return (struct triton_value){ arena_printf(&s->arena, "i_%s%s", s->kernel->index[index].name, at < 0 ? "" : subscript(s, UINT32_C(1) << at)),
				      TRITON_WHOLE, UINT32_C(1) << index, false };
}

const char *triton_live(struct triton *s, int index)
{
	const struct tile_index *x = &s->kernel->index[index];
	struct facts facts = facts_of(s);
	bool is_cut = x->live && !affine_le(&s->arena, &facts, expr_int(&s->arena, x->extent), x->live);
	bool is_padded = triton_padded(s, index) > x->extent;
	const char *name = index_value(s, index).text, *live = is_cut ? triton_whole(s, x->live) : "";

	if (is_cut && is_padded)
		return arena_printf(&s->arena, "(%s < tl.minimum(%s, %lld))", name, live, (long long)x->extent);
	if (is_cut)
		return arena_printf(&s->arena, "(%s < %s)", name, live);
	return is_padded ? arena_printf(&s->arena, "(%s < %lld)", name, (long long)x->extent) : NULL;
}

/* ---- values ---------------------------------------------------------- */

/* Numbers of the text are rounded to f32 before they meet f64: there they are tensors. */
static const char *number(struct triton *s, double v)
{
	const char *text = isinf(v) ? v < 0 ? "float('-inf')" : "float('inf')" : arena_printf(&s->arena, s->is_double ? "%.17e" : v < 0 ? "(%.9e)" : "%.9e", v);

	return s->is_double ? arena_printf(&s->arena, "tl.full([], %s, tl.float64)", text) : text;
}

const char *triton_as(struct triton *s, struct triton_value v, enum triton_kind kind)
{
	if (v.kind == kind)
		return v.text;
	if (kind == TRITON_TRUTH)
		return arena_printf(&s->arena, "(%s != 0)", v.text);
	if (v.is_literal && v.kind != TRITON_TRUTH)
		return arena_printf(&s->arena, s->is_double ? "tl.full([], %s, tl.float64)" : v.text[strspn(v.text, "0123456789")] ? "float(%s)" : "%s.0", v.text);
	return arena_printf(&s->arena, v.kind == TRITON_REAL ? "tl.cast(km_long(%s), %s)" : "tl.cast(%s, %s)", v.text, type_of(s, kind));
}

const char *triton_whole(struct triton *s, const struct expr *x)
{
	struct triton_value v = triton_print_value(s, x);

	if (v.kind == TRITON_REAL)
		triton_fail(s, "a real number where an integer is wanted");
	return triton_as(s, v, TRITON_WHOLE);
}

static struct triton_value value_of(struct triton *s, const char *text, enum triton_kind kind, uint32_t over)
{
	(void)s;
	return (struct triton_value){ text, kind, over, false };
}

/* Gives a value a name. */
static struct triton_value named(struct triton *s, struct triton_value v)
{
	const char *name = arena_printf(&s->arena, "x%d", s->next++);

	triton_line(s, "%s = %s", name, v.text);
	v.text = name;
	v.is_literal = false;
	return v;
}

static void keep(struct triton *s, const struct expr *x, struct triton_value v)
{
	if (s->kept_count < TRITON_MAX_KEPT && !s->parameter_count) {
		s->kept[s->kept_count].x = x;
		s->kept[s->kept_count].axes = axes_key(s);
		s->kept[s->kept_count++].value = v;
	}
}

static struct triton_value binary_value(struct triton *s, const struct expr *x)
{
	struct triton_value a = triton_print_value(s, x->arg[0]), b = triton_print_value(s, x->arg[1]);
	uint32_t over = a.over | b.over;
	bool is_real = a.kind == TRITON_REAL || b.kind == TRITON_REAL || x->op == OP_DIV, literal = a.is_literal && b.is_literal;
	enum triton_kind kind = is_real ? TRITON_REAL : TRITON_WHOLE;
	struct facts facts = facts_of(s);
	const char *text;

	if (x->op == OP_AND || x->op == OP_OR) {
		text = arena_printf(&s->arena, "(%s %c %s)", triton_as(s, a, TRITON_TRUTH), x->op == OP_AND ? '&' : '|', triton_as(s, b, TRITON_TRUTH));
		return (struct triton_value){ text, TRITON_TRUTH, over, literal };
	}
	const char *left = triton_as(s, a, kind), *right = triton_as(s, b, kind);
	if (x->op == OP_FLOORDIV || x->op == OP_MOD) {
		if (is_real || !affine_le(&s->arena, &facts, expr_int(&s->arena, 0), x->arg[0]) ||
		    !affine_le(&s->arena, &facts, expr_int(&s->arena, 1), x->arg[1]))
			return value_of(s, arena_printf(&s->arena, "km_%s_%s%s(%s, %s)", is_real ? "real" : "whole", x->op == OP_MOD ? "mod" : "div",
							is_real && s->is_double ? "_f64" : "", left, right),
					kind, over);
		text = arena_printf(&s->arena, "(%s %s %s)", left, x->op == OP_MOD ? "%" : "//", right);
		return (struct triton_value){ text, kind, over, literal };
	}
	if (x->op == OP_DIV && (!literal || s->is_double))
		return value_of(s, arena_printf(&s->arena, s->is_double ? "(%s / %s)" : "km_quotient(%s, %s)", left, right), kind, over);
	text = arena_printf(&s->arena, "(%s %s %s)", left, expr_op_text(x->op), right);
	return (struct triton_value){ text, x->op >= OP_EQ && x->op <= OP_GE ? TRITON_TRUTH : kind, over, literal };
}

static struct triton_value select_value(struct triton *s, const struct expr *x)
{
	struct triton_value c = triton_print_value(s, x->arg[0]), a = triton_print_value(s, x->arg[1]), b = triton_print_value(s, x->arg[2]);
	enum triton_kind kind = a.kind > b.kind ? a.kind : b.kind;

	return value_of(s, arena_printf(&s->arena, "tl.where(%s, %s, %s)", triton_as(s, c, TRITON_TRUTH), triton_as(s, a, kind), triton_as(s, b, kind)), kind,
			c.over | a.over | b.over);
}

/* A prelude function: its definition, of arguments that have names. */
static struct triton_value prelude_value(struct triton *s, const struct expr *x, const struct function *f)
{
	struct triton_value argument[4], v = { "0", TRITON_WHOLE, 0, true };
	const char *parameter[4];
	struct strbuf err = STRBUF_INIT;
	struct expr *definition;
	int n = 0;

	for (const char *p = f->params; *p && n < 4; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		parameter[n] = arena_strndup(&s->arena, p, len);
		argument[n] = triton_print_value(s, x->arg[n]);
		if (!argument[n].is_literal)
			argument[n] = named(s, argument[n]);
		n++;
		p += len;
	}
	/* Definitions call others: the caller's parameters come back afterwards. */
	struct triton caller = *s;
	memcpy(s->parameter, parameter, sizeof(parameter));
	memcpy(s->argument, argument, sizeof(argument));
	s->parameter_count = n;
	if (expr_parse(&s->arena, f->definition, f->name, EXPR_BODY, &definition, &err))
		triton_fail(s, "%s", err.buf);
	else
		v = triton_print_value(s, definition);
	memcpy(s->parameter, caller.parameter, sizeof(caller.parameter));
	memcpy(s->argument, caller.argument, sizeof(caller.argument));
	s->parameter_count = caller.parameter_count;
	strbuf_release(&err);
	return v;
}

const char *triton_narrowed(struct triton *s, struct triton_value v, enum dtype dtype)
{
	const char *text = triton_as(s, v, dtype == DTYPE_bool ? TRITON_TRUTH : dtype_is_real(dtype) ? TRITON_REAL : TRITON_WHOLE);

	/* A number of the text has no type of its own, but among f64. */
	if (v.is_literal && !(s->is_double && dtype_is_real(dtype)))
		text = arena_printf(&s->arena, "tl.full([], %s, %s)", text, type_of(s, dtype_is_real(dtype) ? TRITON_REAL : TRITON_WHOLE));
	if (dtype == (s->is_double ? DTYPE_f64 : DTYPE_f32))
		return text;
	/* What is narrowed twice is rounded once. */
	if (s->is_double && dtype_is_real(dtype) && dtype_bytes(dtype) < 4)
		text = arena_printf(&s->arena, "km_odd(%s)", text);
	if (is_eighth(dtype))
		return arena_printf(&s->arena, "km_to_%s(%s)", dtype_name(dtype), text);
	return arena_printf(&s->arena, "tl.cast(%s, %s)", text, triton_dtype(dtype));
}

const char *triton_widened(struct triton *s, const char *text, enum dtype dtype)
{
	if (is_eighth(dtype)) {
		text = arena_printf(&s->arena, "km_of_%s(%s)", dtype_name(dtype), text);
		dtype = DTYPE_f32;
	}
	return dtype == (s->is_double ? DTYPE_f64 : DTYPE_f32) ? text : arena_printf(&s->arena, "tl.cast(%s, %s)", text, type_of(s, TRITON_REAL));
}

/* Conversions: to a type's values, in the arithmetic of its kind. */
static bool cast_value(struct triton *s, const struct expr *x, struct triton_value *v)
{
	enum dtype dtype;

	if (x->arg_count != 1 || !dtype_find(x->name, &dtype))
		return false;
	struct triton_value a = triton_print_value(s, x->arg[0]);
	if (dtype == DTYPE_bool)
		*v = value_of(s, triton_as(s, a, TRITON_TRUTH), TRITON_TRUTH, a.over);
	else if (dtype_is_real(dtype))
		*v = value_of(s, triton_widened(s, triton_narrowed(s, a, dtype), dtype), TRITON_REAL, a.over);
	else
		*v = value_of(s, arena_printf(&s->arena, "tl.cast(%s, tl.int64)", triton_narrowed(s, a, dtype)), TRITON_WHOLE, a.over);
	return true;
}

static struct triton_value call_value(struct triton *s, const struct expr *x)
{
	static const char *const whole[] = { "cdiv", "rup", "bit_and", "bit_or", "bit_xor", "bit_not", "shl", "shr", "philox" };
	const struct function *f = function_find(x->name);
	struct triton_value v = { "0", TRITON_WHOLE, 0, false }, argument[4];
	const char *text = "";
	bool is_whole = false, are_whole = true;

	if (cast_value(s, x, &v))
		return v;
	if (f && f->definition && !triton_has(x->name))
		return prelude_value(s, x, f);
	if (!triton_has(x->name) || x->arg_count > 4) {
		triton_fail(s, "function '%s' is not in the Triton vocabulary", x->name);
		return v;
	}
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		is_whole |= !strcmp(whole[i], x->name);
	for (size_t i = 0; i < x->arg_count; i++) {
		argument[i] = triton_print_value(s, x->arg[i]);
		are_whole &= argument[i].kind != TRITON_REAL;
	}
	is_whole |= are_whole && (!strcmp(x->name, "minimum") || !strcmp(x->name, "maximum") || !strcmp(x->name, "abs"));
	for (size_t i = 0; i < x->arg_count; i++) {
		const char *a = triton_as(s, argument[i], is_whole ? TRITON_WHOLE : TRITON_REAL);
		/* The vocabulary's functions take tensors, not numbers of the text. */
		if (argument[i].is_literal && (is_whole || !s->is_double))
			a = arena_printf(&s->arena, "tl.full([], %s, %s)", a, type_of(s, is_whole ? TRITON_WHOLE : TRITON_REAL));
		text = arena_printf(&s->arena, "%s%s%s", text, i ? ", " : "", a);
		v.over |= argument[i].over;
	}
	v.kind = is_whole ? TRITON_WHOLE : TRITON_REAL;
	v.text = arena_printf(&s->arena, "km_%s%s%s(%s)", is_whole && are_whole && (x->name[0] == 'm' || x->name[0] == 'a') ? "whole_" : "", x->name,
			      !is_whole && s->is_double ? "_f64" : "", text);
	return v;
}

/* ---- memory ---------------------------------------------------------- */

static const char *also(struct triton *s, const char *mask, const char *condition)
{
	return !condition ? mask : !mask ? condition : arena_printf(&s->arena, "%s & %s", mask, condition);
}

const char *triton_pointer(struct triton *s, const struct expr *x, const char **mask)
{
	const struct tile_buffer *b = buffer_of(s, x->name);
	struct facts facts = facts_of(s);
	struct expr *address = NULL, *zero = expr_int(&s->arena, 0);

	*mask = NULL;
	if (*b->layout_text) {
		triton_fail(s, "buffer '%s' has digits: memory of its own order is not printed for Triton", b->name);
		return "";
	}
	for (int i = 0; i < s->axis_count; i++)
		for (size_t d = 0; d < x->arg_count; d++)
			if (expr_uses(x->arg[d], s->kernel->index[s->axis[i]].name)) {
				*mask = also(s, *mask, triton_live(s, s->axis[i]));
				break;
			}
	for (size_t d = 0; d < b->rank; d++) {
		address = address ? expr_binary(&s->arena, OP_ADD, expr_binary(&s->arena, OP_MUL, address, b->dim[d]), x->arg[d]) : x->arg[d];
		const struct expr *last = expr_binary(&s->arena, OP_SUB, b->dim[d], expr_int(&s->arena, 1));
		if (!affine_le(&s->arena, &facts, zero, x->arg[d]))
			*mask = also(s, *mask, arena_printf(&s->arena, "(%s >= 0)", triton_whole(s, x->arg[d])));
		if (!affine_le(&s->arena, &facts, x->arg[d], last))
			*mask = also(s, *mask, arena_printf(&s->arena, "(%s < %s)", triton_whole(s, x->arg[d]), triton_whole(s, b->dim[d])));
	}
	if (!address)
		return arena_printf(&s->arena, "b_%s", b->name);
	return arena_printf(&s->arena, "b_%s + %s", b->name, triton_whole(s, expr_simplify(&s->arena, address)));
}

const char *triton_load(struct triton *s, const struct expr *x)
{
	const struct tile_buffer *b = buffer_of(s, x->name);
	bool is_real = dtype_is_real(b->dtype);
	const char *mask, *pointer = triton_pointer(s, x, &mask), *zero = is_real && !is_eighth(b->dtype) ? "0.0" : "0";

	if (!mask)
		return arena_printf(&s->arena, "tl.load(%s)", pointer);
	if (!x->otherwise)
		return arena_printf(&s->arena, "tl.load(%s, mask=%s, other=%s)", pointer, mask, zero);
	struct triton_value v = triton_print_value(s, x->otherwise);
	if (v.is_literal && !s->is_double && !is_eighth(b->dtype))
		return arena_printf(&s->arena, "tl.load(%s, mask=%s, other=%s)", pointer, mask, triton_as(s, v, is_real ? TRITON_REAL : TRITON_WHOLE));
	return arena_printf(&s->arena, "tl.where(%s, tl.load(%s, mask=%s, other=%s), %s)", mask, pointer, mask, zero,
			    b->dtype == DTYPE_bool ? arena_printf(&s->arena, "tl.cast(%s, tl.uint8)", triton_as(s, v, TRITON_TRUTH)) : triton_narrowed(s, v, b->dtype));
}

static uint32_t indices_of(const struct triton *s, const struct expr *x)
{
	uint32_t set = 0;

	for (int i = 0; i < s->axis_count; i++)
		if (expr_uses(x, s->kernel->index[s->axis[i]].name))
			set |= UINT32_C(1) << s->axis[i];
	return set;
}

static struct triton_value buffer_value(struct triton *s, const struct expr *x)
{
	const struct tile_buffer *b = buffer_of(s, x->name);
	struct triton_value v = { triton_load(s, x), dtype_is_real(b->dtype) ? TRITON_REAL : TRITON_WHOLE, indices_of(s, x), false };

	if (b->dtype == DTYPE_bool) {
		v.text = arena_printf(&s->arena, "(%s != 0)", v.text);
		v.kind = TRITON_TRUTH;
	} else if (dtype_is_real(b->dtype)) {
		v.text = triton_widened(s, v.text, b->dtype);
	} else if (b->dtype != DTYPE_i64) {
		v.text = arena_printf(&s->arena, "%s.to(tl.int64)", v.text);
	}
	v = named(s, v);
	keep(s, x, v);
	return v;
}

/* A tile is read by plain indices: its axes put among those at hand. */
static struct triton_value tile_value(struct triton *s, const struct expr *x)
{
	const struct tile *t = tile_of(s, x->name);
	const char *text = arena_printf(&s->arena, "t_%s", t->name), *order = "";
	struct triton_value v = { text, TRITON_REAL, 0, false };
	int at[TRITON_MAX_AXES];
	uint32_t has = 0;
	bool in_order = true;

	for (size_t d = 0; d < x->arg_count; d++) {
		int index = x->arg[d]->kind == EXPR_NAME ? tile_index_find(s->kernel, x->arg[d]->name) : -1;
		at[d] = index < 0 ? -1 : axis_of(s, index);
		if (at[d] < 0 || triton_padded(s, index) != triton_padded(s, t->index[d])) {
			triton_fail(s, "tile '%s' is read beside its indices, which is not printed for Triton", t->name);
			return v;
		}
		in_order &= !d || at[d - 1] < at[d];
		has |= UINT32_C(1) << at[d];
		v.over |= UINT32_C(1) << index;
	}
	for (int a = 0; a < s->axis_count && !in_order; a++)
		for (size_t d = 0; d < x->arg_count; d++)
			if (at[d] == a)
				order = arena_printf(&s->arena, "%s, %zu", order, d);
	if (!in_order)
		text = arena_printf(&s->arena, "tl.permute(%s%s)", text, order);
	v.text = x->arg_count ? arena_printf(&s->arena, "%s%s", text, subscript(s, has)) : text;
	/* Staged tiles keep their type. */
	v.text = triton_widened(s, v.text, t->dtype);
	return v;
}

/* ---- reductions ------------------------------------------------------ */

static const char *identity(enum expr_op op, enum triton_kind kind)
{
	if (kind == TRITON_REAL)
		return op == OP_SUM ? "0.0" : op == OP_PROD ? "1.0" : op == OP_MAX ? "float('-inf')" : "float('inf')";
	return op == OP_SUM ? "0" : op == OP_PROD ? "1" : op == OP_MAX ? "-9223372036854775808" : "9223372036854775807";
}

static const char *combiner(const struct triton *s, enum expr_op op, enum triton_kind kind)
{
	if (op == OP_SUM || op == OP_PROD)
		return op == OP_SUM ? "km_add" : "km_multiply";
	if (kind == TRITON_REAL && s->is_double)
		return op == OP_MAX ? "km_maximum_f64" : "km_minimum_f64";
	if (kind == TRITON_REAL)
		return op == OP_MAX ? "km_maximum" : "km_minimum";
	return op == OP_MAX ? "km_whole_maximum" : "km_whole_minimum";
}

/* Made as large as the axes at hand. */
static const char *whole_tensor(struct triton *s, struct triton_value v, const char *text)
{
	if (!s->axis_count || (v.over == axes_set(s) && !v.is_literal))
		return text;
	if (!v.over)
		return arena_printf(&s->arena, "tl.full(%s, %s, %s)", triton_shape(s), text, type_of(s, v.kind));
	return arena_printf(&s->arena, "tl.broadcast_to(%s, %s)", text, triton_shape(s));
}

/* Ranges from `level` on: those over tile indices along their axes, those with bounds as loops. */
static struct triton_value reduce_value(struct triton *s, const struct expr *x, size_t level)
{
	struct triton_value v;

	if (s->failed)
		return (struct triton_value){ "0", TRITON_WHOLE, 0, false };
	if (level == x->range_count) {
		v = triton_print_value(s, x->arg[0]);
		if (v.kind == TRITON_TRUTH)
			v = value_of(s, triton_as(s, v, TRITON_WHOLE), TRITON_WHOLE, v.over);
		if (x->filter) {
			struct triton_value f = triton_print_value(s, x->filter);
			v.text = arena_printf(&s->arena, "tl.where(%s, %s, %s)", triton_as(s, f, TRITON_TRUTH), v.text, identity(x->op, v.kind));
			v.over |= f.over;
			v.is_literal = false;
		}
		return v;
	}
	const struct expr_range *range = &x->range[level];
	int kept = s->kept_count;
	if (!range->hi) {
		int index = tile_index_find(s->kernel, range->name), at = axis_of(s, index);
		bool is_inner = at < 0;
		if (is_inner && s->axis_count == TRITON_MAX_AXES) {
			triton_fail(s, "more than %d axes", TRITON_MAX_AXES);
			return (struct triton_value){ "0", TRITON_WHOLE, 0, false };
		}
		if (is_inner) {
			s->axis[at = s->axis_count++] = index;
			triton_bound_axes(s);
		}
		v = reduce_value(s, x, level + 1);
		const char *live = triton_live(s, index), *text = whole_tensor(s, v, v.text);
		if (live)
			text = arena_printf(&s->arena, "tl.where(%s, %s, %s)", live, text, identity(x->op, v.kind));
		text = arena_printf(&s->arena, "tl.reduce(%s, %d, %s)", text, at, combiner(s, x->op, v.kind));
		/* The axes of what was reduced are full ones now. */
		if (is_inner)
			s->axis_count--;
		else
			text = arena_printf(&s->arena, "tl.expand_dims(%s, %d)", text, at);
		return named(s, value_of(s, text, v.kind, axes_set(s) & ~(UINT32_C(1) << index)));
	}
	struct triton_value lo = triton_print_value(s, range->lo), hi = triton_print_value(s, range->hi);
	if (lo.over || hi.over || s->for_count == TRITON_MAX_FORS) {
		triton_fail(s, lo.over || hi.over ? "a range whose bounds differ between points is not printed for Triton" : "loops nested too deeply");
		return (struct triton_value){ "0", TRITON_WHOLE, 0, false };
	}
	/* Whether it sums reals is known when its term is printed: the term's lines wait. */
	struct tile_stmt *loop = ARENA_ARRAY(&s->arena, struct tile_stmt, 1);
	*loop = (struct tile_stmt){ .kind = TILE_FOR, .var = range->name, .lo = range->lo, .hi = range->hi, .step = 1 };
	struct strbuf body = STRBUF_INIT, *out = s->out;
	const char *total = arena_printf(&s->arena, "x%d", s->next++);
	s->fors[s->for_count++] = loop;
	s->out = &body;
	s->depth++;
	v = reduce_value(s, x, level + 1);
	triton_line(s, "%s = %s(%s, %s)", total, combiner(s, x->op, v.kind), v.is_literal ? arena_printf(&s->arena, "tl.full([], %s, %s)", v.text, type_of(s, v.kind)) : v.text, total);
	s->depth--;
	s->out = out;
	s->for_count--;
	s->kept_count = kept;
	triton_line(s, "%s = tl.full(%s, %s, %s)", total, triton_shape(s), identity(x->op, v.kind), type_of(s, v.kind));
	triton_line(s, "for v_%s in range(%s, %s):", range->name, triton_as(s, lo, TRITON_WHOLE), triton_as(s, hi, TRITON_WHOLE));
	strbuf_add(s->out, body.buf, body.len);
	strbuf_release(&body);
	return value_of(s, total, v.kind, axes_set(s));
}

struct triton_value triton_scan(struct triton *s, const struct expr *x)
{
	int index = tile_index_find(s->kernel, x->range[0].name), at = index < 0 ? -1 : axis_of(s, index);
	struct triton_value v = triton_print_value(s, x->arg[0]);
	enum expr_op of;

	expr_is_scan(x, &of);
	if (at < 0 || x->range_count != 1 || x->range[0].hi || x->filter) {
		triton_fail(s, "a scan that is not along one of the indices it writes is not printed for Triton");
		return v;
	}
	if (v.kind == TRITON_TRUTH)
		v = value_of(s, triton_as(s, v, TRITON_WHOLE), TRITON_WHOLE, v.over);
	const char *live = triton_live(s, index), *text = whole_tensor(s, v, v.text);
	if (live)
		text = arena_printf(&s->arena, "tl.where(%s, %s, %s)", live, text, identity(of, v.kind));
	return value_of(s, arena_printf(&s->arena, "tl.associative_scan(%s, %d, %s%s)", text, at, of == OP_PROD ? "km_multiply" : "km_add",
					     x->op == OP_SCAN_BACK ? ", reverse=True" : ""), v.kind, axes_set(s));
}

/* ---- all ------------------------------------------------------------- */

static struct triton_value name_value(struct triton *s, const struct expr *x)
{
	for (int i = 0; i < s->parameter_count; i++)
		if (!strcmp(s->parameter[i], x->name))
			return s->argument[i];
	if (tile_of(s, x->name) || buffer_of(s, x->name)) {
		struct expr *access = ARENA_ARRAY(&s->arena, struct expr, 1);
		*access = *x;
		access->kind = EXPR_ACCESS;
		return tile_of(s, x->name) ? tile_value(s, access) : buffer_value(s, access);
	}
	for (size_t i = s->for_count; i-- > 0;)
		if (!strcmp(s->fors[i]->var, x->name))
			return value_of(s, arena_printf(&s->arena, "v_%s", x->name), TRITON_WHOLE, 0);
	int index = tile_index_find(s->kernel, x->name);
	if (index >= 0)
		return index_value(s, index);
	for (size_t i = 0; i < s->program->dim_count; i++) {
		const struct tile_dim *d = &s->program->dim[i];
		if (!strcmp(d->name, x->name))
			return (struct triton_value){ d->is_static ? arena_printf(&s->arena, "%lld", (long long)d->value) : arena_printf(&s->arena, "d_%s", d->name),
						      TRITON_WHOLE, 0, d->is_static };
	}
	return value_of(s, x->name, TRITON_WHOLE, 0); /* p0, p1, p2 */
}

struct triton_value triton_print_value(struct triton *s, const struct expr *x)
{
	struct triton_value v = { "0", TRITON_WHOLE, 0, true };

	if (s->failed)
		return v;
	for (int i = 0; i < s->kept_count && !s->parameter_count; i++)
		if (s->kept[i].axes == axes_key(s) && expr_equal(s->kept[i].x, x))
			return s->kept[i].value;
	switch (x->kind) {
	case EXPR_INT:
		v.text = arena_printf(&s->arena, x->int_value < 0 ? "(%lld)" : "%lld", (long long)x->int_value);
		return v;
	case EXPR_REAL:
		v.text = number(s, x->real_value);
		v.kind = TRITON_REAL;
		v.is_literal = !s->is_double;
		return v;
	case EXPR_NAME:
		return name_value(s, x);
	case EXPR_ACCESS:
		if (tile_of(s, x->name))
			return tile_value(s, x);
		return buffer_value(s, x);
	case EXPR_NEG:
		v = triton_print_value(s, x->arg[0]);
		if (v.kind == TRITON_TRUTH)
			v = value_of(s, triton_as(s, v, TRITON_WHOLE), TRITON_WHOLE, v.over);
		v.text = arena_printf(&s->arena, "(-%s)", v.text);
		return v;
	case EXPR_BINARY:
		return binary_value(s, x);
	case EXPR_SELECT:
		return select_value(s, x);
	case EXPR_CALL:
		return call_value(s, x);
	case EXPR_REDUCE:
		if (x->op > OP_MIN) {
			triton_fail(s, "'%s' is not printed for Triton yet", expr_op_text(x->op));
			return v;
		}
		v = reduce_value(s, x, 0);
		keep(s, x, v);
		return v;
	}
	return v;
}
