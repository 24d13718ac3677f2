/* Scans of printed SIMT code: running sums and products of a row that a block's threads hold. */
#include "generate/simt_print.h"

/* The register digits of an index beside its chunk: loops km_r<i>.  Returns how many there are, *all their points. */
static int outer_digits(const struct spread *p, int index, int *digit, int64_t *all)
{
	int count = 0;

	*all = 1;
	for (int i = 0; i + 1 < p->reg_count; i++)
		if (p->reg[i].var == index && p->reg[i].extent > 1) {
			digit[count++] = i;
			*all *= p->reg[i].extent;
		}
	return count;
}

int64_t simt_scanned_blocks(struct simt *s, const struct tile_stmt *stmt, size_t count)
{
	int64_t most = 0;
	enum expr_op of;

	for (size_t i = 0; i < count; i++) {
		int digit[SIMT_MAX_DIGITS];
		int64_t blocks = 0;
		if (stmt[i].kind == TILE_FOR)
			blocks = simt_scanned_blocks(s, stmt[i].body, stmt[i].body_count);
		else if (stmt[i].value && expr_is_scan(stmt[i].value, &of))
			outer_digits(&s->block, s->block.column, digit, &blocks);
		most = blocks > most ? blocks : most;
	}
	return most;
}

static void open_digit(struct simt *s, int digit)
{
	simt_line(s, "KM_UNROLL");
	simt_open(s, "for (int km_r%d = 0; km_r%d < %lld; km_r%d++)", digit, digit, (long long)s->spread->reg[digit].extent, digit);
}

static void open_chunk(struct simt *s, bool is_back)
{
	simt_line(s, "KM_UNROLL");
	simt_open(s, is_back ? "for (int km_v = %d; km_v-- > 0;)" : "for (int km_v = 0; km_v < %d; km_v++)", s->spread->chunk);
}

void simt_scan(struct simt *s, const struct tile_stmt *stmt)
{
	const struct expr *x = stmt->value, *from = x->arg[0];
	const struct tile *to = &s->kernel->tile[stmt->target], *source = from->kind == EXPR_ACCESS ? simt_tile(s, from->name) : NULL;
	const struct spread *p = s->spread = &s->block;
	int index = simt_reduced_index(s, x), row = -1, digit[SIMT_MAX_DIGITS], rows = 0;
	int64_t blocks;
	enum expr_op of;

	expr_is_scan(x, &of);
	bool are_tiles = stmt->kind == TILE_MAP && to->place == PLACE_REG && source && source->place == PLACE_REG && source->dtype == to->dtype && source->rank == to->rank;
	for (size_t i = 0; are_tiles && i < to->rank; i++) {
		are_tiles = source->index[i] == to->index[i];
		row = to->index[i] == index ? row : to->index[i];
	}
	if (s->failed || !are_tiles || index != p->column || p->thread[p->thread_count - 1].var != index) {
		simt_fail(s, "a scan is printed for SIMT of one tile in registers into another, along the threads' index");
		return;
	}
	const char *type = simt_type_for(s, to->dtype), *op = of == OP_PROD ? "km_product" : "km_sum";
	int outer = outer_digits(p, index, digit, &blocks);
	if (outer > 1) {
		simt_fail(s, "a scan over several digits of registers is not printed");
		return;
	}
	simt_block(s);
	for (int i = 0; row >= 0 && i < p->reg_count; i++)
		if (p->reg[i].var == row && p->reg[i].extent > 1) {
			open_digit(s, i);
			rows++;
		}
	simt_line(s, "%s km_before[%lld];", type, (long long)blocks);
	const char *block = outer ? arena_printf(&s->arena, "km_r%d", digit[0]) : "0";
	if (outer)
		open_digit(s, digit[0]);
	else
		simt_block(s);
	simt_line(s, "%s km_sum_ = %d;", type, of == OP_PROD);
	open_chunk(s, x->op == OP_SCAN_BACK);
	simt_line(s, "km_sum_ = %s::of(km_sum_, t_%s%s);", op, source->name, simt_register(s, source));
	simt_line(s, "t_%s%s = km_sum_;", to->name, simt_register(s, to));
	simt_close(s, 1);
	simt_line(s, "km_before[%s] = km_sum_;", block);
	simt_close(s, 1);
	if (simt_blocks(s) > 1)
		simt_fail(s, "a scan over a cluster is not printed");
	simt_line(s, "km_scan_across<%s, %s, %lld, %lld, %d>(km_before, (%s)%d, %s);", op, x->op == OP_SCAN_BACK ? "true" : "false", (long long)blocks, (long long)p->thread[p->thread_count - 1].extent, s->kernel->threads, type,
		  of == OP_PROD, p->thread[p->thread_count - 1].extent > s->target->warp ? "km_red" : "0");
	if (outer)
		open_digit(s, digit[0]);
	else
		simt_block(s);
	open_chunk(s, false);
	simt_line(s, "t_%s%s = %s::of(km_before[%s], t_%s%s);", to->name, simt_register(s, to), op, block, to->name, simt_register(s, to));
	simt_close(s, 2 + rows + 1);
}
