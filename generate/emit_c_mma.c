/*
 * Contractions of printed C.  The default: a block of MR rows by NV vectors of
 * columns stays in named registers while the depth runs; a row of a is
 * broadcast, a vector of b is loaded, every product is one FMA.
 */
#include "generate/emit_c.h"
#include "generate/micro.h"

#include <stdlib.h>
#include <string.h>

/* ---- parts shared with micro-kernels ---------------------------------- */

struct placing {
	const char *name;
	struct expr *with;
};

static const struct expr *placed_name(struct emitter *e, const char *name, void *user)
{
	const struct placing *p = user;

	(void)e;
	return strcmp(name, p->name) ? NULL : p->with;
}

const struct expr *emit_placed(struct emitter *e, const struct expr *access, int index, struct expr *with)
{
	struct placing p = { e->kernel->index[index].name, with };
	return emit_replace(e, access, placed_name, &p);
}

int emit_open_outer(struct emitter *e, const struct emit_mma *m)
{
	const struct mma_groups *g = &m->groups;
	int opened = 0;

	for (int side = 0; side < 2; side++)
		for (int i = 0; i < (side ? g->row_count : g->column_count); i++) {
			int index = side ? g->row[i] : g->column[i];
			if (index == m->row || index == m->column)
				continue;
			emit_open_index(e, index);
			e->index[index].is_fixed = true;
			opened++;
		}
	return opened;
}

void emit_close_outer(struct emitter *e, const struct emit_mma *m, int opened)
{
	for (int i = 0; i < m->groups.row_count; i++)
		e->index[m->groups.row[i]].is_fixed = false;
	for (int i = 0; i < m->groups.column_count; i++)
		e->index[m->groups.column[i]].is_fixed = false;
	emit_close(e, opened);
}

void emit_epilogue(struct emitter *e, const struct emit_mma *m, int64_t rows, int64_t columns)
{
	struct arena *a = &e->arena;

	e->block_tile = m->stmt->target;
	e->block_row = m->row;
	e->block_columns = columns;
	e->index[m->row].origin = expr_binary(a, OP_MUL, expr_name(a, "km_i"), expr_int(a, rows));
	e->index[m->row].count = emit_text(e, "km_min(%lld, km_rows - km_i * %lld)", (long long)rows, (long long)rows);
	e->index[m->column].origin = expr_binary(a, OP_MUL, expr_name(a, "km_j"), expr_int(a, columns));
	e->index[m->column].count = emit_text(e, "km_min(%lld, km_columns - km_j * %lld)", (long long)columns, (long long)columns);
	for (size_t i = 0; i < m->epilogue_count; i++)
		emit_assign(e, &m->epilogue[i]);
	e->block_tile = -1;
	e->index[m->row] = (struct emit_index){ 0 };
	e->index[m->column] = (struct emit_index){ 0 };
}

/* ---- the outer product ------------------------------------------------ */

struct block {
	const struct emit_mma *m;
	int rows, vectors;
	bool is_masked;
	const struct expr *a, *b; /* operands behind their views */
};

/* An operand element: a pointer declared in front of the depth loops, and what the depth adds to it. */
struct operand {
	struct polynomial still, moving;
	const char *pointer;
	int64_t ahead; /* elements from the pointer */
};

static bool uses_depth(struct emitter *e, const struct emit_mma *m, const struct polynomial_term *t)
{
	for (size_t i = 0; i < t->factor_count; i++)
		for (int d = 0; d < m->groups.depth_count; d++)
			if (expr_uses(t->factor[i], e->kernel->index[m->groups.depth[d]].name))
				return true;
	return false;
}

static struct operand operand_of(struct emitter *e, const struct emit_mma *m, const struct expr *access)
{
	struct polynomial p = emit_address(e, access), lane, rest = p;
	struct operand o = { 0 };

