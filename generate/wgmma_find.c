/* What a kernel of warp groups is: its operands, its products, its sums. */
#include "generate/wgmma.h"

#include <string.h>

int64_t wgmma_tile_bytes(const struct wgmma_operand *o)
{
	return o->tile->layout.elems * (int64_t)dtype_bytes(o->tile->dtype);
}

int64_t wgmma_rows(const struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o)
{
	return s->kernel->index[o->slow].extent / (o->is_shared && o->is_depth_fast ? p->cluster : 1);
}

/* ---- pixels ---------------------------------------------------------- */

/* digit * step + offset + from, with the digit rest % count; *rest: then what is left of it. */
static bool find_axis(struct simt *s, const struct facts *facts, const struct expr *at, const char *slow, struct expr **rest, struct wgmma_axis *axis)
{
	struct affine a = affine_of(&s->arena, at);
	size_t kept = 0;

	*axis = (struct wgmma_axis){ .from = a.constant };
	for (size_t i = 0; i < a.count; i++)
		if (!expr_uses(a.term[i].atom, slow)) {
			a.term[kept++] = a.term[i];
		} else if (axis->digit) {
			return false;
		} else {
			axis->digit = a.term[i].atom;
			axis->step = a.term[i].coefficient;
		}
	a.count = kept;
	a.constant = 0;
	axis->offset = affine_expr(&s->arena, &a);
	const struct expr *digit = axis->digit;
	if (!digit || digit->kind != EXPR_BINARY || digit->op != OP_MOD || axis->step < 1 || axis->step > 8 || axis->from > 0 ||
	    (*rest && !expr_equal(expr_simplify(&s->arena, digit->arg[0]), expr_simplify(&s->arena, *rest))) || !affine_le(&s->arena, facts, expr_int(&s->arena, 0), axis->offset))
		return false;
	axis->count = digit->arg[1];
	*rest = expr_binary(&s->arena, OP_FLOORDIV, digit->arg[0], digit->arg[1]);
	return true;
}

/*
 * Is the operand of pixels, that is, does the slow index run over several dimensions of the
 * buffer at once, as the places of a window do: X[n, y//V%U + v, y%V + u, c], y along the slow
 * index, c along the fast one?  Then its axes.
 */
static void find_pixels(struct simt *s, const struct wgmma_pipeline *p, struct wgmma_operand *o)
{
	const struct expr *from = o->stage->value;
	const char *slow = s->kernel->index[o->slow].name;
	struct expr *rest = NULL;
	bool is_plain = true;
	int64_t step;

	for (size_t i = 0; i < from->arg_count; i++)
		is_plain &= affine_stride(&s->arena, from->arg[i], slow, &step);
	if (is_plain || from->arg_count < 3 || from->arg_count > PLAN_MAX_RANK)
		return;
	s->fors[s->for_count++] = p->loop;
	struct facts facts = simt_facts(s);
	s->for_count--;
	for (size_t i = from->arg_count - 2; i > 0; i--)
		if (!find_axis(s, &facts, from->arg[i], slow, &rest, &o->axis[o->axis_count++])) {
			simt_fail(s, "'%s' is not read in pixels that the copy engine takes", from->name);
			return;
		}
	if (!affine_stride(&s->arena, o->axis[0].digit->arg[0], slow, &step) || step != 1)
		simt_fail(s, "pixels of '%s' do not follow each other", from->name);
}

/* ---- operands -------------------------------------------------------- */

