/*
 * amx_bf16: bf16 products on AMX tiles: 2 x 2 tiles of 16 x 16 accumulators, 32
 * of the depth a step (Intel SDM vol. 2, TDPBF16PS).  a must have 32 depths of a
 * row next to each other (digits `.. i%16 k%32`, or plain rows), b pairs of
 * depths (`.. k/2%16 j%16 k%2`); both with zeros up to a multiple of 32 depths.
 */
#include "generate/micro.h"

#include <string.h>

enum { BLOCK = 32, TILE = 16, STEP = 32 };

static struct expr *times(struct emitter *e, const char *name, int64_t by)
{
	return expr_binary(&e->arena, OP_MUL, expr_name(&e->arena, name), expr_int(&e->arena, by));
}

static struct expr *plus(struct emitter *e, struct expr *a, struct expr *b)
{
	return expr_binary(&e->arena, OP_ADD, a, b);
}

/* Position `half` (0, 1) of a tile in the block counted by `counter`, and the point `within` it. */
static struct expr *in_block(struct emitter *e, const char *counter, int half, const char *within)
{
	return plus(e, plus(e, times(e, counter, BLOCK), expr_int(&e->arena, half * TILE)), expr_name(&e->arena, within));
}

/* Takes `name` out of *p: is it linear in it, with the number `step` (0: any number or text)? */
static bool take(struct emitter *e, struct polynomial *p, const char *name, int64_t step, struct polynomial *coefficient)
{
	struct polynomial rest;
	int64_t number = 0;

	if (!polynomial_split(&e->arena, p, name, coefficient, &rest))
		return false;
	*p = rest;
	return !step || (polynomial_is_int(coefficient, &number) && number == step);
}

/*
 * Tile `half` of an operand at depth step km_k: the text of its start, and of
 * the elements from row to row; false when its layout is not the instruction's.
 */
static bool operand_tile(struct emitter *e, const struct emit_mma *m, bool is_b, int half, const char **start, const char **row)
{
	const struct expr *access = emit_through_view(e, is_b ? m->groups.b : m->groups.a);
	struct polynomial p, fine, down, across;
	int known = e->known_count;

	emit_know(e, "km_fine", is_b ? 1 : STEP - 1);
	emit_know(e, "km_down", TILE - 1);
	emit_know(e, "km_across", TILE - 1);
	struct expr *depth = plus(e, times(e, "km_k", STEP), expr_name(&e->arena, "km_fine"));
	if (is_b)
		depth = plus(e, depth, times(e, "km_down", 2));
	access = emit_placed(e, access, m->groups.depth[0], depth);
	access = emit_placed(e, access, is_b ? m->column : m->row, in_block(e, is_b ? "km_j" : "km_i", half, is_b ? "km_across" : "km_down"));
	p = emit_address(e, access);
	bool fits = take(e, &p, "km_fine", 1, &fine) && take(e, &p, "km_down", 0, &down) && (!is_b || take(e, &p, "km_across", 2, &across));
	if (fits) {
		*start = emit_text(e, "%s + %s", emit_base(e, access), emit_polynomial(e, &p));
		*row = emit_polynomial(e, &down);
	}
	e->known_count = known;
	return fits;
}

/* Buffers of others end where they end: only tiles and temporaries are padded. */
static bool is_own_bf16(struct emitter *e, const struct expr *access)
{
	const struct expr *x = emit_through_view(e, access);
	const struct tile_buffer *b = emit_buffer(e, x->name);
	enum dtype dtype;

	return (!b || b->role == PLAN_TMP) && emit_dtype(e, x->name, &dtype) && dtype == DTYPE_bf16;
}

static bool fits(struct emitter *e, const struct emit_mma *m)
{
	const struct tile_index *k = &e->kernel->index[m->groups.depth[0]];
	const char *start, *row;

	if (!(e->target->isa & ISA_BIT(amx_bf16)) || m->groups.depth_count != 1 || !is_own_bf16(e, m->groups.a) ||
	    !is_own_bf16(e, m->groups.b) || k->extent % STEP || (k->live && !emit_is_multiple(e, k->live, STEP)))
		return false;
	return operand_tile(e, m, false, 0, &start, &row) && operand_tile(e, m, true, 0, &start, &row);
}