	if (!polynomial_split(&e->arena, &p, "km_lane", &lane, &rest))
		emit_fail(e, "an operand of mma has no stride");
	o.still.term = ARENA_ARRAY(&e->arena, struct polynomial_term, rest.count + 1);
	o.moving.term = ARENA_ARRAY(&e->arena, struct polynomial_term, rest.count + 1);
	for (size_t i = 0; i < rest.count; i++) {
		struct polynomial *to = uses_depth(e, m, &rest.term[i]) ? &o.moving : &o.still;
		to->term[to->count++] = rest.term[i];
	}
	return o;
}

/* Declares o's pointer, or takes the first's when they are a number of elements apart. */
static void declare_pointer(struct emitter *e, const char *name, const struct expr *access, struct operand *o, const struct operand *first)
{
	struct facts none = { 0 };
	enum dtype dtype = DTYPE_f32;

	if (first) {
		struct expr *apart = expr_binary(&e->arena, OP_SUB, polynomial_expr(&e->arena, &o->still), polynomial_expr(&e->arena, &first->still));
		struct polynomial p = polynomial_of(&e->arena, &none, apart);
		if (polynomial_is_int(&p, &o->ahead)) {
			o->pointer = first->pointer;
			return;
		}
		o->ahead = 0;
	}
	emit_dtype(e, access->name, &dtype);
	o->pointer = name;
	emit_line(e, "const km_%s *const %s = %s + %s;", dtype_name(dtype), name, emit_base(e, access), emit_polynomial(e, &o->still));
}

static const char *element(struct emitter *e, const struct operand *o)
{
	const char *moving = emit_polynomial(e, &o->moving);
	return o->ahead ? emit_text(e, "%s + %s + %lld", o->pointer, moving, (long long)o->ahead) : emit_text(e, "%s + %s", o->pointer, moving);
}

/* Row r of the block; rows a buffer does not have are the last it has. */
static struct expr *row_here(struct emitter *e, const struct block *k, int r, bool clamp)
{
	struct arena *a = &e->arena;

	if (clamp)
		return expr_name(a, emit_text(e, "km_r%d", r));
	return expr_binary(a, OP_ADD, expr_binary(a, OP_MUL, expr_name(a, "km_i"), expr_int(a, k->rows)), expr_int(a, r));
}

static struct expr *column_here(struct emitter *e, const struct block *k, int v)
{
	struct arena *a = &e->arena;
	struct expr *start = expr_binary(a, OP_MUL, expr_name(a, "km_j"), expr_int(a, (int64_t)k->vectors * e->lanes));

	return expr_binary(a, OP_ADD, expr_binary(a, OP_ADD, start, expr_int(a, (int64_t)v * e->lanes)), expr_name(a, "km_lane"));
}

static bool is_buffer_of_others(const struct emitter *e, const struct expr *access)
{
	const struct tile_buffer *b = emit_buffer(e, access->name);
	return b && b->role != PLAN_TMP;
}

/* May whole vectors be read at the last columns?  Tiles have room behind them, panels of a temporary are whole. */
static bool has_whole_panels(struct emitter *e, const struct expr *access, int64_t columns)
{
	const struct tile_buffer *b = emit_buffer(e, access->name);
	const char *s = b ? strrchr(b->layout_text, '%') : NULL;

	return !b || (b->role == PLAN_TMP && s && strtoll(s + 1, NULL, 10) % columns == 0);
}

static struct expr *accumulator(struct emitter *e, const struct block *k, int r, int v)
{
	const struct tile *acc = &e->kernel->tile[k->m->stmt->target];
	struct expr **at = ARENA_ARRAY(&e->arena, struct expr *, acc->rank + 1);

	for (size_t i = 0; i < acc->rank; i++) {
		int x = acc->index[i];
		at[i] = x == k->m->row ? row_here(e, k, r, false) : x == k->m->column ? column_here(e, k, v)
									    : expr_name(&e->arena, e->kernel->index[x].name);
	}
	return expr_access(&e->arena, acc->name, at, acc->rank);
}

