/*
 * c.c: vector C, printed from a tile program for targets of artifact kind "so".
 *
 * A kernel is
 *   void SYM_<kernel>(void *const *buf, const long *dim, long first, long last, void *scratch)
 * Every statement becomes a loop nest over the indices it uses; one of them, in
 * which all accesses are unit-stride or constant, runs in vectors, with one
 * masked tail.  A tile lives in the thread's scratch (L1); the accumulator of a
 * contraction outside any loop lives in registers.
 *
 * Knobs it honours (kernel knob lines)
 *   MR, NV    rows and vectors of the register block of a contraction    [4, 2]
 *   KU        unrolling of the contracted loop                           [1]
 *   UNROLL    vector accumulators of a reduction                         [1]
 *   FUSE      1: a map and the reduction that reads it share one loop    [1]
 *   NT        1: stores to outputs go past the caches                    [0]
 *   DU        vectors of the free index a reduction carries at once      [1]
 *   PF, TU    of such a reduction: prefetch distance in trips, unrolling [0, 1]
 */
#include "generate/lang.h"
#include "generate/micro.h"
#include "generate/vector_c.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FORS = 8 };

struct emitter {
	struct arena arena;
	const struct tile_program *program;
	const struct tile_kernel *kernel;
	const struct target *target;
	struct strbuf *out, *err;
	int depth, lanes;
	int64_t offset[24];               /* of tiles in scratch */
	const struct expr *view[24];      /* what a @view tile is bound to */
	const struct tile_stmt *fors[MAX_FORS];
	size_t for_count;
	const char *lo[16], *hi[16];      /* loop bounds that override an index's own */
	int register_tile;                /* accumulator kept as a block: -1 none */
	const struct mma_groups *groups;  /* its contraction */
	int64_t block_columns;
	/* While a vector statement is printed */
	int vector;                       /* the vector index, or -1 */
	bool tail;                        /* masked: km_m holds the lanes */
	const struct expr *reduce[8];     /* reductions whose value is in q<i> */
	int reduce_count;
	bool failed;
};

static void fail(struct emitter *e, const char *fmt, ...) PRINTF(2, 3);
static void fail(struct emitter *e, const char *fmt, ...)
{
	va_list ap;

	if (e->failed)
		return;
	e->failed = true;
	strbuf_addf(e->err, "kernel '%s': ", e->kernel->name);
	va_start(ap, fmt);
	strbuf_vaddf(e->err, fmt, ap);
	va_end(ap);
}

static void line(struct emitter *e, const char *fmt, ...) PRINTF(2, 3);
static void line(struct emitter *e, const char *fmt, ...)
{
	va_list ap;

	for (int i = 0; i < e->depth; i++)
		strbuf_addch(e->out, '\t');
	va_start(ap, fmt);
	strbuf_vaddf(e->out, fmt, ap);
	va_end(ap);
	strbuf_addch(e->out, '\n');
}

static void open(struct emitter *e, const char *fmt, ...) PRINTF(2, 3);
static void open(struct emitter *e, const char *fmt, ...)
{
	va_list ap;

	for (int i = 0; i < e->depth; i++)
		strbuf_addch(e->out, '\t');
	va_start(ap, fmt);
	strbuf_vaddf(e->out, fmt, ap);
	va_end(ap);
	strbuf_addstr(e->out, " {\n");
	e->depth++;
}

static void close(struct emitter *e, int count)
{
	while (count-- > 0) {
		e->depth--;
		line(e, "}");
	}
}

/* ---- names ----------------------------------------------------------- */

static const struct tile *tile_named(const struct emitter *e, const char *name)
{
	int t = tile_find(e->kernel, name);
	return t < 0 ? NULL : &e->kernel->tile[t];
}

static const struct tile_buffer *buffer_named(const struct emitter *e, const char *name)
{
	int b = tile_buffer_find(e->program, name);
	return b < 0 ? NULL : &e->program->buffer[b];
}

/* A view's access as the buffer's: the tile's own indices replaced by what it is read at. */
static const struct expr *through_view(struct emitter *e, const struct expr *access)
{
	int t = tile_find(e->kernel, access->name);

	if (t < 0 || !e->view[t])
		return access;
	struct expr *x = (struct expr *)e->view[t];
	for (size_t i = 0; i < e->kernel->tile[t].rank; i++) {
		/* Two steps, so that an index on both sides is not replaced twice. */
		char *mark = arena_printf(&e->arena, "%%%zu", i);
		x = expr_replace_name(&e->arena, x, e->kernel->index[e->kernel->tile[t].index[i]].name, expr_name(&e->arena, mark));
	}
	for (size_t i = 0; i < e->kernel->tile[t].rank; i++)
		x = expr_replace_name(&e->arena, x, arena_printf(&e->arena, "%%%zu", i), access->arg[i]);
	return x;
}

/* ---- addresses ------------------------------------------------------- */

static struct facts facts_of(struct emitter *e)
{
	struct facts facts = tile_facts(&e->arena, e->program, e->kernel, e->fors, e->for_count);
	struct fact *more = ARENA_ARRAY(&e->arena, struct fact, facts.count + 2);

	/* The corner of a register block. */
	memcpy(more, facts.fact, facts.count * sizeof(*more));
	more[facts.count] = (struct fact){ "km_im", expr_int(&e->arena, 0), NULL };
	more[facts.count + 1] = (struct fact){ "km_jm", expr_int(&e->arena, 0), NULL };
	return (struct facts){ more, facts.count + 2 };
}

static struct expr *mul(struct emitter *e, struct expr *a, struct expr *b)
{
	return expr_binary(&e->arena, OP_MUL, a, b);
}

static struct expr *plus(struct emitter *e, struct expr *a, struct expr *b)
{
	return expr_binary(&e->arena, OP_ADD, a, b);
}

static struct layout buffer_layout(struct emitter *e, const struct tile_buffer *b)
{
	static const char *const name[] = { "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7" };
	int64_t extent[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct layout layout = { 0 };

	if (layout_parse(&e->arena, b->layout_text, name, extent, b->rank, &layout, e->err))
		e->failed = true;
	return layout;
}

/* The address of access x (element number) as a tree. */
static struct expr *address_of(struct emitter *e, const struct expr *x)
{
	const struct tile *t = tile_named(e, x->name);

