/* What statements of printed SIMT code touch, and which thread holds what. */
#include "generate/simt_print.h"

/* ---- what a statement touches ---------------------------------------- */

bool simt_touches(const struct tile_kernel *k, const struct tile_stmt *stmt, const struct tile *t)
{
	bool writes = (stmt->kind == TILE_MAP || stmt->kind == TILE_STAGE || stmt->kind == TILE_MMA) && &k->tile[stmt->target] == t;

	return writes || (stmt->value && expr_uses(stmt->value, t->name));
}

bool simt_touches_accumulator(const struct tile_kernel *k, const struct tile_stmt *stmt)
{
	for (size_t i = 0; i < k->tile_count; i++)
		if (k->tile[i].place == PLACE_ACC && simt_touches(k, stmt, &k->tile[i]))
			return true;
	return false;
}

/* Indices in the statement's target. */
uint32_t simt_free_indices(const struct tile_kernel *k, const struct tile_stmt *stmt)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < k->index_count; i++)
		for (size_t a = 0; a < stmt->at_count; a++)
			if (expr_uses(stmt->at[a], k->index[i].name))
				mask |= UINT32_C(1) << i;
	return mask;
}

void simt_collect_reductions(struct simt *s, const struct expr *x)
{
	if (x->kind == EXPR_REDUCE) {
		if (s->reduce_count < (int)ARRAY_SIZE(s->reduce))
			s->reduce[s->reduce_count++] = x;
		else
			simt_fail(s, "too many reductions in one statement");
		return;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		simt_collect_reductions(s, x->arg[i]);
}

/* The tile index a reduction runs over, or -1 after simt_fail(). */
int simt_reduced_index(struct simt *s, const struct expr *r)
{
	enum expr_op of;

	if (r->op > OP_MIN && !expr_is_scan(r, &of))
		simt_fail(s, "'%s' is not printed for SIMT yet", expr_op_text(r->op));
	else if (r->range_count != 1 || r->range[0].hi || r->filter)
		simt_fail(s, "a reduction with bounds or a condition of its own is not printed for SIMT yet");
	else if (tile_index_find(s->kernel, r->range[0].name) < 0)
		simt_fail(s, "a reduction runs over a tile index, not '%s'", r->range[0].name);
	return s->failed ? -1 : tile_index_find(s->kernel, r->range[0].name);
}

/* ---- which thread holds what ----------------------------------------- */

static bool is_power_of_two(int64_t x)
{
	return x > 0 && !(x & (x - 1));
}

/* Indices of all statements that run over the block spread; the reduced one, or the last, in *column. */
static uint32_t block_indices(struct simt *s, const struct tile_stmt *stmt, size_t count, int *column)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < count && !s->failed; i++) {
		if (stmt[i].kind == TILE_FOR) {
			mask |= block_indices(s, stmt[i].body, stmt[i].body_count, column);
			continue;
		}
		if (stmt[i].kind == TILE_STAGE || stmt[i].kind == TILE_MMA || stmt[i].kind == TILE_BARRIER || simt_touches_accumulator(s->kernel, &stmt[i]))
			continue;
		mask |= simt_free_indices(s->kernel, &stmt[i]);
		s->reduce_count = 0;
		simt_collect_reductions(s, stmt[i].value);
		for (int r = 0; r < s->reduce_count && !s->failed; r++) {
			int index = simt_reduced_index(s, s->reduce[r]);
			if (*column >= 0 && *column != index)
				simt_fail(s, "reductions over two indices are not printed for SIMT yet");
			*column = index;
			mask |= UINT32_C(1) << (index < 0 ? 0 : index);
		}
		s->reduce_count = 0;
	}
	return mask;
}

/* Widest chunk that 16 bytes of the narrowest buffer hold, at most 8, and that leaves no thread idle. */
static int64_t fitting_chunk(struct simt *s, int64_t columns, int64_t points)
{
	int64_t chunk = 4;

	for (size_t i = 0; i < s->program->buffer_count; i++)
		if (dtype_bytes(s->program->buffer[i].dtype) < 4)
			chunk = 8;
	chunk = tile_knob_int(s->kernel, "VEC", chunk);
	while (chunk > 1 && (columns % chunk || chunk * simt_threads(s) > points))
		chunk /= 2;
	return chunk;
}

void simt_block_spread(struct simt *s)
{
	int reduced = -1, threads = simt_threads(s);
	uint32_t mask = block_indices(s, s->kernel->stmt, s->kernel->stmt_count, &reduced);
	struct spread *p = &s->block;
	int row = -1, column = reduced;

	*p = (struct spread){ .column = -1, .chunk = 1 };
	for (int i = (int)s->kernel->index_count - 1; i >= 0 && column < 0; i--)
		if (mask >> i & 1)
			column = i;
	if (s->failed || column < 0)
		return;
	for (int i = 0; i < (int)s->kernel->index_count; i++) {
		if (!(mask >> i & 1) || i == column)
			continue;
		if (row >= 0)
			simt_fail(s, "statements over more than two tile indices are not printed for SIMT yet");
		row = i;
	}
	int64_t rows = row < 0 ? 1 : s->kernel->index[row].extent, columns = s->kernel->index[column].extent;
	int64_t chunk = fitting_chunk(s, columns, rows * columns);
	int64_t across = columns / chunk < threads ? columns / chunk : threads, down = threads / across;
	if (simt_blocks(s) > 1 && (across < threads || rows > 1))
		simt_fail(s, "a cluster's threads share one row, of no fewer chunks");
	if (!is_power_of_two(threads) || !is_power_of_two(across))
		simt_fail(s, "threads and columns must be powers of two");
	p->column = column;
	p->chunk = (int)chunk;
	if (row >= 0 && down > 1)
		p->thread[p->thread_count++] = (struct digit){ .var = row, .div = 1, .mod = down, .extent = down };
	else
		down = 1;
	p->thread[p->thread_count++] = (struct digit){ .var = column, .div = chunk, .mod = across, .extent = across };
	if (row >= 0)
		p->reg[p->reg_count++] = (struct digit){ .var = row, .div = down, .extent = (rows + down - 1) / down };
	p->reg[p->reg_count++] = (struct digit){ .var = column, .div = chunk * across, .extent = (columns + chunk * across - 1) / (chunk * across) };
	p->reg[p->reg_count++] = (struct digit){ .var = column, .div = 1, .mod = chunk, .extent = chunk };
}

/* Points of an index that the digits can hold. */
int64_t simt_capacity(const struct spread *p, int index)
{
	int64_t n = 1;

	for (int i = 0; i < p->thread_count; i++)
		n *= p->thread[i].var == index ? p->thread[i].extent : 1;
	for (int i = 0; i < p->reg_count; i++)
		n *= p->reg[i].var == index ? p->reg[i].extent : 1;
	return n;
}