static const char *accumulator_pointer(struct emitter *e, const struct block *k, int r, int v)
{
	struct expr *x = accumulator(e, k, r, v);
	struct operand o = operand_of(e, k->m, x);

	return emit_text(e, "%s + %s", emit_base(e, x), emit_polynomial(e, &o.still));
}

static void open_depth(struct emitter *e, const struct emit_mma *m)
{
	int64_t unroll = tile_knob_int(e->kernel, "KU", 1);

	for (int d = 0; d < m->groups.depth_count; d++) {
		if (d + 1 == m->groups.depth_count && unroll > 1)
			emit_line(e, "_Pragma(\"clang loop unroll_count(%lld)\")", (long long)unroll);
		emit_open_index(e, m->groups.depth[d]);
	}
}

/* c += a * b over the depth, on named vectors: an array of them would be spilled. */
static void multiply(struct emitter *e, const struct block *k)
{
	struct operand a[32] = { 0 }, b[8] = { 0 };
	const struct expr *x = NULL;
	enum dtype da = DTYPE_f32, db = DTYPE_f32;
	bool clamp = is_buffer_of_others(e, k->a);

	for (int r = 0; r < k->rows && clamp; r++)
		emit_line(e, "const long km_r%d = km_min(km_i * %d + %d, km_rows - 1);", r, k->rows, r);
	for (int r = 0; r < k->rows; r++) {
		x = emit_placed(e, k->a, k->m->row, row_here(e, k, r, clamp));
		a[r] = operand_of(e, k->m, x);
		declare_pointer(e, emit_text(e, "km_pa%d", r), x, &a[r], r ? &a[0] : NULL);
	}
	for (int v = 0; v < k->vectors; v++) {
		x = emit_placed(e, k->b, k->m->column, column_here(e, k, v));
		b[v] = operand_of(e, k->m, x);
		declare_pointer(e, emit_text(e, "km_pb%d", v), x, &b[v], v ? &b[0] : NULL);
		if (k->is_masked)
			emit_line(e, "const km_vb km_m%d = km_first(km_columns - (km_j * %d + %d));", v, k->vectors * e->lanes, v * e->lanes);
	}
	if (!emit_dtype(e, k->a->name, &da) || !emit_dtype(e, k->b->name, &db))
		return;
	open_depth(e, k->m);
	for (int v = 0; v < k->vectors; v++)
		emit_line(e, k->is_masked ? "const km_vf km_b%d = km_l_%s_m(%s, km_m%d, 0.0f);" : "const km_vf km_b%d = km_l_%s(%s);", v,
			  dtype_name(db), element(e, &b[v]), v);
	for (int r = 0; r < k->rows; r++) {
		struct strbuf text = STRBUF_INIT;
		for (int v = 0; v < k->vectors; v++)
			strbuf_addf(&text, " km_c%d_%d = km_fma(km_x, km_b%d, km_c%d_%d);", r, v, v, r, v);
		emit_line(e, "{ const km_vf km_x = (km_vf)km_ls_%s(%s);%s }", dtype_name(da), element(e, &a[r]), text.buf);
		strbuf_release(&text);
	}
	emit_close(e, k->m->groups.depth_count);
}

static void emit_block(struct emitter *e, const struct block *k)
{
	bool in_memory = !k->m->epilogue;

	for (int r = 0; r < k->rows; r++)
		for (int v = 0; v < k->vectors; v++)
			emit_line(e, "km_vf km_c%d_%d = %s;", r, v, in_memory ? emit_text(e, "km_l_f32(%s)", accumulator_pointer(e, k, r, v)) : "0.0f");
	multiply(e, k);
	if (!in_memory)
		emit_line(e, "float km_block[%d] __attribute__((aligned(64)));", k->rows * k->vectors * e->lanes);
	for (int r = 0; r < k->rows; r++)
		for (int v = 0; v < k->vectors; v++)
			emit_line(e, "km_s_f32(%s, km_c%d_%d);",
				  in_memory ? accumulator_pointer(e, k, r, v) : emit_text(e, "km_block + %d", (r * k->vectors + v) * e->lanes), r, v);
	if (!in_memory)
		emit_epilogue(e, k->m, k->rows, (int64_t)k->vectors * e->lanes);
}

