/* Expressions of printed SIMT code: integers of addresses, guards, registers. */
#include "generate/simt_print.h"

#include <string.h>

const struct tile *simt_tile(const struct simt *s, const char *name)
{
	int t = tile_find(s->kernel, name);
	return t < 0 ? NULL : &s->kernel->tile[t];
}

const struct tile_buffer *simt_buffer(const struct simt *s, const char *name)
{
	int b = tile_buffer_find(s->program, name);
	return b < 0 || simt_tile(s, name) ? NULL : &s->program->buffer[b];
}

struct facts simt_facts(struct simt *s)
{
	static const char *const positions[] = { "km_row", "km_column", "km_depth", "km_f", "km_w" };
	struct facts facts = tile_facts(&s->arena, s->program, s->kernel, s->fors, s->for_count);
	struct fact *more = ARENA_ARRAY(&s->arena, struct fact, facts.count + ARRAY_SIZE(positions));

	/* Positions in tiles, the printer's own names. */
	memcpy(more, facts.fact, facts.count * sizeof(*more));
	for (size_t i = 0; i < ARRAY_SIZE(positions); i++)
		more[facts.count++] = (struct fact){ positions[i], expr_int(&s->arena, 0), NULL };
	return (struct facts){ more, facts.count };
}

bool simt_tile_has(const struct tile *tile, int index)
{
	for (size_t i = 0; i < tile->rank; i++)
		if (tile->index[i] == index)
			return true;
	return false;
}

/* ---- integers -------------------------------------------------------- */

static void print_int(struct simt *s, struct strbuf *out, const struct expr *x);

static void print_int_call(struct simt *s, struct strbuf *out, const char *function, const struct expr *x)
{
	strbuf_addf(out, "%s(", function);
	for (size_t i = 0; i < x->arg_count; i++) {
		if (i)
			strbuf_addstr(out, ", ");
		print_int(s, out, x->arg[i]);
	}
	strbuf_addch(out, ')');
}

static void print_int_binary(struct simt *s, struct strbuf *out, const struct expr *x)
{
	bool divides = x->op == OP_FLOORDIV || x->op == OP_MOD;
	struct facts facts = simt_facts(s);

	if (divides && !affine_le(&s->arena, &facts, expr_int(&s->arena, 0), x->arg[0])) {
		print_int_call(s, out, x->op == OP_MOD ? "km_floor_mod" : "km_floor_div", x);
		return;
	}
	strbuf_addch(out, '(');
	print_int(s, out, x->arg[0]);
	strbuf_addf(out, " %s ", x->op == OP_FLOORDIV ? "/" : expr_op_text(x->op));
	print_int(s, out, x->arg[1]);
	strbuf_addch(out, ')');
}

static void print_int(struct simt *s, struct strbuf *out, const struct expr *x)
{
	static const char *const call[][2] = { { "cdiv", "km_cdiv" }, { "rup", "km_rup" }, { "minimum", "km_least" }, { "maximum", "km_most" },
					       { "bit_xor", "km_xor" }, { "abs", "km_abs" } };
	const struct expr *definition;

	switch (x->kind) {
	case EXPR_INT:
		strbuf_addf(out, x->int_value < 0 ? "(%lldL)" : x->int_value > INT32_MAX ? "%lldL" : "%lld", (long long)x->int_value);
		return;
	case EXPR_NAME:
		strbuf_addstr(out, x->name);
		return;
	case EXPR_NEG:
		strbuf_addstr(out, "(-");
		print_int(s, out, x->arg[0]);
		strbuf_addch(out, ')');
		return;
	case EXPR_ACCESS:
		if (!simt_buffer(s, x->name)) {
			simt_fail(s, "'%s' in an index is no buffer", x->name);
			return;
		}
		strbuf_addf(out, "(long)b_%s[", x->name);
		print_int(s, out, simt_address(s, x));
		strbuf_addch(out, ']');
		return;
	case EXPR_CALL:
		for (size_t i = 0; i < ARRAY_SIZE(call); i++)
			if (!strcmp(call[i][0], x->name)) {
				print_int_call(s, out, call[i][1], x);
				return;
			}
		definition = simt_definition(s, x);
		if (definition)
			print_int(s, out, definition);
		else
			simt_fail(s, "'%s' is no integer function", x->name);
		return;
	case EXPR_SELECT:
		for (size_t i = 0; i < 3; i++) {
			strbuf_addstr(out, i == 0 ? "(" : i == 1 ? " ? " : " : ");
			print_int(s, out, x->arg[i]);
		}
		strbuf_addch(out, ')');
		return;
	case EXPR_BINARY:
		print_int_binary(s, out, x);
		return;
	default:
		simt_fail(s, "a real number where an integer is wanted");
	}
}

