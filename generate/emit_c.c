/* Text, names, integers and addresses of printed C. */
#include "generate/emit_c.h"

#include <string.h>

/* ---- text ------------------------------------------------------------ */

void emit_fail(struct emitter *e, const char *fmt, ...)
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

static void add_line(struct emitter *e, const char *fmt, va_list ap, const char *end)
{
	for (int i = 0; i < e->depth; i++)
		strbuf_addch(e->out, '\t');
	strbuf_vaddf(e->out, fmt, ap);
	strbuf_addstr(e->out, end);
}

void emit_line(struct emitter *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(e, fmt, ap, "\n");
	va_end(ap);
}

void emit_open(struct emitter *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(e, fmt, ap, *fmt ? " {\n" : "{\n");
	va_end(ap);
	e->depth++;
}

void emit_close(struct emitter *e, int count)
{
	while (count-- > 0) {
		e->depth--;
		emit_line(e, "}");
	}
}

const char *emit_text(struct emitter *e, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	const char *kept = arena_strdup(&e->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* ---- names ----------------------------------------------------------- */

const struct tile *emit_tile(const struct emitter *e, const char *name)
{
	int t = tile_find(e->kernel, name);
	return t < 0 ? NULL : &e->kernel->tile[t];
}

const struct tile_buffer *emit_buffer(const struct emitter *e, const char *name)
{
	int b = emit_tile(e, name) ? -1 : tile_buffer_find(e->program, name);
	return b < 0 ? NULL : &e->program->buffer[b];
}

bool emit_dtype(struct emitter *e, const char *name, enum dtype *dtype)
{
	const struct tile *t = emit_tile(e, name);
	const struct tile_buffer *b = emit_buffer(e, name);

	if (!t && !b) {
		emit_fail(e, "'%s' is neither a tile nor a buffer", name);
		return false;
	}
	*dtype = t ? t->dtype : b->dtype;
	return true;
}

struct expr *emit_replace(struct emitter *e, const struct expr *x,
			  const struct expr *(*with)(struct emitter *e, const char *name, void *user), void *user)
{
	const struct expr *other = x->kind == EXPR_NAME ? with(e, x->name, user) : NULL;

	if (other || (!x->arg_count && !x->otherwise && !x->range_count))
		return (struct expr *)(other ? other : x);
	struct expr *copy = ARENA_ARRAY(&e->arena, struct expr, 1);
	*copy = *x;
	copy->arg = ARENA_ARRAY(&e->arena, struct expr *, x->arg_count + 1);
	for (size_t i = 0; i < x->arg_count; i++)
		copy->arg[i] = emit_replace(e, x->arg[i], with, user);
	if (x->otherwise)
		copy->otherwise = emit_replace(e, x->otherwise, with, user);
	return copy;
}

struct view_binding {
	const struct tile *tile;
	struct expr *const *arg;
};

static const struct expr *view_index(struct emitter *e, const char *name, void *user)
{
	const struct view_binding *v = user;

	for (size_t i = 0; i < v->tile->rank; i++)
		if (!strcmp(e->kernel->index[v->tile->index[i]].name, name))
			return v->arg[i];
	return NULL;
}

const struct expr *emit_through_view(struct emitter *e, const struct expr *access)
{
	int t = tile_find(e->kernel, access->name);

	if (t < 0 || e->kernel->tile[t].place != PLACE_VIEW)
		return access;
	if (!e->bound[t]) {
		emit_fail(e, "view '%s' is bound to nothing", access->name);
		return access;
	}
	struct view_binding v = { &e->kernel->tile[t], access->arg };
	return emit_replace(e, e->bound[t], view_index, &v);
}

/* Of dims, instances, loops and indices: the same until a loop opens or closes. */
static struct facts kernel_facts(struct emitter *e)
{
	const struct tile_stmt *innermost = e->for_count ? e->fors[e->for_count - 1] : NULL;

	if (!e->facts.count || e->facts_of != innermost) {
		e->facts = tile_facts(&e->arena, e->program, e->kernel, e->fors, e->for_count);
		e->facts_of = innermost;
	}
	return e->facts;
}

struct facts emit_facts(struct emitter *e)
{
	struct facts known = kernel_facts(e);
	struct fact *fact = ARENA_ARRAY(&e->arena, struct fact, known.count + 2 * EMIT_MAX_FORS + 16);
	size_t n = known.count;

	if (!e->zero)
		e->zero = expr_int(&e->arena, 0);
	memcpy(fact, known.fact, n * sizeof(*fact));
	for (int i = 0; i < e->range_count; i++)
		fact[n++] = (struct fact){ e->range[i]->name, e->range[i]->lo,
					   expr_binary(&e->arena, OP_SUB, e->range[i]->hi, expr_int(&e->arena, 1)) };
	for (int i = 0; i < e->known_count; i++)
		fact[n++] = (struct fact){ e->known[i].name, e->zero, expr_int(&e->arena, e->known[i].most) };
	for (size_t i = 0; i < e->for_count; i++)
		fact[n++] = (struct fact){ emit_text(e, "%s_trip", e->fors[i]->var), e->zero, NULL };
	/* Counters of register blocks, of vectors, and the lane. */
	fact[n++] = (struct fact){ "km_i", e->zero, NULL };
	fact[n++] = (struct fact){ "km_j", e->zero, NULL };
	fact[n++] = (struct fact){ "km_k", e->zero, NULL };
	if (e->vector >= 0)
		fact[n++] = (struct fact){ "km_v", e->zero, expr_int(&e->arena, (e->kernel->index[e->vector].extent - 1) / e->lanes) };
	fact[n++] = (struct fact){ "km_lane", e->zero, expr_int(&e->arena, e->lanes - 1) };
	return (struct facts){ fact, n };
}

void emit_know(struct emitter *e, const char *name, int64_t most)
{
	if (e->known_count == (int)ARRAY_SIZE(e->known)) {
		emit_fail(e, "too many variables");
		return;
	}
	e->known[e->known_count].name = name;
	e->known[e->known_count++].most = most;
}

bool emit_is_multiple(struct emitter *e, const struct expr *x, int64_t m)
{
	struct affine a = affine_of(&e->arena, x);

	for (size_t i = 0; i < a.count; i++) {
		bool steps = false;
		for (size_t f = 0; f < e->for_count && a.term[i].atom->kind == EXPR_NAME; f++) {
			const struct tile_stmt *s = e->fors[f];
			steps |= !strcmp(s->var, a.term[i].atom->name) && s->step % m == 0 && emit_is_multiple(e, s->lo, m);
		}
		if (a.term[i].coefficient % m && !steps)
			return false;
	}
	return a.constant % m == 0;
}

/* ---- integers -------------------------------------------------------- */

static void add_int(struct emitter *e, const struct expr *x, struct strbuf *out);

static void add_call(struct emitter *e, const char *function, const struct expr *x, struct strbuf *out)
{
	strbuf_addf(out, "%s(", function);
	for (size_t i = 0; i < x->arg_count; i++) {
		if (i)
			strbuf_addstr(out, ", ");
		add_int(e, x->arg[i], out);
	}
	strbuf_addch(out, ')');
}

static void add_infix(struct emitter *e, const char *op, const struct expr *x, struct strbuf *out)
{
	strbuf_addch(out, '(');
	add_int(e, x->arg[0], out);
	strbuf_addf(out, " %s ", op);
	add_int(e, x->arg[1], out);
	strbuf_addch(out, ')');
}

/* A tensor of integers read inside an index; outside its bounds it is 0. */
static void add_read(struct emitter *e, const struct expr *x, struct strbuf *out)
{
	const struct expr *y = emit_through_view(e, x);
	const struct tile_buffer *b = emit_buffer(e, y->name);
	struct facts facts = emit_facts(e);
	struct strbuf condition = STRBUF_INIT;

	if (!b || dtype_is_real(b->dtype)) {
		emit_fail(e, "'%s' in an index is no buffer of integers", y->name);
		return;
	}
	for (size_t d = 0; d < b->rank; d++)
		if (!tile_proven_inside(&e->arena, &facts, y->arg[d], b->dim[d]))
			strbuf_addf(&condition, "%s(unsigned long)(%s) < (unsigned long)(%s)", condition.len ? " && " : "",
				    emit_int(e, y->arg[d]), emit_int(e, b->dim[d]));
	struct polynomial p = emit_address(e, y);
	strbuf_addf(out, condition.len ? "(%s ? (long)b_%s[%s] : 0)" : "%s(long)b_%s[%s]", condition.buf, y->name, emit_polynomial(e, &p));
	strbuf_release(&condition);
}

/* A function of the prelude, as its definition. */
static void add_defined(struct emitter *e, const struct expr *x, struct strbuf *out)
{
	const struct expr *definition = emit_definition(e, x);

	if (definition)
		add_int(e, definition, out);
	else
		emit_fail(e, "'%s' is no integer function", x->name);
}

const char *emit_index_type(const struct emitter *e) { return e->is_short ? "int" : "long"; }
static const char *short_suffix(const struct emitter *e) { return e->is_short ? "_short" : ""; }

/* Is x the same wherever the thread stands?  Sets *own where threads differ in it: what they have in common, devices compute once for all. */
static bool is_of_thread(const struct emitter *e, const struct expr *x, bool *own)
{
	int index;

	switch (x->kind) {
	case EXPR_NAME:
		index = tile_index_find(e->kernel, x->name);
		for (int i = 0; i < e->kernel->grid_count; i++)
			if (!strcmp(x->name, tile_grid_name[i]))
				return *own = true;
		if (index >= 0)
			return *own = e->index[index].is_fixed;
		for (size_t i = 0; i < e->program->dim_count; i++)
			if (!strcmp(x->name, e->program->dim[i].name))
				return true;
		return false;
	case EXPR_INT: return true;
	case EXPR_NEG:
	case EXPR_BINARY:
	case EXPR_CALL:
	case EXPR_SELECT: break;
	default: return false;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		if (!is_of_thread(e, x->arg[i], own))
			return false;
	return true;
}

bool emit_is_divided_once(const struct emitter *e, const struct expr *x)
{
	bool own = false;

	return e->is_thread && e->hoist && (x->op == OP_FLOORDIV || x->op == OP_MOD) && is_of_thread(e, x, &own) && own;
}

static void add_int(struct emitter *e, const struct expr *x, struct strbuf *out)
{
	static const char *const call[][2] = { { "cdiv", "km_cdiv" }, { "rup", "km_rup" }, { "minimum", "km_min" }, { "maximum", "km_max" }, { "abs", "km_labs" } };
	struct facts facts;

	switch (x->kind) {
	case EXPR_INT:
		strbuf_addf(out, x->int_value >= 0 ? "%lld" : e->is_short ? "(%lld)" : "(%lldL)", (long long)x->int_value);
		return;
	case EXPR_NAME:
		strbuf_addstr(out, x->name);
		return;
	case EXPR_NEG:
		strbuf_addstr(out, "(-");
		add_int(e, x->arg[0], out);
		strbuf_addch(out, ')');
		return;
	case EXPR_ACCESS:
		add_read(e, x, out);
		return;
	case EXPR_CALL:
		for (size_t i = 0; i < ARRAY_SIZE(call); i++)
			if (!strcmp(call[i][0], x->name)) {
				add_call(e, emit_text(e, "%s%s", call[i][1], short_suffix(e)), x, out);
				return;
			}
		if (!strcmp(x->name, "bit_xor"))
			add_infix(e, "^", x, out);
		else
			add_defined(e, x, out);
		return;
	case EXPR_SELECT:
		strbuf_addch(out, '(');
		add_int(e, x->arg[0], out);
		strbuf_addstr(out, " ? ");
		add_int(e, x->arg[1], out);
		strbuf_addstr(out, " : ");
		add_int(e, x->arg[2], out);
		strbuf_addch(out, ')');
		return;
	case EXPR_BINARY:
		facts = emit_facts(e);
		if (emit_is_divided_once(e, x)) {
			struct emit_hoist *before = e->hoist;
			e->hoist = NULL;
			const char *text = emit_int(e, x);
			e->hoist = before;
			strbuf_addstr(out, emit_hoisted(e, emit_text(e, "%s ", emit_index_type(e)), text));
		} else if ((x->op == OP_FLOORDIV || x->op == OP_MOD) && !affine_le(&e->arena, &facts, expr_int(&e->arena, 0), x->arg[0]))
			add_call(e, emit_text(e, "%s%s", x->op == OP_MOD ? "km_fmod" : "km_fdiv", short_suffix(e)), x, out);
		else
			add_infix(e, x->op == OP_FLOORDIV ? "/" : expr_op_text(x->op), x, out);
		return;
	default:
		emit_fail(e, "a real number where an integer is wanted");
	}
}

const char *emit_int(struct emitter *e, const struct expr *x)
{
	struct strbuf text = STRBUF_INIT;

	add_int(e, x, &text);
	const char *kept = arena_strdup(&e->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

const char *emit_polynomial(struct emitter *e, const struct polynomial *p)
{
	return emit_int(e, polynomial_expr(&e->arena, p));
}

/* ---- addresses ------------------------------------------------------- */

/* The variable of index i, or in a vector loop its lanes. */
static struct expr *variable(struct emitter *e, int i)
{
	struct arena *a = &e->arena;

	if (i != e->vector)
		return expr_name(a, e->kernel->index[i].name);
	return expr_binary(a, OP_ADD, expr_binary(a, OP_MUL, expr_name(a, "km_v"), expr_int(a, e->lanes)), expr_name(a, "km_lane"));
}

static const struct expr *index_here(struct emitter *e, const char *name, void *user)
{
	int i = tile_index_find(e->kernel, name);

	(void)user;
	/* A loop's variable is its trip times its step, so that blocks are seen to be aligned. */
	for (size_t f = 0; f < e->for_count; f++) {
		const struct tile_stmt *s = e->fors[f];
		if (strcmp(s->var, name) || s->step == 1 || s->lo->kind != EXPR_INT)
			continue;
		struct expr *trip = expr_name(&e->arena, emit_text(e, "%s_trip", s->var));
		return expr_binary(&e->arena, OP_ADD, expr_binary(&e->arena, OP_MUL, trip, expr_int(&e->arena, s->step)), s->lo);
	}
	if (i < 0 || (i != e->vector && !e->index[i].origin))
		return NULL;
	struct expr *v = variable(e, i);
	return e->index[i].origin ? expr_binary(&e->arena, OP_ADD, (struct expr *)e->index[i].origin, v) : v;
}

struct expr *emit_here(struct emitter *e, const struct expr *x)
{
	return emit_replace(e, x, index_here, NULL);
}

static struct expr *infix(struct emitter *e, enum expr_op op, struct expr *a, struct expr *b)
{
	return expr_binary(&e->arena, op, a, b);
}

/* The radix of a digit of a buffer whose extents are known at run time. */
static struct expr *radix(struct emitter *e, const struct digit *d, struct expr *extent)
{
	struct expr *r = expr_int(&e->arena, d->mod);

	if (!d->mod && d->div == 1) {
		r = extent;
	} else if (!d->mod) {
		r = ARENA_ARRAY(&e->arena, struct expr, 1);
		*r = (struct expr){ .kind = EXPR_CALL, .name = "cdiv", .arg_count = 2 };
		r->arg = ARENA_ARRAY(&e->arena, struct expr *, 2);
		r->arg[0] = extent;
		r->arg[1] = expr_int(&e->arena, d->div);
	}
	return d->pad ? infix(e, OP_ADD, r, expr_int(&e->arena, d->pad)) : r;
}

static struct expr *buffer_address(struct emitter *e, const struct tile_buffer *b, struct expr *const *at)
{
	static const char *const name[] = { "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7" };
	int64_t extent[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct expr *address = NULL;
	struct layout layout = { 0 };

	if (layout_parse(&e->arena, b->layout_text, name, extent, b->rank, &layout, e->err))
		e->failed = true;
	for (size_t i = 0; i < layout.count && !e->failed; i++) {
		const struct digit *d = &layout.digit[i];
		struct expr *v = at[d->var];
		if (d->xor_var >= 0)
			emit_fail(e, "buffer '%s' has a swizzle", b->name);
		if (d->div > 1)
			v = infix(e, OP_FLOORDIV, v, expr_int(&e->arena, d->div));
		if (d->mod)
			v = infix(e, OP_MOD, v, expr_int(&e->arena, d->mod));
		address = address ? infix(e, OP_ADD, infix(e, OP_MUL, address, radix(e, d, b->dim[d->var])), v) : v;
	}
	return address ? address : expr_int(&e->arena, 0);
}

static bool is_block(const struct emitter *e, const struct expr *access)
{
	return e->block_tile >= 0 && tile_find(e->kernel, access->name) == e->block_tile;
}

/* Inside the block an accumulator has its own last row and column index; the others are fixed. */
static struct expr *block_address(struct emitter *e, const struct expr *access)
{
	struct expr *address = expr_int(&e->arena, 0);

	for (size_t i = 0; i < access->arg_count; i++) {
		int own = access->arg[i]->kind == EXPR_NAME ? tile_index_find(e->kernel, access->arg[i]->name) : -1;
		if (own < 0) {
			emit_fail(e, "the accumulator '%s' is read at other places than its own", access->name);
			return address;
		}
		if (e->index[own].is_fixed)
			continue;
		struct expr *v = variable(e, own);
		if (own == e->block_row)
			v = infix(e, OP_MUL, v, expr_int(&e->arena, e->block_columns));
		address = infix(e, OP_ADD, address, v);
	}
	return address;
}

/* A thread holds the element of its own point. */
static struct expr *own_element(struct emitter *e, const struct tile *t, const struct expr *access)
{
	for (size_t i = 0; i < access->arg_count; i++)
		if (access->arg[i]->kind != EXPR_NAME || strcmp(access->arg[i]->name, e->kernel->index[t->index[i]].name))
			emit_fail(e, "tile '%s' lies in registers: it is read at its own indices only", t->name);
	return expr_int(&e->arena, 0);
}

struct polynomial emit_address(struct emitter *e, const struct expr *access)
{
	const struct tile *t = emit_tile(e, access->name);
	struct facts facts = emit_facts(e);
	struct expr *at[8] = { NULL }, *address;

	if (!t && !emit_buffer(e, access->name)) {
		emit_fail(e, "'%s' is neither a tile nor a buffer", access->name);
		return (struct polynomial){ 0 };
	}
	for (size_t i = 0; i < access->arg_count && i < 8; i++)
		at[i] = emit_here(e, access->arg[i]);
	if (is_block(e, access))
		address = block_address(e, access);
	else if (t && e->is_thread)
		address = own_element(e, t, access);
	else if (t)
		address = layout_encode_expr(&e->arena, &t->layout, at);
	else
		address = buffer_address(e, emit_buffer(e, access->name), at);
	return polynomial_of(&e->arena, &facts, address);
}

const char *emit_base(struct emitter *e, const struct expr *access)
{
	if (is_block(e, access))
		return "km_block";
	return emit_text(e, "%s%s", emit_tile(e, access->name) ? "t_" : "b_", access->name);
}

const char *emit_hoisted(struct emitter *e, const char *type, const char *value)
{
	struct emit_hoist *h = e->hoist;
	const char *declaration = emit_text(e, "const %s", type);

	declaration = emit_text(e, "%s %s", declaration, value);
	for (int i = 0; i < h->count; i++)
		if (!strcmp(h->item[i].declaration, declaration))
			return h->item[i].name;
	if (h->count == (int)ARRAY_SIZE(h->item))
		return value;
	const char *name = emit_text(e, "km_h%d", e->serial++);
	h->item[h->count].declaration = declaration;
	h->item[h->count++].name = name;
	for (int i = 0; i < e->depth; i++)
		strbuf_addch(&h->text, '\t');
	strbuf_addf(&h->text, "const %s%s = %s;\n", type, name, value);
	return name;
}

static bool is_inner(const struct emitter *e, const struct polynomial_term *t)
{
	for (size_t i = 0; i < t->factor_count; i++) {
		if (expr_uses(t->factor[i], "km_v"))
			return true;
		for (int k = 0; k < e->inner_count; k++)
			if (expr_uses(t->factor[i], e->inner[k]))
				return true;
	}
	return false;
}

/* Does what is printed here stay as it is through the loop, or the kernel of a thread, that e->hoist stands before? */
static bool is_still(const struct emitter *e, const struct polynomial_term *t)
{
	bool is = true, own = false;

	if (!e->is_thread)
		return !is_inner(e, t);
	for (size_t i = 0; i < t->factor_count; i++)
		is = is && is_of_thread(e, t->factor[i], &own);
	return is && own;
}

const char *emit_pointer(struct emitter *e, const struct expr *access)
{
	struct polynomial p = emit_address(e, access), lane, rest = p, still, moving;
	const char *base = emit_base(e, access);
	enum dtype dtype = DTYPE_f32;

	if (e->vector >= 0 && !polynomial_split(&e->arena, &p, "km_lane", &lane, &rest))
		emit_fail(e, "access to '%s' has no stride along '%s'", access->name, e->kernel->index[e->vector].name);
	if (!e->hoist || !emit_dtype(e, access->name, &dtype) || (e->is_thread && (!e->range_count || emit_tile(e, access->name))))
		return emit_text(e, "%s + %s", base, emit_polynomial(e, &rest));
	still = (struct polynomial){ ARENA_ARRAY(&e->arena, struct polynomial_term, rest.count + 1), 0 };
	moving = (struct polynomial){ ARENA_ARRAY(&e->arena, struct polynomial_term, rest.count + 1), 0 };
	for (size_t i = 0; i < rest.count; i++) {
		struct polynomial *to = is_still(e, &rest.term[i]) ? &still : &moving;
		to->term[to->count++] = rest.term[i];
	}
	if (e->is_thread && !still.count)
		return emit_text(e, "%s + %s", base, emit_polynomial(e, &moving));
	base = emit_hoisted(e, emit_text(e, "km_%s *", dtype_name(dtype)), emit_text(e, "%s + %s", base, emit_polynomial(e, &still)));
	return moving.count ? emit_text(e, "%s + %s", base, emit_polynomial(e, &moving)) : base;
}

int emit_lane_stride(struct emitter *e, const struct expr *access, int v)
{
	struct polynomial p, lane, rest;
	int saved = e->vector;
	int64_t stride;

	e->vector = v;
	const struct expr *x = emit_through_view(e, access);
	p = emit_address(e, x);
	e->vector = saved;
	if (!polynomial_split(&e->arena, &p, "km_lane", &lane, &rest) || !polynomial_is_int(&lane, &stride))
		return -1;
	return stride == 0 || stride == 1 ? (int)stride : -1;
}

void emit_guards(struct emitter *e, const struct expr *access, const char **condition, const char **mask)
{
	const struct tile_buffer *b = emit_buffer(e, access->name);
	struct strbuf text = STRBUF_INIT;
	const char *at = NULL, *extent = NULL;

	*condition = *mask = "";
	if (!b || e->is_inside)
		return;
	struct facts facts = emit_facts(e);
	for (size_t d = 0; d < b->rank; d++) {
		if (tile_proven_inside(&e->arena, &facts, access->arg[d], b->dim[d]))
			continue;
		struct polynomial p = polynomial_of(&e->arena, &facts, emit_here(e, access->arg[d])), lane, rest = p;
		bool split = polynomial_split(&e->arena, &p, "km_lane", &lane, &rest);
		if (!(split && lane.count) && tile_proven_inside(&e->arena, &facts, polynomial_expr(&e->arena, &rest), b->dim[d]))
			continue;
		const char *place = emit_polynomial(e, &rest), *end = emit_int(e, b->dim[d]);
		if (split && lane.count && !at) {
			at = place;
			extent = end;
		} else if (split && lane.count) {
			emit_fail(e, "access to '%s' is bounded twice by one index", access->name);
		} else {
			strbuf_addf(&text, e->is_short ? "%s(unsigned)(%s) < (unsigned)(%s)" : "%s(unsigned long)(%s) < (unsigned long)(%s)", text.len ? " && " : "", place, end);
		}
	}
	*condition = arena_strdup(&e->arena, text.buf);
	if (at)
		*mask = text.len ? emit_text(e, "km_inside(%s, %s ? %s : 0)", at, text.buf, extent) : emit_text(e, "km_inside(%s, %s)", at, extent);
	else if (text.len)
		*mask = emit_text(e, "km_first(%s ? KM_L : 0)", text.buf);
	strbuf_release(&text);
}