/* How the tile that the statement fills lies in shared memory, beginning at a slot's byte `at`. */
static bool find_tile(struct simt *s, const struct wgmma_pipeline *p, const struct tile_stmt *stmt, int64_t at, int map, struct wgmma_operand *o)
{
	const struct tile_kernel *k = s->kernel;
	const struct tile *t = &k->tile[stmt->target];

	if (t->rank != 2 || t->place != PLACE_SHARED || stmt->value->otherwise) {
		simt_fail(s, "'%s' is no shared tile of two indices", t->name);
		return false;
	}
	*o = (struct wgmma_operand){ .tile = t, .stage = stmt, .at = at, .map = map };
	int64_t row = WGMMA_ROW_BYTES / (int64_t)dtype_bytes(t->dtype);
	for (int f = 0; f < 2; f++) {
		const char *fast = k->index[t->index[f]].name, *slow = k->index[t->index[1 - f]].name;
		if (strcmp(t->layout_text, simt_swizzled(&s->arena, t->dtype, fast, slow)))
			continue;
		o->fast = t->index[f];
		o->slow = t->index[1 - f];
		o->is_depth_fast = o->fast == p->groups.depth[0];
		o->is_shared = p->cluster > 1 && (o->fast == p->groups.column[0] || o->slow == p->groups.column[0]);
		if (o->is_shared && !o->is_depth_fast && k->index[o->fast].extent % (row * p->cluster))
			simt_fail(s, "tile '%s' has too few columns to share out", t->name);
		/* A block's part of a shared one begins with a row that is not swizzled. */
		if (o->is_shared && o->is_depth_fast && k->index[o->slow].extent % (8 * p->cluster))
			simt_fail(s, "the rows of tile '%s' are not shared out in eights", t->name);
		if (k->index[o->fast].extent % row || k->index[o->slow].extent > 256 || wgmma_tile_bytes(o) % WGMMA_ALIGNMENT)
			simt_fail(s, "tile '%s' is no whole number of rows that the copy engine takes", t->name);
		find_pixels(s, p, o);
		return !s->failed;
	}
	simt_fail(s, "tile '%s' has not the digits of swizzled rows", t->name);
	return false;
}

static void find_operand(struct simt *s, struct wgmma_pipeline *p, const struct tile_stmt *stmt)
{
	struct wgmma_operand *o = &p->operand[p->operand_count];

	if (!find_tile(s, p, stmt, p->slot_bytes, p->operand_count, o))
		return;
	if (o->tile->dtype != s->instr->ab)
		simt_fail(s, "tile '%s' is not of the instruction's type", o->tile->name);
	if (!o->is_depth_fast && dtype_bytes(o->tile->dtype) != 2)
		simt_fail(s, "tile '%s' lies across the depth, which '%s' does not take", o->tile->name, s->instr->name);
	p->operand_count++;
	p->slot_bytes += wgmma_tile_bytes(o);
}

/* A tile of f32, of which the next two operands are the parts. */
static void find_source(struct simt *s, struct wgmma_pipeline *p, const struct tile_stmt *stmt)
{
	struct wgmma_operand *o = &p->source[p->source_count];

	if (p->source_count == 2 || p->cluster > 1) {
		simt_fail(s, "two tiles of f32 are wanted, and no cluster");
	} else if (find_tile(s, p, stmt, 0, p->source_count, o)) {
		p->source_count++;
		p->source_bytes = wgmma_tile_bytes(o) > p->source_bytes ? wgmma_tile_bytes(o) : p->source_bytes;
	}
}

/* Part 0 or 1 of the source at hand: as it lies, in another type. */
static void find_part(struct simt *s, struct wgmma_pipeline *p, const struct tile_stmt *stmt)
{
	const struct wgmma_operand *from = &p->source[p->operand_count / 2 % 2], *o = &p->operand[p->operand_count];

	find_operand(s, p, stmt);
	if (!s->failed && (p->operand_count > 4 || s->instr->ab != DTYPE_f16 || !expr_uses(stmt->value, from->tile->name) || o->fast != from->fast))
		simt_fail(s, "tile '%s' is no part in f16 of '%s'", o->tile->name, from->tile->name);
}

static const struct wgmma_operand *operand_of(const struct wgmma_pipeline *p, const char *tile)
{
	for (int i = 0; i < p->operand_count; i++)
		if (!strcmp(p->operand[i].tile->name, tile))
			return &p->operand[i];
	return NULL;
}

static void find_product(struct simt *s, struct wgmma_pipeline *p, const struct tile_stmt *stmt)
{
	struct mma_groups g;
	struct strbuf why = STRBUF_INIT;
	struct wgmma_product *x = &p->product[p->product_count];

	bool is_mma = tile_mma_groups(s->kernel, stmt, &g, &why) && p->product_count < WGMMA_MAX_PRODUCTS;
	if (is_mma)
		*x = (struct wgmma_product){ &s->kernel->tile[stmt->target], operand_of(p, g.a->name), operand_of(p, g.b->name) };
	if (!is_mma || !x->a || !x->b)
		simt_fail(s, "an operand of mma is not copied in its loop, or too many are %s", why.buf);
	else
		p->product_count++;
	strbuf_release(&why);
}