const char *simt_int_text(struct simt *s, const struct expr *x)
{
	struct strbuf text = STRBUF_INIT;

	print_int(s, &text, x);
	const char *kept = arena_strdup(&s->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* ---- addresses ------------------------------------------------------- */

static struct expr *times_plus(struct simt *s, struct expr *a, struct expr *radix, struct expr *v)
{
	return a ? expr_binary(&s->arena, OP_ADD, expr_binary(&s->arena, OP_MUL, a, radix), v) : v;
}

/* The radix of a buffer's digit: its extents are run-time trees. */
static struct expr *radix_of(struct simt *s, const struct tile_buffer *b, const struct digit *d)
{
	struct expr *radix = expr_int(&s->arena, d->mod + d->pad);

	if (d->mod)
		return radix;
	struct expr *whole = b->dim[d->var];
	if (d->div > 1) {
		whole = ARENA_ARRAY(&s->arena, struct expr, 1);
		*whole = (struct expr){ .kind = EXPR_CALL, .name = "cdiv", .arg_count = 2 };
		whole->arg = ARENA_ARRAY(&s->arena, struct expr *, 2);
		whole->arg[0] = b->dim[d->var];
		whole->arg[1] = expr_int(&s->arena, d->div);
	}
	return expr_binary(&s->arena, OP_ADD, whole, expr_int(&s->arena, d->pad));
}

struct expr *simt_address(struct simt *s, const struct expr *x)
{
	static const char *const name[] = { "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7" };
	static const int64_t extent[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const struct tile *t = simt_tile(s, x->name);
	struct expr *address = NULL;

	if (t)
		return expr_simplify(&s->arena, layout_encode_expr(&s->arena, &t->layout, x->arg));
	const struct tile_buffer *b = simt_buffer(s, x->name);
	if (!*b->layout_text) {
		for (size_t d = 0; d < b->rank; d++)
			address = times_plus(s, address, b->dim[d], x->arg[d]);
	} else {
		struct layout layout = { 0 };
		if (layout_parse(&s->arena, b->layout_text, name, extent, b->rank, &layout, s->err))
			s->failed = true;
		for (size_t i = 0; i < layout.count && !s->failed; i++) {
			const struct digit *d = &layout.digit[i];
			struct expr *v = x->arg[d->var];
			if (d->div > 1)
				v = expr_binary(&s->arena, OP_FLOORDIV, v, expr_int(&s->arena, d->div));
			if (d->mod)
				v = expr_binary(&s->arena, OP_MOD, v, expr_int(&s->arena, d->mod));
			address = times_plus(s, address, radix_of(s, b, d), v);
		}
	}
	return address ? expr_simplify(&s->arena, address) : expr_int(&s->arena, 0);
}

/* x with the column's name replaced by that of the chunk's first point. */
static struct expr *at_chunk(struct simt *s, const struct expr *x, int column)
{
	const char *name = s->kernel->index[column].name;

	return expr_replace_name(&s->arena, x, name, expr_name(&s->arena, arena_printf(&s->arena, "%s_0", name)));
}

const char *simt_chunk_pointer(struct simt *s, const struct expr *access)
{
	return arena_printf(&s->arena, "b_%s + %s", access->name, simt_int_text(s, at_chunk(s, simt_address(s, access), s->column)));
}

bool simt_reads_index(const struct expr *access)
{
	for (size_t i = 0; i < access->arg_count; i++)
		if (access->arg[i]->kind == EXPR_ACCESS || simt_reads_index(access->arg[i]))
			return true;
	return false;
}

static bool nested_access_uses(const struct expr *x, const char *name)
{
	for (size_t i = 0; i < x->arg_count; i++)
		if ((x->arg[i]->kind == EXPR_ACCESS && expr_uses(x->arg[i], name)) || nested_access_uses(x->arg[i], name))
			return true;
	return false;
}

bool simt_is_chunk(struct simt *s, const struct expr *x, int column, const char *all, const char **lanes)
{
	const struct tile_buffer *b = x->kind == EXPR_ACCESS ? simt_buffer(s, x->name) : NULL;
	const char *name = s->kernel->index[column].name;
	struct facts facts = simt_facts(s);
	struct strbuf condition = STRBUF_INIT;
	bool is_chunk = false;

	if (!b || *b->layout_text || !x->arg_count || nested_access_uses(x, name))
		return false;
	const char *bounded = NULL;
	/* Behind the last of more than one, all lie at one place. */
	size_t last = x->arg_count - 1;
	while (last && b->dim[last]->kind == EXPR_INT && b->dim[last]->int_value == 1)
		last--;
	for (size_t d = 0; d < x->arg_count; d++) {
		int64_t stride;
		if (!affine_stride(&s->arena, x->arg[d], name, &stride) || stride != (d == last))
			goto out;
		if (tile_proven_inside(&s->arena, &facts, x->arg[d], b->dim[d]))
			continue;
		const char *at = simt_int_text(s, stride ? at_chunk(s, x->arg[d], column) : x->arg[d]);
		if (!stride) {
			strbuf_addf(&condition, "%skm_inside(%s, %s)", condition.len ? " && " : "", at, simt_int_text(s, b->dim[d]));
			continue;
		}
		if (!affine_le(&s->arena, &facts, expr_int(&s->arena, 0), x->arg[d]))
			goto out;
		bounded = arena_printf(&s->arena, "km_clip(%s - (%s), %s)", simt_int_text(s, b->dim[d]), at, all);
	}
	*lanes = bounded ? bounded : all;
	if (condition.len)
		*lanes = arena_printf(&s->arena, "(%s ? %s : 0)", condition.buf, *lanes);
	is_chunk = true;
out:
	strbuf_release(&condition);
	return is_chunk;
}

const char *simt_guard(struct simt *s, const struct expr *x)
{
	const struct tile_buffer *b = simt_buffer(s, x->name);
	struct facts facts = simt_facts(s);
	struct strbuf condition = STRBUF_INIT;

	for (size_t d = 0; b && d < b->rank; d++)
		if (!tile_proven_inside(&s->arena, &facts, x->arg[d], b->dim[d]))
			strbuf_addf(&condition, "%skm_inside(%s, %s)", condition.len ? " && " : "", simt_int_text(s, x->arg[d]),
				    simt_int_text(s, b->dim[d]));
	const char *kept = arena_strdup(&s->arena, condition.buf);
	strbuf_release(&condition);
	return kept;
}

/* ---- digits ---------------------------------------------------------- */

static int64_t stride_behind(const struct digit *digit, int count, int i)
{
	int64_t stride = 1;

	for (int k = i + 1; k < count; k++)
		stride *= digit[k].extent;
	return stride;
}

const char *simt_index_text(struct simt *s, const struct spread *p, int index, int upto)
{
	struct strbuf text = STRBUF_INIT;

	for (int i = 0; i < p->thread_count; i++) {
		const struct digit *d = &p->thread[i];
		int64_t stride = stride_behind(p->thread, p->thread_count, i);
		if (d->var != index || d->extent == 1)
			continue;
		strbuf_addstr(&text, text.len ? " + km_tid" : "km_tid");
		if (stride > 1)
			strbuf_addf(&text, " / %lld", (long long)stride);
		if (stride * d->extent < simt_threads(s))
			strbuf_addf(&text, " %% %lld", (long long)d->extent);
		if (d->div > 1)
			strbuf_addf(&text, " * %lld", (long long)d->div);
	}
	for (int i = 0; i < p->reg_count && i < upto; i++) {
		const struct digit *d = &p->reg[i];
		if (d->var != index || d->extent == 1 || (p->column >= 0 && i + 1 == p->reg_count))
			continue;
		strbuf_addf(&text, "%skm_r%d", text.len ? " + " : "", i);
		if (d->div > 1)
			strbuf_addf(&text, " * %lld", (long long)d->div);
	}
	const char *kept = text.len ? arena_strdup(&s->arena, text.buf) : "0";
	strbuf_release(&text);
	return kept;
}

const char *simt_register(struct simt *s, const struct tile *tile)
{
	const struct spread *p = s->spread;
	struct strbuf text = STRBUF_INIT, part = STRBUF_INIT;

	for (int i = 0; i < p->reg_count; i++) {
		const struct digit *d = &p->reg[i];
		bool is_chunk = p->column >= 0 && i + 1 == p->reg_count;
		if (simt_tile_has(tile, d->var) && d->extent > 1) {
			const char *v = is_chunk ? "km_v" : arena_printf(&s->arena, "km_r%d", i);
			if (part.len) {
				const char *before = arena_strdup(&s->arena, part.buf);
				strbuf_reset(&part);
				strbuf_addf(&part, "(%s) * %lld + %s", before, (long long)d->extent, v);
			} else {
				strbuf_addstr(&part, v);
			}
		}
		if (i + 1 == p->reg_count || i + 1 == p->outer_count) {
			strbuf_addf(&text, "[%s]", part.len ? part.buf : "0");
			strbuf_reset(&part);
		}
	}
	const char *kept = arena_strdup(&s->arena, text.buf);
	strbuf_release(&text);
	strbuf_release(&part);
	return kept;
}

int64_t simt_register_count(const struct spread *p, const struct tile *tile)
{
	int64_t count = 1;

	for (int i = 0; i < p->reg_count; i++)
		if (simt_tile_has(tile, p->reg[i].var))
			count *= p->reg[i].extent;
	return count;
}