/* Loops over column blocks, full or the masked rest, and row blocks. */
static void emit_blocks(struct emitter *e, const struct block *k, bool only_full)
{
	int columns = k->vectors * e->lanes;

	if (k->is_masked)
		emit_open(e, "if (km_j * %d < km_columns)", columns);
	else
		emit_open(e, "for (; km_j * %d + %d < km_columns; km_j++)", columns, only_full ? columns - 1 : 0);
	emit_open(e, "for (long km_i = 0; km_i * %d < km_rows; km_i++)", k->rows);
	emit_block(e, k);
	emit_close(e, 2);
}

static bool is_outside(struct emitter *e, const struct expr *operand)
{
	const char *condition, *mask;

	if (!is_buffer_of_others(e, operand))
		return false;
	emit_guards(e, operand, &condition, &mask);
	return *condition || *mask;
}

static void emit_outer_product(struct emitter *e, const struct emit_mma *m)
{
	const struct tile_index *index = e->kernel->index;
	struct block k = { .m = m, .rows = (int)tile_knob_int(e->kernel, "MR", 4), .vectors = (int)tile_knob_int(e->kernel, "NV", 2),
			   .a = emit_through_view(e, m->groups.a), .b = emit_through_view(e, m->groups.b) };
	int64_t columns = (int64_t)k.vectors * e->lanes;
	enum dtype dtype;

	if (k.rows < 1 || k.rows > 32 || k.vectors < 1 || k.vectors > 8) {
		emit_fail(e, "a register block of %d rows and %d vectors", k.rows, k.vectors);
		return;
	}
	if (!m->epilogue && (index[m->row].extent % k.rows || index[m->column].extent % columns)) {
		emit_fail(e, "MR and NV vectors must divide the accumulator tile");
		return;
	}
	if (is_outside(e, k.a) || is_outside(e, k.b)) {
		emit_fail(e, "an operand of mma may lie outside its buffer: it must be staged");
		return;
	}
	for (int i = 0; i < 2; i++)
		if (!emit_dtype(e, i ? k.a->name : k.b->name, &dtype) || (dtype != DTYPE_f32 && dtype != DTYPE_bf16)) {
			emit_fail(e, "an operand of mma is f32 or bf16");
			return;
		}
	bool whole = has_whole_panels(e, k.b, columns);
	int opened = emit_open_outer(e, m);
	emit_line(e, "long km_j = 0;");
	emit_blocks(e, &k, !whole);
	if (!whole) {
		k.is_masked = true;
		emit_blocks(e, &k, false);
	}
	emit_close_outer(e, m, opened);
}

void emit_contraction(struct emitter *e, struct emit_mma *m)
{
	struct strbuf why = STRBUF_INIT;
	struct mma_groups *g = &m->groups;

	if (!tile_mma_groups(e->kernel, m->stmt, g, &why) || !g->row_count || !g->column_count || !g->depth_count) {
		emit_fail(e, "%s", why.len ? why.buf : "an mma wants rows, columns and a depth");
		strbuf_release(&why);
		return;
	}
	strbuf_release(&why);
	m->row = g->row[g->row_count - 1];
	m->column = -1;
	for (int i = 0; i < g->column_count; i++)
		if (emit_lane_stride(e, g->b, g->column[i]) == 1)
			m->column = g->column[i];
	int last = g->column[g->column_count - 1];
	bool has_unit = m->column >= 0;
	m->column = has_unit ? m->column : last;
	const struct micro_kernel *micro = micro_find(e, m);
	if (!micro && !has_unit) {
		emit_fail(e, "the second operand of mma has no column of unit stride");
		return;
	}
	emit_open(e, "%s", "");
	emit_line(e, "const long km_rows = %s, km_columns = %s;", emit_count(e, m->row), emit_count(e, m->column));
	if (micro)
		micro->emit(e, m);
	else
		emit_outer_product(e, m);
	emit_close(e, 1);
}