	if (t && tile_find(e->kernel, x->name) == e->register_tile) {
		/* The block holds rows x columns of one register block: row index, column index relative to it. */
		const char *row = e->kernel->index[e->groups->row[e->groups->row_count - 1]].name;
		const char *column = e->kernel->index[e->groups->column[e->groups->column_count - 1]].name;
		struct expr *i = expr_binary(&e->arena, OP_SUB, expr_name(&e->arena, row), expr_name(&e->arena, "km_im"));
		struct expr *j = expr_binary(&e->arena, OP_SUB, expr_name(&e->arena, column), expr_name(&e->arena, "km_jm"));
		return plus(e, mul(e, i, expr_int(&e->arena, e->block_columns)), j);
	}
	if (t)
		return expr_simplify(&e->arena, layout_encode_expr(&e->arena, &t->layout, x->arg));
	const struct tile_buffer *b = buffer_named(e, x->name);
	struct expr *address = NULL;
	if (!*b->layout_text) {
		for (size_t d = 0; d < b->rank; d++)
			address = address ? plus(e, mul(e, address, b->dim[d]), x->arg[d]) : x->arg[d];
		return address ? expr_simplify(&e->arena, address) : expr_int(&e->arena, 0);
	}
	struct layout layout = buffer_layout(e, b);
	for (size_t i = 0; i < layout.count && !e->failed; i++) {
		const struct digit *d = &layout.digit[i];
		struct expr *v = x->arg[d->var], *radix = expr_int(&e->arena, d->mod + d->pad);
		if (!d->mod) {
			/* cdiv(extent, div) as a tree: extents are run-time. */
			struct expr *c = ARENA_ARRAY(&e->arena, struct expr, 1);
			*c = (struct expr){ .kind = EXPR_CALL, .name = "cdiv", .arg_count = 2 };
			c->arg = ARENA_ARRAY(&e->arena, struct expr *, 2);
			c->arg[0] = b->dim[d->var];
			c->arg[1] = expr_int(&e->arena, d->div);
			radix = plus(e, d->div == 1 ? b->dim[d->var] : c, expr_int(&e->arena, d->pad));
		}
		if (d->div > 1)
			v = expr_binary(&e->arena, OP_FLOORDIV, v, expr_int(&e->arena, d->div));
		if (d->mod)
			v = expr_binary(&e->arena, OP_MOD, v, expr_int(&e->arena, d->mod));
		address = address ? plus(e, mul(e, address, radix), v) : v;
	}
	return expr_simplify(&e->arena, address ? address : expr_int(&e->arena, 0));
}

static bool nested_access_uses(const struct expr *x, const char *name)
{
	for (size_t i = 0; i < x->arg_count; i++)
		if ((x->arg[i]->kind == EXPR_ACCESS && expr_uses(x->arg[i], name)) || nested_access_uses(x->arg[i], name))
			return true;
	return false;
}

/* Are all terms of `x` but `name` multiples of `group`? */
static bool is_aligned(struct emitter *e, const struct expr *x, const char *name, int64_t group)
{
	struct affine a = affine_of(&e->arena, x);

	for (size_t i = 0; i < a.count; i++) {
		const struct expr *atom = a.term[i].atom;
		bool is_self = atom->kind == EXPR_NAME && !strcmp(atom->name, name);
		/* Block starts are multiples of the lanes by construction. */
		if (!is_self && a.term[i].coefficient % group)
			return false;
	}
	return a.constant % group == 0;
}

/* Element stride of an access over an aligned group of lanes of index v: 0, 1, or -1 for anything else. */
static int unit_stride(struct emitter *e, const struct expr *access, int v)
{
	const struct expr *x = through_view(e, access);
	const char *name = e->kernel->index[v].name;
	const struct tile *t = tile_named(e, x->name);
	const struct tile_buffer *b = t ? NULL : buffer_named(e, x->name);
	struct layout layout;
	int var = -1;

	if (!expr_uses(x, name) || x->kind != EXPR_ACCESS)
		return x->kind == EXPR_ACCESS || !expr_uses(x, name) ? 0 : -1;
	if (nested_access_uses(x, name))
		return -1;
	for (size_t d = 0; d < x->arg_count; d++) {
		int64_t stride;
		if (!affine_stride(&e->arena, x->arg[d], name, &stride))
			return -1;
		if (!stride)
			continue;
		if (stride != 1 || var >= 0)
			return -1;
		var = (int)d;
	}
	if (t && tile_find(e->kernel, x->name) == e->register_tile)
		return e->kernel->index[e->groups->column[e->groups->column_count - 1]].name == name ? 1 : -1;
	if (b && !*b->layout_text)
		return var == (int)b->rank - 1 ? 1 : -1;
	layout = t ? t->layout : buffer_layout(e, b);
	int digits = 0;
	for (size_t i = 0; i < layout.count; i++) {
		const struct digit *d = &layout.digit[i];
		if (d->xor_var == var || (d->var == var && d->xor_var >= 0))
			return -1;
		if (d->var != var)
			continue;
		digits++;
		bool is_last = i + 1 == layout.count;
		if (is_last ? d->div != 1 || (d->mod && d->mod % e->lanes) : d->div % e->lanes)
			return -1;
	}
	if (!layout.count || layout.digit[layout.count - 1].var != var)
		return -1;
	return digits == 1 || is_aligned(e, x->arg[var], name, e->lanes) ? 1 : -1;
}

/* ---- integer expressions --------------------------------------------- */

static void print_int(struct emitter *e, const struct expr *x);

static void print_int_call(struct emitter *e, const char *function, const struct expr *x)
{
	strbuf_addf(e->out, "%s(", function);
	for (size_t i = 0; i < x->arg_count; i++) {
		if (i)
			strbuf_addstr(e->out, ", ");
		print_int(e, x->arg[i]);
	}
	strbuf_addch(e->out, ')');
}

static void print_int(struct emitter *e, const struct expr *x)
{
	static const char *const call[][2] = { { "cdiv", "km_cdiv" }, { "rup", "km_rup" }, { "minimum", "km_min" }, { "maximum", "km_max" } };
	struct facts facts;

	switch (x->kind) {
	case EXPR_INT:
		strbuf_addf(e->out, x->int_value < 0 ? "(%lldL)" : "%lld", (long long)x->int_value);
		return;
	case EXPR_NAME:
		strbuf_addstr(e->out, x->name);
		return;
	case EXPR_NEG:
		strbuf_addstr(e->out, "(-");
		print_int(e, x->arg[0]);
		strbuf_addch(e->out, ')');
		return;
	case EXPR_ACCESS: {
		const struct expr *y = through_view(e, x);
		strbuf_addf(e->out, "(long)b_%s[", y->name);
		if (!buffer_named(e, y->name)) {
			fail(e, "'%s' in an index is no buffer", y->name);
			return;
		}
		print_int(e, address_of(e, y));
		strbuf_addch(e->out, ']');
		return;
	}
	case EXPR_CALL:
		for (size_t i = 0; i < ARRAY_SIZE(call); i++)
			if (!strcmp(call[i][0], x->name)) {
				print_int_call(e, call[i][1], x);
				return;
			}
		if (!strcmp(x->name, "bit_xor")) {
			strbuf_addch(e->out, '(');
			print_int(e, x->arg[0]);
			strbuf_addstr(e->out, " ^ ");
			print_int(e, x->arg[1]);
			strbuf_addch(e->out, ')');
			return;
		}
		fail(e, "'%s' is no integer function", x->name);
		return;
	case EXPR_SELECT:
		strbuf_addch(e->out, '(');
		print_int(e, x->arg[0]);
		strbuf_addstr(e->out, " ? ");
		print_int(e, x->arg[1]);
		strbuf_addstr(e->out, " : ");
		print_int(e, x->arg[2]);
		strbuf_addch(e->out, ')');
		return;
	case EXPR_BINARY:
		facts = facts_of(e);
		if ((x->op == OP_FLOORDIV || x->op == OP_MOD) && !affine_le(&e->arena, &facts, expr_int(&e->arena, 0), x->arg[0])) {
			print_int_call(e, x->op == OP_MOD ? "km_fmod" : "km_fdiv", x);
			return;
		}
		strbuf_addch(e->out, '(');
		print_int(e, x->arg[0]);
		strbuf_addf(e->out, " %s ", x->op == OP_FLOORDIV ? "/" : expr_op_text(x->op));
		print_int(e, x->arg[1]);
		strbuf_addch(e->out, ')');
		return;
	default:
		fail(e, "a real number where an integer is wanted");
	}
}

static const char *int_text(struct emitter *e, const struct expr *x)
{
	struct strbuf text = STRBUF_INIT, *saved = e->out;

	e->out = &text;
	print_int(e, x);
	e->out = saved;
	const char *kept = arena_strdup(&e->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* ---- real expressions ------------------------------------------------ */

static void print_real(struct emitter *e, const struct expr *x, bool vector);

static const char *real_text(struct emitter *e, const struct expr *x, bool vector)
{
	struct strbuf text = STRBUF_INIT, *saved = e->out;

	e->out = &text;
	print_real(e, x, vector);
	e->out = saved;
	const char *kept = arena_strdup(&e->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/*
 * What of an access is not proven inside its buffer: conditions on scalars in
 * *scalar ("" none), and the lanes of the vector index in *lanes ("" all).
 */
static void guards(struct emitter *e, const struct expr *x, bool vector, const char **scalar, const char **lanes)
{
	const struct tile_buffer *b = buffer_named(e, x->name);
	struct strbuf condition = STRBUF_INIT;

	*scalar = *lanes = "";
	if (!b || tile_named(e, x->name))
		return;
	struct facts facts = facts_of(e);
	for (size_t d = 0; d < b->rank; d++) {
		if (tile_proven_inside(&e->arena, &facts, x->arg[d], b->dim[d]))
			continue;
		const char *at = int_text(e, x->arg[d]), *extent = int_text(e, b->dim[d]);
		if (vector && expr_uses(x->arg[d], e->kernel->index[e->vector].name))
			*lanes = arena_printf(&e->arena, "km_inside(%s, %s)", at, extent);
		else
			strbuf_addf(&condition, "%s(unsigned long)(%s) < (unsigned long)(%s)", condition.len ? " && " : "", at, extent);
	}
	*scalar = arena_strdup(&e->arena, condition.buf);
	strbuf_release(&condition);
}

static const char *pointer_text(struct emitter *e, const struct expr *x)
{
	const char *at = int_text(e, address_of(e, x));

	if (e->register_tile >= 0 && tile_find(e->kernel, x->name) == e->register_tile)
		return arena_printf(&e->arena, "km_block + %s", at);
	return arena_printf(&e->arena, "%s%s + %s", tile_named(e, x->name) ? "t_" : "b_", x->name, at);
}

static const char *dtype_of(struct emitter *e, const struct expr *x)
{
	const struct tile *t = tile_named(e, x->name);
	const struct tile_buffer *b = t ? NULL : buffer_named(e, x->name);

	if (!t && !b) {
		fail(e, "'%s' is neither a tile nor a buffer", x->name);
		return "f32";
	}
	return dtype_name(t ? t->dtype : b->dtype);
}

static void print_load(struct emitter *e, const struct expr *access, bool vector)
{
	const struct expr *x = through_view(e, access);
	const char *dtype = dtype_of(e, x), *scalar, *lanes;

	if (e->failed)
		return;
	bool is_vector = vector && unit_stride(e, x, e->vector) == 1;
	const struct expr *otherwise = access->otherwise ? access->otherwise : x->otherwise;
	const char *fill = otherwise ? real_text(e, otherwise, false) : "0.0f";
	guards(e, x, is_vector, &scalar, &lanes);
	const char *at = pointer_text(e, x), *load;
	if (!is_vector)
		load = !strcmp(dtype, "i64") || !strcmp(dtype, "i32") ? arena_printf(&e->arena, "(float)*(%s)", at)
								     : arena_printf(&e->arena, "km_ls_%s(%s)", dtype, at);
	else if (*lanes)
		load = arena_printf(&e->arena, "km_l_%s_m(%s, %s%s, %s)", dtype, at, e->tail ? "km_m & " : "", lanes, fill);
	else if (e->tail)
		load = arena_printf(&e->arena, "km_l_%s_m(%s, km_m, %s)", dtype, at, fill);
	else
		load = arena_printf(&e->arena, "km_l_%s(%s)", dtype, at);
	if (vector && !is_vector && unit_stride(e, x, e->vector) != 0)
		fail(e, "access to '%s' has no unit stride along '%s'", x->name, e->kernel->index[e->vector].name);
	const char *wrap = vector ? "(km_vf)" : "";
	if (*scalar)
		strbuf_addf(e->out, "(%s ? %s(%s) : %s(%s))", scalar, is_vector ? "" : wrap, load, wrap, fill);
	else
		strbuf_addf(e->out, "%s(%s)", is_vector ? "" : wrap, load);
}

static void print_number(struct emitter *e, double v, bool vector)
{
	char text[40];

	if (isinf(v))
		snprintf(text, sizeof(text), "%s__builtin_inff()", v < 0 ? "-" : "");
	else
		snprintf(text, sizeof(text), "%.9e", v);
	strbuf_addf(e->out, "%s(%s%s)", vector ? "(km_vf)" : "", text, isinf(v) ? "" : "f");
}

static void print_real_name(struct emitter *e, const struct expr *x, bool vector)
{
	bool is_lane = vector && e->vector >= 0 && !strcmp(x->name, e->kernel->index[e->vector].name);

	if (tile_named(e, x->name) || buffer_named(e, x->name)) {
		struct expr access = *x;
		access.kind = EXPR_ACCESS;
		print_load(e, &access, vector);
	} else if (is_lane) {
		strbuf_addf(e->out, "__builtin_convertvector(KM_IOTA + (int)%s, km_vf)", x->name);
	} else {
		strbuf_addf(e->out, "%s(float)%s", vector ? "(km_vf)" : "", x->name);
	}
}

static void print_real(struct emitter *e, const struct expr *x, bool vector)
{
	for (int i = 0; i < e->reduce_count; i++)
		if (e->reduce[i] == x) {
			strbuf_addf(e->out, "q%d", i);
			return;
		}
	switch (x->kind) {
	case EXPR_INT:
		print_number(e, (double)x->int_value, vector);
		break;
	case EXPR_REAL:
		print_number(e, x->real_value, vector);
		break;
	case EXPR_NAME:
		print_real_name(e, x, vector);
		break;
	case EXPR_ACCESS:
		print_load(e, x, vector);
		break;
	case EXPR_NEG:
		strbuf_addstr(e->out, "(-");
		print_real(e, x->arg[0], vector);
		strbuf_addch(e->out, ')');
		break;
	case EXPR_BINARY:
		if (x->op == OP_FLOORDIV || x->op == OP_MOD) {
			fail(e, "'%s' of reals is not in the vocabulary", expr_op_text(x->op));
			return;
		}
		strbuf_addch(e->out, '(');
		print_real(e, x->arg[0], vector);
		strbuf_addf(e->out, " %s ", vector && x->op >= OP_AND ? (x->op == OP_AND ? "&" : "|") : expr_op_text(x->op));
		print_real(e, x->arg[1], vector);
		strbuf_addch(e->out, ')');
		break;
	case EXPR_SELECT:
		strbuf_addch(e->out, '(');
		print_real(e, x->arg[0], vector);
		strbuf_addstr(e->out, " ? ");
		print_real(e, x->arg[1], vector);
		strbuf_addstr(e->out, " : ");
		print_real(e, x->arg[2], vector);
		strbuf_addch(e->out, ')');
		break;
	case EXPR_CALL:
		/* A scalar call is lane 0 of the vector one: it happens once a row. */
		strbuf_addf(e->out, "%skm_%s(", vector ? "" : "(", x->name);
		for (size_t i = 0; i < x->arg_count; i++) {
			strbuf_addstr(e->out, i ? ", (km_vf)(" : "(km_vf)(");
			print_real(e, x->arg[i], vector);
			strbuf_addch(e->out, ')');
		}
		strbuf_addstr(e->out, vector ? ")" : ")[0])");
		break;
	case EXPR_REDUCE:
		fail(e, "a reduction inside a reduction");
		break;
	}
}

/* ---- loops over indices ---------------------------------------------- */

static const char *index_lo(const struct emitter *e, int i)
{
	return e->lo[i] ? e->lo[i] : "0";
}

static const char *index_hi(struct emitter *e, int i)
{
	const struct tile_index *x = &e->kernel->index[i];

	if (e->hi[i])
		return e->hi[i];
	if (!x->live)
		return arena_printf(&e->arena, "%lld", (long long)x->extent);
	return arena_printf(&e->arena, "km_min(%lld, %s)", (long long)x->extent, int_text(e, x->live));
}

static void open_index(struct emitter *e, int i)
{
	const char *n = e->kernel->index[i].name;
	open(e, "for (long %s = %s, %s_end = %s; %s < %s_end; %s++)", n, index_lo(e, i), n, index_hi(e, i), n, n, n);
}

/* Prints body(user) once for full vectors of index v and once, masked, for the rest. */
static void vector_loop(struct emitter *e, int v, void (*body)(struct emitter *e, void *user), void *user)
{
	const char *n = e->kernel->index[v].name;

	e->vector = v;
	open(e, "%s", "");
	line(e, "long %s = %s, %s_end = %s;", n, index_lo(e, v), n, index_hi(e, v));
	open(e, "for (; %s + KM_L <= %s_end; %s += KM_L)", n, n, n);
	body(e, user);
	close(e, 1);
	open(e, "if (%s < %s_end)", n, n);
	line(e, "const km_vb km_m = km_first(%s_end - %s);", n, n);
	e->tail = true;
	body(e, user);
	e->tail = false;
	close(e, 2);
	e->vector = -1;
}

/* ---- statements ------------------------------------------------------ */

static void collect_reductions(struct emitter *e, const struct expr *x)
{
	if (x->kind == EXPR_REDUCE) {
		if (e->reduce_count < 8)
			e->reduce[e->reduce_count++] = x;
		return;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		collect_reductions(e, x->arg[i]);
}

/* All accesses of x at least not against vectors along v; *units counts the unit-stride ones. */
static bool fits_vector(struct emitter *e, const struct expr *x, int v, int *units)
{
	if (x->kind == EXPR_ACCESS || (x->kind == EXPR_NAME && (tile_named(e, x->name) || buffer_named(e, x->name)))) {
		struct expr access = *x;
		access.kind = EXPR_ACCESS;
		const struct tile_buffer *b = buffer_named(e, x->name);
		int s = unit_stride(e, &access, v);
		*units += s == 1;
		if (s == 1 && b && !tile_named(e, x->name) && b->dtype != DTYPE_f32 && b->dtype != DTYPE_bf16)
			return false;
		return s >= 0 && (!x->otherwise || fits_vector(e, x->otherwise, v, units));
	}
	for (size_t i = 0; i < x->arg_count; i++)
		if (!fits_vector(e, x->arg[i], v, units))
			return false;
	return true;
}

/* The statement's target as an access. */
static struct expr *target_access(struct emitter *e, const struct tile_stmt *s)
{
	bool on_buffer = s->kind == TILE_STORE || s->kind == TILE_ATOMIC;
	const char *name = on_buffer ? e->program->buffer[s->target].name : e->kernel->tile[s->target].name;

	return expr_access(&e->arena, name, s->at, s->at_count);
}

/* Indices that occur in the target's position, in the kernel's order. */
static int free_indices(struct emitter *e, const struct tile_stmt *s, int *out)
{
	struct expr *target = target_access(e, s);
	int n = 0;

	for (size_t i = 0; i < e->kernel->index_count; i++)
		if (expr_uses(target, e->kernel->index[i].name))
			out[n++] = (int)i;
	return n;
}

static bool is_free(const int *indices, int count, int i)
{
	for (int k = 0; k < count; k++)
		if (indices[k] == i)
			return true;
	return false;
}

struct job {
	const struct tile_stmt *stmt;
	const struct expr *target, *value;
	const char *extra; /* a line put behind the store, or NULL */
};

static void print_store(struct emitter *e, const struct job *job, const char *value, bool vector)
{
	const char *dtype = dtype_of(e, job->target), *scalar, *lanes;
	const struct tile_buffer *b = tile_named(e, job->target->name) ? NULL : buffer_named(e, job->target->name);
	const char *at = pointer_text(e, job->target);

	guards(e, job->target, vector, &scalar, &lanes);
	const char *check = *scalar ? arena_printf(&e->arena, "if (%s) ", scalar) : "";
	if (job->stmt->kind == TILE_ATOMIC) {
		fail(e, "atomic stores are not printed in C yet");
	} else if (!vector) {
		line(e, "%skm_ss_%s(%s, %s);", check, dtype, at, value);
	} else if (*lanes || e->tail) {
		const char *mask = *lanes ? (e->tail ? arena_printf(&e->arena, "km_m & %s", lanes) : lanes) : "km_m";
		line(e, "%skm_s_%s_m(%s, %s, %s);", check, dtype, at, value, mask);
	} else {
		bool past = b && b->role == PLAN_OUT && b->dtype == DTYPE_f32 && tile_knob_int(e->kernel, "NT", 0);
		line(e, "%skm_%s_%s(%s, %s);", check, past ? "snt" : "s", dtype, at, value);
	}
}

static void map_body(struct emitter *e, void *user)
{
	struct job *job = user;

	print_store(e, job, real_text(e, job->value, true), true);
	if (job->extra)
		line(e, "%s", job->extra);
}

static const char *identity(enum expr_op op)
{
	return op == OP_SUM ? "0.0f" : op == OP_PROD ? "1.0f" : op == OP_MAX ? "-__builtin_inff()" : "__builtin_inff()";
}

static const char *combine(struct emitter *e, enum expr_op op, const char *a, const char *b, bool vector)
{
	if (op == OP_SUM || op == OP_PROD)
		return arena_printf(&e->arena, "%s %s %s", a, op == OP_SUM ? "+" : "*", b);
	/* The new value first: its NaN wins, and an old NaN stays. */
	return arena_printf(&e->arena, "km_%s%s(%s, %s)", op == OP_MAX ? "maximum" : "minimum", vector ? "" : "_s", b, a);
}

static const char *horizontal(enum expr_op op)
{
	return op == OP_SUM ? "km_hsum" : op == OP_PROD ? "km_hprod" : op == OP_MAX ? "km_hmax" : "km_hmin";
}

/* Positions in kernel->index of a reduction's ranges; -1 for one with bounds of its own. */
static int range_indices(struct emitter *e, const struct expr *r, int *out)
{
	for (size_t i = 0; i < r->range_count; i++) {
		out[i] = r->range[i].hi ? -1 : tile_index_find(e->kernel, r->range[i].name);
		if (out[i] < 0 && !r->range[i].hi) {
			fail(e, "a reduction runs over a tile index or lo..hi, not '%s'", r->range[i].name);
			return 0;
		}
	}
	return (int)r->range_count;
}

static void open_range(struct emitter *e, const struct expr_range *r, int index)
{
	if (index >= 0)
		open_index(e, index);
	else
		open(e, "for (long %s = %s, %s_end = %s; %s < %s_end; %s++)", r->name, int_text(e, r->lo), r->name, int_text(e, r->hi), r->name,
		     r->name, r->name);
}

struct fold {
	const struct expr *reduce;
	int number, unroll;
	struct job *first; /* a map fused in front, or NULL */
};

static void fold_body(struct emitter *e, void *user)
{
	struct fold *f = user;
	char acc[24];

	if (f->first)
		map_body(e, f->first);
	snprintf(acc, sizeof(acc), "a%d_0", f->number);
	const char *x = real_text(e, f->reduce->arg[0], true);
	if (e->tail)
		x = arena_printf(&e->arena, "km_sel(km_m, %s, (km_vf)(%s))", x, identity(f->reduce->op));
	line(e, "%s = %s;", acc, combine(e, f->reduce->op, acc, x, true));
}

/* Reduction `number` along vector index v (its last range) into the scalar q<number>. */
static void reduce_vector(struct emitter *e, const struct expr *r, int number, int v, struct job *first)
{
	int range[4], n = range_indices(e, r, range), opened = 0;
	int unroll = (int)tile_knob_int(e->kernel, "UNROLL", 1);
	struct fold fold = { r, number, unroll, first };
	const char *name = e->kernel->index[v].name;

	for (int u = 0; u < unroll; u++)
		line(e, "km_vf a%d_%d = %s;", number, u, identity(r->op));
	for (int i = 0; i < n; i++)
		if (range[i] != v) {
			open_range(e, &r->range[i], range[i]);
			opened++;
		}
	if (unroll > 1) {
		/* Full groups of `unroll` vectors with an accumulator each; the rest below, into the first. */
		const char *hi = index_hi(e, v), *lo = index_lo(e, v), *saved_lo = e->lo[v];
		line(e, "long km_u%d = %s;", number, lo);
		open(e, "for (long km_e = %s; km_u%d + %d * KM_L <= km_e; km_u%d += %d * KM_L)", hi, number, unroll, number, unroll);
		e->vector = v;
		for (int u = 0; u < unroll; u++) {
			open(e, "%s", "");
			line(e, "const long %s = km_u%d + %d * KM_L;", name, number, u);
			if (first)
				map_body(e, first);
			char acc[24];
			snprintf(acc, sizeof(acc), "a%d_%d", number, u);
			line(e, "%s = %s;", acc, combine(e, r->op, acc, real_text(e, r->arg[0], true), true));
			close(e, 1);
		}
		e->vector = -1;
		close(e, 1);
		e->lo[v] = arena_printf(&e->arena, "km_u%d", number);
		vector_loop(e, v, fold_body, &fold);
		e->lo[v] = saved_lo;
	} else {
		vector_loop(e, v, fold_body, &fold);
	}
	close(e, opened);
	for (int u = 1; u < unroll; u++) {
		char acc[24], other[24];
		snprintf(acc, sizeof(acc), "a%d_0", number);
		snprintf(other, sizeof(other), "a%d_%d", number, u);
		line(e, "%s = %s;", acc, combine(e, r->op, acc, other, true));
	}
	line(e, "const float q%d = %s(a%d_0);", number, horizontal(r->op), number);
}

/* Reduction `number` with scalar (or, inside a vector statement, vector) accumulation. */
static void reduce_plain(struct emitter *e, const struct expr *r, int number, bool vector)
{
	int range[4], n = range_indices(e, r, range);
	char acc[24];

	snprintf(acc, sizeof(acc), "q%d", number);
	line(e, "%s q%d = %s;", vector ? "km_vf" : "float", number, identity(r->op));
	for (int i = 0; i < n; i++)
		open_range(e, &r->range[i], range[i]);
	line(e, "q%d = %s;", number, combine(e, r->op, acc, real_text(e, r->arg[0], vector), vector));
	close(e, n);
}

/* The index along which the statement (or its reductions) runs in vectors; -1: none. */
static int choose_vector(struct emitter *e, const struct tile_stmt *s, const struct expr *target,
			 const int *free, int free_count)
{
	int best = -1, best_units = 0;

	for (int i = 0; i < e->reduce_count; i++) {
		const struct expr *r = e->reduce[i];
		int range[4], n = range_indices(e, r, range), units = 0;
		for (int k = n; k-- > 0;)
			if (range[k] >= 0 && fits_vector(e, r->arg[0], range[k], &units) && units)
				return range[k];
	}
	for (int i = free_count; i-- > 0;) {
		int units = 0;
		if (!fits_vector(e, s->value, free[i], &units))
			continue;
		if (unit_stride(e, target, free[i]) == 1 && units + 1 > best_units) {
			best = free[i];
			best_units = units + 1;
		}
	}
	return best;
}

struct plain_reductions {
	struct job job;
};

static void free_vector_body(struct emitter *e, void *user)
{
	struct plain_reductions *p = user;

	int count = e->reduce_count;

	for (int i = 0; i < count; i++) {
		e->reduce_count = 0;
		reduce_plain(e, e->reduce[i], i, true);
		e->reduce_count = count;
	}
	map_body(e, &p->job);
}

/* The first access of x whose index is itself read from a tensor. */
static const struct expr *gathered_access(const struct expr *x)
{
	const struct expr *found = NULL;

	for (size_t i = 0; i < x->arg_count && !found; i++) {
		if (x->kind == EXPR_ACCESS && x->arg[i]->kind == EXPR_ACCESS)
			return x;
		found = gathered_access(x->arg[i]);
	}
	return found;
}

/*
 * One reduction with several vectors of the free index v at a time (knob DU):
 * each row of the reduced range is visited once for all of them; knob PF
 * prefetches the row PF trips ahead.
 */
static void free_vector_wide(struct emitter *e, struct job *job, int v, int wide)
{
	const struct expr *r = e->reduce[0], *far = gathered_access(r->arg[0]);
	const char *name = e->kernel->index[v].name, *t = r->range[0].name;
	int64_t ahead = tile_knob_int(e->kernel, "PF", 0), unroll = tile_knob_int(e->kernel, "TU", 1);
	int range[4], n = range_indices(e, r, range);

	open(e, "%s", "");
	line(e, "long km_d = %s;", index_lo(e, v));
	open(e, "for (long km_de = %s; km_d + %d * KM_L <= km_de; km_d += %d * KM_L)", index_hi(e, v), wide, wide);
	for (int u = 0; u < wide; u++)
		line(e, "km_vf q0_%d = %s;", u, identity(r->op));
	if (unroll > 1)
		line(e, "_Pragma(\"clang loop unroll_count(%lld)\")", (long long)unroll);
	for (int i = 0; i < n; i++)
		open_range(e, &r->range[i], range[i]);
	e->vector = v;
	if (far && ahead && range[0] < 0) {
		struct expr *later = plus(e, expr_name(&e->arena, t), expr_int(&e->arena, ahead));
		const struct expr *x = expr_replace_name(&e->arena, far, t, later);
		x = expr_replace_name(&e->arena, x, name, expr_name(&e->arena, "km_d"));
		open(e, "if (%s + %lld < %s_end)", t, (long long)ahead, t);
		for (int u = 0; u * e->lanes < wide * e->lanes; u += 16 / e->lanes)
			line(e, "__builtin_prefetch(%s + %d);", pointer_text(e, x), u * e->lanes);
		close(e, 1);
	}
	e->reduce_count = 0;
	for (int u = 0; u < wide; u++) {
		char acc[24];
		snprintf(acc, sizeof(acc), "q0_%d", u);
		open(e, "%s", "");
		line(e, "const long %s = km_d + %d * KM_L;", name, u);
		line(e, "%s = %s;", acc, combine(e, r->op, acc, real_text(e, r->arg[0], true), true));
		close(e, 1);
	}
	close(e, n);
	e->reduce[0] = r;
	e->reduce_count = 1;
	for (int u = 0; u < wide; u++) {
		open(e, "%s", "");
		line(e, "const long %s = km_d + %d * KM_L;", name, u);
		line(e, "const km_vf q0 = q0_%d;", u);
		map_body(e, job);
		close(e, 1);
	}
	e->vector = -1;
	close(e, 1);
	struct plain_reductions p = { *job };
	e->lo[v] = "km_d";
	vector_loop(e, v, free_vector_body, &p);
	e->lo[v] = NULL;
	close(e, 1);
}

/* tile[i.., j] = scan(j) x: inclusive prefix sums along the vector, a carry between vectors. */
static void scan_body(struct emitter *e, void *user)
{
	struct job *job = user;

	line(e, "km_vf km_x = km_scan(%s) + (km_vf)km_carry;", real_text(e, job->value, true));
	print_store(e, job, "km_x", true);
	if (!e->tail)
		line(e, "km_carry = km_x[KM_L - 1];");
}

static void emit_scan(struct emitter *e, const struct tile_stmt *s, const struct expr *r, const struct expr *target,
		      const int *free, int free_count)
{
	int range[4], n = range_indices(e, r, range), opened = 0, units = 0, along = n ? range[0] : 0;
	struct job job = { s, target, r->arg[0], NULL };

	for (int i = 0; i < free_count; i++)
		if (free[i] != along) {
			int u = 0;
			/* Vectors across rows when rows are the fast digit: the scan itself is then a plain loop. */
			if (fits_vector(e, r->arg[0], free[i], &u) && u && unit_stride(e, target, free[i]) == 1)
				units = free[i] + 1;
		}
	if (units) {
		const char *row = e->kernel->index[units - 1].name;
		int v = units - 1;
		for (int i = 0; i < free_count; i++)
			if (free[i] != along && free[i] != v) {
				open_index(e, free[i]);
				opened++;
			}
		open(e, "for (long %s = %s, km_re = %s; %s < km_re; %s += KM_L)", row, index_lo(e, v), index_hi(e, v), row, row);
		line(e, "const km_vb km_m = km_first(km_re - %s);", row);
		line(e, "km_vf km_carry = 0.0f;");
		open_index(e, along);
		e->vector = v;
		e->tail = true;
		line(e, "km_carry += %s;", real_text(e, r->arg[0], true));
		print_store(e, &job, "km_carry", true);
		e->tail = false;
		e->vector = -1;
		close(e, 2 + opened);
		return;
	}
	if (!fits_vector(e, r->arg[0], along, &units) || unit_stride(e, target, along) != 1) {
		fail(e, "a scan wants unit stride along '%s'", e->kernel->index[along].name);
		return;
	}
	for (int i = 0; i < free_count; i++)
		if (free[i] != along) {
			open_index(e, free[i]);
			opened++;
		}
	line(e, "float km_carry = 0.0f;");
	vector_loop(e, along, scan_body, &job);
	close(e, opened);
}

/* `fused`: a map over the same indices whose loop the first reduction joins, or NULL. */
static void emit_assign(struct emitter *e, const struct tile_stmt *s, const struct tile_stmt *fused)
{
	int free[16], free_count = free_indices(e, s, free), opened = 0;
	const struct expr *target = target_access(e, s);
	struct job job = { s, target, s->value, NULL };

	e->reduce_count = 0;
	collect_reductions(e, s->value);
	if (e->reduce_count && e->reduce[0] == s->value && s->value->op == OP_SCAN) {
		e->reduce_count = 0;
		emit_scan(e, s, s->value, target, free, free_count);
		return;
	}
	for (int i = 0; i < e->reduce_count; i++)
		if (e->reduce[i]->op > OP_MIN || e->reduce[i]->filter) {
			fail(e, "'%s' is not printed as a reduction in C", expr_op_text(e->reduce[i]->op));
			return;
		}
	int v = choose_vector(e, s, target, free, free_count);
	bool along_reduction = v >= 0 && !is_free(free, free_count, v);
	for (int i = 0; i < free_count; i++)
		if (free[i] != v || along_reduction) {
			open_index(e, free[i]);
			opened++;
		}
	if (v >= 0 && !along_reduction) {
		struct plain_reductions p = { job };
		int64_t wide = tile_knob_int(e->kernel, "DU", 1);
		if (e->reduce_count == 1 && wide > 1)
			free_vector_wide(e, &job, v, (int)wide);
		else
			vector_loop(e, v, free_vector_body, &p);
		close(e, opened);
		e->reduce_count = 0;
		return;
	}
	int saved = e->reduce_count;
	for (int i = 0; i < saved; i++) {
		const struct expr *r = e->reduce[i];
		int range[4], n = range_indices(e, r, range), units = 0;
		bool in_vectors = v >= 0 && n && is_free(range, n, v) && fits_vector(e, r->arg[0], v, &units);
		e->reduce_count = 0;
		struct job first = { 0 };
		if (fused && !i)
			first = (struct job){ fused, target_access(e, fused), fused->value, NULL };
		if (in_vectors)
			reduce_vector(e, r, i, v, first.stmt ? &first : NULL);
		else
			reduce_plain(e, r, i, false);
		e->reduce_count = saved;
	}
	print_store(e, &job, real_text(e, s->value, false), false);
	close(e, opened);
	e->reduce_count = 0;
}

/*
 * May map `a` share the loop of the reduction in `b`?  a: tile[rows, v] = e;
 * b: x[rows] = red(v) of that tile at its own indices.
 */
static bool can_fuse(struct emitter *e, const struct tile_stmt *a, const struct tile_stmt *b)
{
	int free_a[16], free_b[16], units = 0;

	if (!tile_knob_int(e->kernel, "FUSE", 1) || a->kind != TILE_MAP || b->kind != TILE_MAP ||
	    b->value->kind != EXPR_REDUCE || b->value->op > OP_MIN || b->value->filter || b->value->range_count != 1)
		return false;
	e->reduce_count = 0;
	collect_reductions(e, a->value);
	if (e->reduce_count) {
		e->reduce_count = 0;
		return false;
	}
	int v = tile_index_find(e->kernel, b->value->range[0].name);
	int na = free_indices(e, a, free_a), nb = free_indices(e, b, free_b);
	if (v < 0 || na != nb + 1 || !is_free(free_a, na, v) || is_free(free_b, nb, v))
		return false;
	for (int i = 0; i < nb; i++)
		if (!is_free(free_a, na, free_b[i]))
			return false;
	return fits_vector(e, a->value, v, &units) && fits_vector(e, b->value->arg[0], v, &units) &&
	       unit_stride(e, target_access(e, a), v) == 1 && !expr_uses(a->value, e->kernel->tile[b->target].name);
}

/* ---- contractions ---------------------------------------------------- */

struct block {
	int row, column, rows, vectors; /* register block: `rows` of index row, `vectors` of index column */
	const struct mma_groups *g;
	const struct expr *a, *b;
	const char *mask;               /* lanes of the only vector, or NULL */
};

/* The text of operand x with index `name` replaced by "name + by". */
static const struct expr *shifted(struct emitter *e, const struct expr *x, const char *name, struct expr *by)
{
	return expr_replace_name(&e->arena, x, name, by);
}

static struct expr *at_plus(struct emitter *e, const char *base, int64_t by)
{
	return by ? plus(e, expr_name(&e->arena, base), expr_int(&e->arena, by)) : expr_name(&e->arena, base);
}

/* Loads one vector of b and a scalar of each row of a; multiplies and adds. */
static void contract_step(struct emitter *e, const struct block *k)
{
	const char *row = e->kernel->index[k->row].name, *column = e->kernel->index[k->column].name;

	e->vector = k->column;
	for (int v = 0; v < k->vectors; v++) {
		const struct expr *b = shifted(e, k->b, column, at_plus(e, "km_jm", (int64_t)v * e->lanes));
		const struct expr *x = through_view(e, b);
		const char *dtype = dtype_of(e, x), *at = pointer_text(e, x);
		if (k->mask)
			line(e, "const km_vf b%d = km_l_%s_m(%s, %s, 0.0f);", v, dtype, at, k->mask);
		else
			line(e, "const km_vf b%d = km_l_%s(%s);", v, dtype, at);
	}
	for (int r = 0; r < k->rows; r++) {
		const struct expr *x = through_view(e, shifted(e, k->a, row, at_plus(e, "km_im", r)));
		strbuf_addf(e->out, "%.*s{ const km_vf x = (km_vf)km_ls_%s(%s);", e->depth, "\t\t\t\t\t\t\t\t\t\t\t\t", dtype_of(e, x), pointer_text(e, x));
		for (int v = 0; v < k->vectors; v++)
			strbuf_addf(e->out, " c%d_%d = km_fma(x, b%d, c%d_%d);", r, v, v, r, v);
		strbuf_addstr(e->out, " }\n");
	}
	e->vector = -1;
}

static void contract_block(struct emitter *e, const struct block *k, bool from_memory, const struct tile_stmt *mma,
			   const struct tile_stmt *epilogue, size_t epilogue_count)
{
	const struct tile *acc = &e->kernel->tile[mma->target];
	const char *row = e->kernel->index[k->row].name, *column = e->kernel->index[k->column].name;
	int64_t unroll = tile_knob_int(e->kernel, "KU", 1);

	for (int r = 0; r < k->rows; r++)
		for (int v = 0; v < k->vectors; v++) {
			if (!from_memory) {
				line(e, "km_vf c%d_%d = 0.0f;", r, v);
				continue;
			}
			struct expr *at[8];
			for (size_t i = 0; i < acc->rank; i++) {
				const char *n = e->kernel->index[acc->index[i]].name;
				at[i] = n == row ? at_plus(e, "km_im", r) : n == column ? at_plus(e, "km_jm", (int64_t)v * e->lanes) : expr_name(&e->arena, n);
			}
			line(e, "km_vf c%d_%d = km_l_f32(%s);", r, v, pointer_text(e, expr_access(&e->arena, acc->name, at, acc->rank)));
		}
	for (int d = 0; d < k->g->depth_count; d++) {
		if (d + 1 == k->g->depth_count && unroll > 1)
			line(e, "_Pragma(\"clang loop unroll_count(%lld)\")", (long long)unroll);
		open_index(e, k->g->depth[d]);
	}
	contract_step(e, k);
	close(e, k->g->depth_count);
	for (int r = 0; r < k->rows; r++)
		for (int v = 0; v < k->vectors; v++) {
			if (!from_memory) {
				line(e, "km_s_f32(km_block + %d, c%d_%d);", (r * k->vectors + v) * e->lanes, r, v);
				continue;
			}
			struct expr *at[8];
			for (size_t i = 0; i < acc->rank; i++) {
				const char *n = e->kernel->index[acc->index[i]].name;
				at[i] = n == row ? at_plus(e, "km_im", r) : n == column ? at_plus(e, "km_jm", (int64_t)v * e->lanes) : expr_name(&e->arena, n);
			}
			line(e, "km_s_f32(%s, c%d_%d);", pointer_text(e, expr_access(&e->arena, acc->name, at, acc->rank)), r, v);
		}
	if (from_memory)
		return;
	/* The statements behind the contraction, on this block: the accumulator never exists as a whole. */
	e->register_tile = mma->target;
	e->groups = k->g;
	e->block_columns = (int64_t)k->vectors * e->lanes;
	e->lo[k->row] = "km_im";
	e->hi[k->row] = arena_printf(&e->arena, "km_min(km_im + %d, km_rows)", k->rows);
	e->lo[k->column] = "km_jm";
	e->hi[k->column] = arena_printf(&e->arena, "km_min(km_jm + %lld, km_columns)", (long long)e->block_columns);
	/* Other rows and columns are fixed by the loops around the block. */
	for (int i = 0; i + 1 < k->g->row_count; i++) {
		e->lo[k->g->row[i]] = arena_printf(&e->arena, "%s_o", e->kernel->index[k->g->row[i]].name);
		e->hi[k->g->row[i]] = arena_printf(&e->arena, "%s + 1", e->lo[k->g->row[i]]);
	}
	for (int i = 0; i + 1 < k->g->column_count; i++) {
		e->lo[k->g->column[i]] = arena_printf(&e->arena, "%s_o", e->kernel->index[k->g->column[i]].name);
		e->hi[k->g->column[i]] = arena_printf(&e->arena, "%s + 1", e->lo[k->g->column[i]]);
	}
	for (size_t i = 0; i < epilogue_count; i++)
		emit_assign(e, &epilogue[i], NULL);
	e->register_tile = -1;
	memset(e->lo, 0, sizeof(e->lo));
	memset(e->hi, 0, sizeof(e->hi));
}

/* May lanes and rows beyond the live extents be read?  Tiles and padded temporaries have them. */
static bool may_overread(struct emitter *e, const struct expr *operand)
{
	const struct expr *x = through_view(e, operand);
	const struct tile_buffer *b = tile_named(e, x->name) ? NULL : buffer_named(e, x->name);

	return !b || b->role == PLAN_TMP;
}

/* Loops around the blocks whose names the epilogue pins use their own copies. */
static void open_outer(struct emitter *e, int index)
{
	const char *n = e->kernel->index[index].name;
	open(e, "for (long %s_o = 0, %s_oe = %s; %s_o < %s_oe; %s_o++)", n, n, index_hi(e, index), n, n, n);
	line(e, "const long %s = %s_o;", n, n);
}

/*
 * acc += mma over register blocks.  `from_memory`: the accumulator tile is
 * loaded and stored round each block (a loop over the depth lies outside).
 */
static void emit_mma(struct emitter *e, const struct tile_stmt *s, bool from_memory, const struct tile_stmt *epilogue, size_t epilogue_count)
{
	struct mma_groups g;
	struct strbuf why = STRBUF_INIT;

	if (!tile_mma_groups(e->kernel, s, &g, &why) || !g.row_count || !g.column_count || !g.depth_count) {
		fail(e, "%s", why.len ? why.buf : "an mma wants rows, columns and a depth");
		strbuf_release(&why);
		return;
	}
	strbuf_release(&why);
	int rows = (int)tile_knob_int(e->kernel, "MR", 4), vectors = (int)tile_knob_int(e->kernel, "NV", 2);
	struct block k = { .row = g.row[g.row_count - 1], .column = g.column[g.column_count - 1], .rows = rows, .vectors = vectors,
			   .g = &g, .a = g.a, .b = g.b };
	const char *column = e->kernel->index[k.column].name;
	if (unit_stride(e, k.b, k.column) != 1 || !fits_vector(e, k.a, k.column, &(int){ 0 })) {
		fail(e, "the second operand of mma wants unit stride along '%s'", column);
		return;
	}
	if (from_memory && (e->kernel->index[k.row].extent % rows || e->kernel->index[k.column].extent % ((int64_t)vectors * e->lanes))) {
		fail(e, "MR and NV vectors must divide the accumulator tile");
		return;
	}
	bool rows_over = may_overread(e, k.a), columns_over = may_overread(e, k.b);
	line(e, "const long km_rows_%d = %s, km_columns_%d = %s;", s->line, index_hi(e, k.row), s->line, index_hi(e, k.column));
	open(e, "%s", "");
	line(e, "const long km_rows = km_rows_%d, km_columns = km_columns_%d;", s->line, s->line);
	if (!from_memory)
		line(e, "float km_block[%d] __attribute__((aligned(64)));", rows * vectors * e->lanes);
	int outer = 0;
	for (int i = 0; i + 1 < g.column_count; i++, outer++)
		open_outer(e, g.column[i]);
	for (int i = 0; i + 1 < g.row_count; i++, outer++)
		open_outer(e, g.row[i]);
	line(e, "long km_jm = 0;");
	/* Full column blocks, then, where overreading is not allowed, single masked vectors. */
	for (int pass = 0; pass < (columns_over ? 1 : 2); pass++) {
		k.vectors = pass ? 1 : vectors;
		k.mask = pass ? "km_mj" : NULL;
		int64_t width = (int64_t)k.vectors * e->lanes;
		if (columns_over || pass)
			open(e, "for (; km_jm < km_columns; km_jm += %lld)", (long long)width);
		else
			open(e, "for (; km_jm + %lld <= km_columns; km_jm += %lld)", (long long)width, (long long)width);
		if (pass)
			line(e, "const km_vb km_mj = km_first(km_columns - km_jm);");
		line(e, "long km_im = 0;");
		for (int rest = 0; rest < (rows_over ? 1 : 2); rest++) {
			k.rows = rest ? 1 : rows;
			if (rows_over || rest)
				open(e, "for (; km_im < km_rows; km_im += %d)", k.rows);
			else
				open(e, "for (; km_im + %d <= km_rows; km_im += %d)", rows, rows);
			contract_block(e, &k, from_memory, s, epilogue, epilogue_count);
			close(e, 1);
		}
		close(e, 1);
	}
	close(e, outer + 1);
}

/* ---- kernels --------------------------------------------------------- */

static bool stmt_uses(const struct tile_stmt *s, const char *name)
{
	if (s->value && expr_uses(s->value, name))
		return true;
	for (size_t i = 0; i < s->body_count; i++)
		if (stmt_uses(&s->body[i], name))
			return true;
	return false;
}

static bool is_zero(const struct expr *x)
{
	return (x->kind == EXPR_INT && !x->int_value) || (x->kind == EXPR_REAL && x->real_value == 0);
}

static void emit_list(struct emitter *e, const struct tile_stmt *stmt, size_t count, bool in_loop)
{
	for (size_t i = 0; i < count && !e->failed; i++) {
		const struct tile_stmt *s = &stmt[i];
		switch (s->kind) {
		case TILE_FOR:
			if (e->for_count == MAX_FORS) {
				fail(e, "loops nested too deeply");
				return;
			}
			open(e, "for (long %s = %s, %s_end = %s; %s < %s_end; %s += %lld)", s->var, int_text(e, s->lo), s->var,
			     int_text(e, s->hi), s->var, s->var, s->var, (long long)s->step);
			e->fors[e->for_count++] = s;
			emit_list(e, s->body, s->body_count, true);
			e->for_count--;
			close(e, 1);
			break;
		case TILE_STAGE:
			if (e->kernel->tile[s->target].place == PLACE_VIEW) {
				e->view[s->target] = s->value;
				break;
			}
			emit_assign(e, s, NULL);
			break;
		case TILE_MAP:
			/* acc = 0; acc += mma(..) outside a loop: the accumulator starts in registers. */
			if (!in_loop && e->kernel->tile[s->target].place == PLACE_ACC && is_zero(s->value)) {
				size_t m = i + 1;
				while (m < count && stmt[m].kind == TILE_STAGE)
					m++;
				if (m < count && stmt[m].kind == TILE_MMA && stmt[m].target == s->target) {
					for (size_t q = i + 1; q < m; q++)
						emit_list(e, &stmt[q], 1, false);
					size_t last = m + 1;
					while (last < count && (stmt[last].kind == TILE_STORE || stmt[last].kind == TILE_MAP) &&
					       stmt_uses(&stmt[last], e->kernel->tile[s->target].name))
						last++;
					const struct micro_kernel *micro = micro_find(e->kernel, &stmt[m], e->target);
					if (micro)
						fail(e, "micro-kernel '%s' is not wired here", micro->name);
					emit_mma(e, &stmt[m], false, &stmt[m + 1], last - m - 1);
					i = last - 1;
					break;
				}
			}
			if (i + 1 < count && can_fuse(e, s, &stmt[i + 1])) {
				emit_assign(e, &stmt[i + 1], s);
				i++;
				break;
			}
			emit_assign(e, s, NULL);
			break;
		case TILE_STORE:
		case TILE_ATOMIC:
			emit_assign(e, s, NULL);
			break;
		case TILE_MMA:
			emit_mma(e, s, true, NULL, 0);
			break;
		case TILE_BARRIER:
			break;
		}
	}
}

/* Places tiles in scratch; returns the bytes. */
static int64_t place_tiles(struct emitter *e)
{
	int64_t at = 0;

	for (size_t i = 0; i < e->kernel->tile_count; i++) {
		const struct tile *t = &e->kernel->tile[i];
		if (t->place == PLACE_VIEW)
			continue;
		e->offset[i] = at;
		/* Slack behind each: full register blocks may end beyond the last point. */
		at += round_up(t->layout.elems * (int64_t)dtype_bytes(t->dtype) + 8 * e->target->vector_bytes, 64);
		/* Tiles of equal size a power of two apart would share cache sets. */
		at += 64 * (int64_t)(i + 1);
	}
	return at;
}

static void emit_kernel(struct emitter *e, const char *symbol, int64_t *scratch_bytes)
{
	const struct tile_kernel *k = e->kernel;
	int64_t bytes = place_tiles(e);
	int dim = 0;

	if (bytes > *scratch_bytes)
		*scratch_bytes = bytes;
	strbuf_addf(e->out, "void %s_%s(void *const *buf, const long *dim, long km_first_instance, long km_last_instance, void *scratch)\n{\n", symbol, k->name);
	e->depth = 1;
	for (size_t i = 0; i < e->program->dim_count; i++) {
		const struct tile_dim *d = &e->program->dim[i];
		if (d->is_static)
			line(e, "const long %s = %lld; (void)%s;", d->name, (long long)d->value, d->name);
		else
			line(e, "const long %s = dim[%d]; (void)%s;", d->name, dim++, d->name);
	}
	for (size_t i = 0; i < e->program->buffer_count; i++) {
		const struct tile_buffer *b = &e->program->buffer[i];
		line(e, "km_%s *restrict b_%s = buf[%zu]; (void)b_%s;", dtype_name(b->dtype), b->name, i, b->name);
	}
	line(e, "(void)scratch;");
	for (size_t i = 0; i < k->tile_count; i++)
		if (k->tile[i].place != PLACE_VIEW)
			line(e, "km_%s *restrict t_%s = __builtin_assume_aligned((char *)scratch + %lld, 64); (void)t_%s;",
			     dtype_name(k->tile[i].dtype), k->tile[i].name, (long long)e->offset[i], k->tile[i].name);
	for (int g = 1; g < k->grid_count; g++)
		line(e, "const long km_g%d = %s;", g, int_text(e, k->grid[g]));
	open(e, "for (long km_p = km_first_instance; km_p < km_last_instance; km_p++)");
	if (k->grid_count == 1)
		line(e, "const long p0 = km_p; (void)p0;");
	else if (k->grid_count == 2)
		line(e, "const long p0 = km_p / km_g1, p1 = km_p %% km_g1; (void)p0; (void)p1;");
	else
		line(e, "const long p0 = km_p / (km_g1 * km_g2), p1 = km_p / km_g2 %% km_g1, p2 = km_p %% km_g2; (void)p0; (void)p1; (void)p2;");
	emit_list(e, k->stmt, k->stmt_count, false);
	close(e, 1);
	strbuf_addstr(e->out, "}\n");
}

/* ---- the language ---------------------------------------------------- */

static bool known_functions(const struct expr *x, struct strbuf *why_not)
{
	if (!x)
		return true;
	if (x->kind == EXPR_CALL && !vector_c_has(x->name) && strcmp(x->name, "cdiv") && strcmp(x->name, "rup")) {
		strbuf_addf(why_not, "function '%s' is not in the vocabulary of vector C", x->name);
		return false;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		if (!known_functions(x->arg[i], why_not))
			return false;
	return known_functions(x->otherwise, why_not);
}

static bool known_stmts(const struct tile_stmt *s, size_t count, struct strbuf *why_not)
{
	for (size_t i = 0; i < count; i++) {
		if (s[i].kind == TILE_ATOMIC) {
			strbuf_addstr(why_not, "atomic stores are not printed in C");
			return false;
		}
		if (!known_functions(s[i].value, why_not) || !known_stmts(s[i].body, s[i].body_count, why_not))
			return false;
	}
	return true;
}

static bool accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	if (strcmp(target->artifact, "so") || target->vector_bytes < 16) {
		strbuf_addf(why_not, "vector C wants a target with vector registers, not '%s'", target->name);
		return false;
	}
	for (size_t i = 0; i < program->buffer_count; i++) {
		enum dtype d = program->buffer[i].dtype;
		if (d != DTYPE_f32 && d != DTYPE_bf16 && d != DTYPE_i64 && d != DTYPE_i32) {
			strbuf_addf(why_not, "vector C has no buffers of %s yet", dtype_name(d));
			return false;
		}
	}
	for (size_t i = 0; i < program->kernel_count; i++)
		if (!known_stmts(program->kernel[i].stmt, program->kernel[i].stmt_count, why_not))
			return false;
	return true;
}

static int print(const struct tile_program *program, const struct target *target, const char *symbol,
		 struct printed *out, struct strbuf *err)
{
	int ret = 0;

	vector_c_prologue(target, &out->prologue);
	micro_prologue(target, &out->prologue);
	for (size_t i = 0; i < program->kernel_count && !ret; i++) {
		struct emitter e = { .program = program, .kernel = &program->kernel[i], .target = target, .out = &out->source, .err = err,
				     .lanes = target->vector_bytes / 4, .register_tile = -1, .vector = -1 };
		emit_kernel(&e, symbol, &out->scratch_bytes);
		ret = e.failed ? -1 : 0;
		arena_release(&e.arena);
	}
	return ret;
}

const struct lang lang_c = {
	.name = "c",
	.summary = "vector C for CPUs, header-free, in clang's vector extensions",
	.suffix = "c",
	.artifact = "so",
	.can_batch = true,
	.compile = "clang-22 -x c -std=gnu17 -O3 -march=%march %flags -ffp-contract=fast -fno-math-errno -fno-trapping-math -fPIC -shared "
		   "-nostdlib -fuse-ld=lld -w -o %out %in",
	.accepts = accepts,
	.print = print,
};