/* Where tile q (0..3) of the accumulators lies, and the bytes from row to row. */
static const char *accumulator(struct emitter *e, const struct emit_mma *m, int q, const char **stride)
{
	const struct tile *acc = &e->kernel->tile[m->stmt->target];
	struct expr *at[8];
	struct polynomial p, across, down;
	int known = e->known_count;
	int64_t step = 0;

	if (m->epilogue) {
		*stride = emit_text(e, "%d", BLOCK * 4);
		return emit_text(e, "km_block + %d", q / 2 * TILE * BLOCK + q % 2 * TILE);
	}
	emit_know(e, "km_down", TILE - 1);
	emit_know(e, "km_across", TILE - 1);
	for (size_t i = 0; i < acc->rank && i < 8; i++) {
		int x = acc->index[i];
		at[i] = x == m->row ? in_block(e, "km_i", q / 2, "km_down") : x == m->column ? in_block(e, "km_j", q % 2, "km_across")
											      : expr_name(&e->arena, e->kernel->index[x].name);
	}
	p = emit_address(e, expr_access(&e->arena, acc->name, at, acc->rank));
	if (!take(e, &p, "km_across", 1, &across) || !take(e, &p, "km_down", 0, &down) || !polynomial_is_int(&down, &step))
		emit_fail(e, "the accumulator '%s' has no rows for AMX", acc->name);
	e->known_count = known;
	*stride = emit_text(e, "%lld", (long long)step * 4);
	return emit_text(e, "t_%s + %s", acc->name, emit_polynomial(e, &p));
}

static void emit_block(struct emitter *e, const struct emit_mma *m)
{
	const char *start, *row, *stride;

	for (int q = 0; q < 4; q++) {
		const char *at = accumulator(e, m, q, &stride);
		if (m->epilogue)
			emit_line(e, "__builtin_ia32_tilezero(%d);", q);
		else
			emit_line(e, "__builtin_ia32_tileloadd64(%d, %s, %s);", q, at, stride);
	}
	emit_open(e, "for (long km_k = 0; km_k < km_steps; km_k++)");
	for (int t = 4; t < 8; t++) {
		if (!operand_tile(e, m, t >= 6, t % 2, &start, &row))
			emit_fail(e, "an operand of mma has no AMX layout");
		else
			emit_line(e, "__builtin_ia32_tileloadd64(%d, %s, 2 * (%s));", t, start, row);
	}
	for (int q = 0; q < 4; q++)
		emit_line(e, "__builtin_ia32_tdpbf16ps(%d, %d, %d);", q, 4 + q / 2, 6 + q % 2);
	emit_close(e, 1);
	if (m->epilogue)
		emit_line(e, "float km_block[%d] __attribute__((aligned(64)));", BLOCK * BLOCK);
	for (int q = 0; q < 4; q++) {
		const char *at = accumulator(e, m, q, &stride);
		emit_line(e, "__builtin_ia32_tilestored64(%d, %s, %s);", q, at, stride);
	}
	if (m->epilogue)
		emit_epilogue(e, m, BLOCK, BLOCK);
}

static void emit(struct emitter *e, const struct emit_mma *m)
{
	const struct tile_index *index = e->kernel->index;

	if (!m->epilogue && (index[m->row].extent % BLOCK || index[m->column].extent % BLOCK)) {
		emit_fail(e, "AMX wants an accumulator tile of multiples of %d", BLOCK);
		return;
	}
	e->uses_tiles = true;
	int opened = emit_open_outer(e, m);
	emit_line(e, "const long km_steps = (%s) / %d;", emit_count(e, m->groups.depth[0]), STEP);
	emit_open(e, "for (long km_j = 0; km_j * %d < km_columns; km_j++)", BLOCK);
	emit_open(e, "for (long km_i = 0; km_i * %d < km_rows; km_i++)", BLOCK);
	emit_block(e, m);
	emit_close(e, 2);
	emit_close_outer(e, m, opened);
}

static void prologue(const struct target *target, struct strbuf *out)
{
	if (!(target->isa & ISA_BIT(amx_bf16)))
		return;
	strbuf_addstr(out, "/* Eight AMX tiles of 16 rows of 64 bytes. */\n"
			   "static const struct { unsigned char palette, start, none[14]; unsigned short bytes[16]; unsigned char rows[16]; } km_tiles\n"
			   "\t__attribute__((aligned(64), unused)) = { 1, 0, {0}, {64,64,64,64,64,64,64,64}, {16,16,16,16,16,16,16,16} };\n");
}

const struct micro_kernel micro_amx_bf16 = {
	.name = "amx_bf16",
	.fits = fits,
	.emit = emit,
	.prologue = prologue,
};