/* "sum = sum + block" behind the products, then "block = 0". */
static void find_sum(struct simt *s, struct wgmma_pipeline *p, const struct tile_stmt *stmt)
{
	const struct tile *t = &s->kernel->tile[stmt->target];
	const struct expr *e = stmt->value;
	bool adds = e->kind == EXPR_BINARY && e->op == OP_ADD && e->arg[0]->kind == EXPR_ACCESS && e->arg[1]->kind == EXPR_ACCESS && !strcmp(e->arg[0]->name, t->name);

	if (t->place == PLACE_ACC && adds && !p->sum) {
		p->sum = t;
		p->block = simt_tile(s, e->arg[1]->name);
	} else if (t == p->block && p->sum && e->kind == EXPR_INT && !e->int_value) {
		p->is_forgotten = true;
	} else {
		simt_fail(s, "a loop of copies, products and the sum of one accumulator is wanted");
	}
}

static void find_statement(struct simt *s, struct wgmma_pipeline *p, const struct tile_stmt *stmt)
{
	const struct tile *t = &s->kernel->tile[stmt->target];
	bool is_free = p->operand_count < WGMMA_MAX_STAGES;

	if (stmt->kind == TILE_STAGE && is_free && t->dtype == DTYPE_f32 && s->instr->ab != DTYPE_f32)
		find_source(s, p, stmt);
	else if (stmt->kind == TILE_STAGE && is_free && !p->source_count)
		find_operand(s, p, stmt);
	else if (stmt->kind == TILE_MAP && is_free && p->source_count == 2 && t->place == PLACE_SHARED)
		find_part(s, p, stmt);
	else if (stmt->kind == TILE_MMA && !p->sum)
		find_product(s, p, stmt);
	else if (stmt->kind == TILE_MAP)
		find_sum(s, p, stmt);
	else
		simt_fail(s, "a loop of copies and products is wanted");
}

bool wgmma_find(struct simt *s, struct wgmma_pipeline *p)
{
	const struct tile_kernel *k = s->kernel;
	struct strbuf why = STRBUF_INIT;
	const struct tile_stmt *mma = NULL;

	*p = (struct wgmma_pipeline){ .relays = (int)tile_knob_int(k, "RELAY", 1), .cluster = (int)tile_knob_int(k, "CLUSTER", 1) };
	p->consumers = k->threads / WGMMA_GROUP_THREADS * p->relays;
	while (p->loop_at < k->stmt_count && k->stmt[p->loop_at].kind != TILE_FOR)
		p->loop_at++;
	p->loop = p->loop_at < k->stmt_count ? &k->stmt[p->loop_at] : NULL;
	for (size_t i = 0; p->loop && i < p->loop->body_count; i++)
		if (p->loop->body[i].kind == TILE_MMA)
			mma = &p->loop->body[i];
	if (!mma || !tile_mma_groups(k, mma, &p->groups, &why) || p->loop->pipe < 2 || k->threads % WGMMA_GROUP_THREADS || p->consumers > 3)
		simt_fail(s, "a contraction by warp groups is one loop with 'pipe' around its mma, for at most 3 of them %s", why.buf);
	strbuf_release(&why);
	for (size_t i = 0; !s->failed && i < p->loop->body_count; i++)
		find_statement(s, p, &p->loop->body[i]);
	if (!s->failed && (p->sum != NULL) != p->is_forgotten)
		simt_fail(s, "the accumulator of one trip is added to a sum, then forgotten");
	else if (!s->failed && p->source_count && (p->source_count != 2 || p->operand_count != 4))
		simt_fail(s, "two parts of two tiles of f32 are wanted");
	else if (!s->failed && !p->sum && p->product_count != 1)
		simt_fail(s, "several products want an accumulator of one trip");
	else if (!s->failed && k->grid_count < 2)
		simt_fail(s, "a contraction by warp groups has a grid of rows and columns");
	else if (!s->failed && p->sum && p->relays > 1)
		simt_fail(s, "accumulators of one trip are not relayed");
	p->ring = p->source_count ? WGMMA_FUSED_RING : 0;
	return !s->failed;
}

int64_t wgmma_row_elems(const struct wgmma_operand *o)
{
	return WGMMA_ROW_BYTES / (int64_t)dtype_bytes(o->tile->dtype);
}
