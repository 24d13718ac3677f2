/* Contractions of printed SIMT code: by fma, or by an mma record of the target. */
#include "generate/simt_print.h"

#include <string.h>

static const char *const mma_names[] = { "i", "j", "k" };

/* Digits of a record, over kernel indices map[0..2]; moduli made explicit.  Returns how many. */
static int record_digits(struct simt *s, const char *text, const int map[3], struct digit *out)
{
	const int64_t extent[] = { s->instr->m, s->instr->n, s->instr->k };
	struct layout layout;

	if (layout_parse(&s->arena, text, mma_names, extent, 3, &layout, s->err)) {
		s->failed = true;
		return 0;
	}
	for (size_t i = 0; i < layout.count; i++) {
		out[i] = layout.digit[i];
		out[i].var = map[out[i].var];
		out[i].mod = out[i].extent;
	}
	return (int)layout.count;
}

struct groups {
	int row, column, depth;
	const struct tile *a, *b;
};

static bool plain_groups(struct simt *s, const struct tile_stmt *stmt, struct groups *g)
{
	struct mma_groups m;
	struct strbuf why = STRBUF_INIT;
	bool is_plain = false;

	if (!tile_mma_groups(s->kernel, stmt, &m, &why)) {
		simt_fail(s, "%s", why.buf);
		goto out;
	}
	if (m.row_count != 1 || m.column_count != 1 || m.depth_count != 1) {
		simt_fail(s, "a contraction over groups of indices is not printed for SIMT yet");
		goto out;
	}
	*g = (struct groups){ m.row[0], m.column[0], m.depth[0], simt_tile(s, m.a->name), simt_tile(s, m.b->name) };
	const struct expr *operand[] = { m.a, m.b };
	const struct tile *tile[] = { g->a, g->b };
	for (int o = 0; o < 2; o++) {
		if (!tile[o] || tile[o]->place != PLACE_SHARED || tile[o]->rank != 2) {
			simt_fail(s, "operand '%s' of mma is no shared tile of two indices", operand[o]->name);
			goto out;
		}
		for (size_t i = 0; i < 2; i++)
			if (operand[o]->arg[i]->kind != EXPR_NAME || strcmp(operand[o]->arg[i]->name, s->kernel->index[tile[o]->index[i]].name)) {
				simt_fail(s, "operand '%s' of mma is read at other than its own indices: a window is not printed for SIMT yet", operand[o]->name);
				goto out;
			}
	}
	is_plain = true;
out:
	strbuf_release(&why);
	return is_plain;
}

/* A fma accumulator: rows of a thread lie together, its columns in chunks of up to four. */
static void fma_spread(struct simt *s, const struct groups *g)
{
	int64_t rows = s->kernel->index[g->row].extent, columns = s->kernel->index[g->column].extent;
	int64_t tm = tile_knob_int(s->kernel, "TM", 4), tn = tile_knob_int(s->kernel, "TN", 4), chunk = tn % 4 ? tn : 4;
	struct spread *p = &s->acc;

	if (tm < 1 || tn < 1 || rows % tm || columns % tn || rows / tm * (columns / tn) != s->kernel->threads) {
		simt_fail(s, "TM %lld and TN %lld do not spread %lld x %lld over %d threads", (long long)tm, (long long)tn, (long long)rows,
			  (long long)columns, s->kernel->threads);
		return;
	}
	int64_t across = columns / tn;
	*p = (struct spread){ .column = g->column, .chunk = (int)chunk, .thread_count = 2, .reg_count = 3 };
	p->thread[0] = (struct digit){ .var = g->row, .div = tm, .mod = rows / tm, .extent = rows / tm };
	p->thread[1] = (struct digit){ .var = g->column, .div = chunk, .mod = across, .extent = across };
	p->reg[0] = (struct digit){ .var = g->row, .div = 1, .mod = tm, .extent = tm };
	p->reg[1] = (struct digit){ .var = g->column, .div = chunk * across, .mod = tn / chunk, .extent = tn / chunk };
	p->reg[2] = (struct digit){ .var = g->column, .div = 1, .mod = chunk, .extent = chunk };
}

/* An accumulator of an instruction: warps, repeats, then the record's own digits. */
static void record_spread(struct simt *s, const struct groups *g)
{
	const struct mma_instr *q = s->instr;
	int64_t rows = s->kernel->index[g->row].extent, columns = s->kernel->index[g->column].extent;
	int64_t wm = tile_knob_int(s->kernel, "WM", q->m), wn = tile_knob_int(s->kernel, "WN", q->n);
	const int map[] = { g->row, g->column, g->depth };
	struct spread *p = &s->acc;

	if (wm < q->m || wn < q->n || wm % q->m || wn % q->n || rows % wm || columns % wn || s->kernel->index[g->depth].extent % q->k) {
		simt_fail(s, "WM %lld and WN %lld of '%s' do not divide the tile", (long long)wm, (long long)wn, q->name);
		return;
	}
	if (rows / wm * (columns / wn) * q->lanes != s->kernel->threads) {
		simt_fail(s, "WM %lld and WN %lld take %lld threads, not %d", (long long)wm, (long long)wn,
			  (long long)(rows / wm * (columns / wn) * q->lanes), s->kernel->threads);
		return;
	}
	if (g->a->dtype != q->ab || g->b->dtype != q->ab) {
		simt_fail(s, "'%s' wants operands of %s", q->name, dtype_name(q->ab));
		return;
	}
	/* Accumulators of a warp lie in vectors, those of a warp group, too many for one, number by number. */
	*p = (struct spread){ .column = -1, .chunk = 1, .outer_count = q->a_lane ? 2 : 0 };
	p->thread[0] = (struct digit){ .var = g->row, .div = wm, .mod = rows / wm, .extent = rows / wm };
	p->thread[1] = (struct digit){ .var = g->column, .div = wn, .mod = columns / wn, .extent = columns / wn };
	p->thread_count = 2 + record_digits(s, q->c_lane, map, p->thread + 2);
	p->reg[0] = (struct digit){ .var = g->row, .div = q->m, .mod = wm / q->m, .extent = wm / q->m };
	p->reg[1] = (struct digit){ .var = g->column, .div = q->n, .mod = wn / q->n, .extent = wn / q->n };
	p->reg_count = 2 + record_digits(s, q->c_reg, map, p->reg + 2);
	const struct digit *last = &p->reg[p->reg_count - 1];
	if (last->var == g->column && last->div == 1) {
		p->column = g->column;
		p->chunk = (int)last->extent;
	}
}

bool simt_accumulator_spread(struct simt *s, const struct tile_stmt *mma)
{
	const char *name = tile_knob(s->kernel, "INSTR", "fma");
	struct groups g;

	if (!plain_groups(s, mma, &g))
		return false;
	for (const struct mma_instr *q = s->target->mma; q && q->name; q++)
		if (!strcmp(q->name, name))
			s->instr = q;
	if (!s->instr && strcmp(name, "fma"))
		simt_fail(s, "target '%s' has no instruction '%s'", s->target->name, name);
	else if (s->instr && s->kernel->tile[mma->target].dtype != DTYPE_f32)
		simt_fail(s, "'%s' adds in f32, not in %s", name, dtype_name(s->kernel->tile[mma->target].dtype));
	else if (s->instr)
		record_spread(s, &g);
	else
		fma_spread(s, &g);
	return !s->failed;
}

/* Value of `index` in the digits of a lane, for loops of the contraction. */
static const char *lane_text(struct simt *s, const struct digit *digit, int count, int index)
{
	struct strbuf text = STRBUF_INIT;
	int64_t stride = 1;

	for (int i = count - 1; i >= 0; i--) {
		if (digit[i].var == index && digit[i].extent > 1)
			strbuf_addf(&text, "%skm_tid / %lld %% %lld * %lld", text.len ? " + " : "", (long long)stride, (long long)digit[i].extent, (long long)digit[i].div);
		stride *= digit[i].extent;
	}
	const char *kept = text.len ? arena_strdup(&s->arena, text.buf) : "0";
	strbuf_release(&text);
	return kept;
}

/*
 * Loads a thread's part of an operand, km_<name>[repeat][register]: `own` is the row or
 * column index, its position in km_row or km_column; digit[0] numbers the repeats.
 */
static void read_fragment(struct simt *s, const char *name, const struct tile *t, int own, const char *own_name, const struct digit *digit, int count)
{
	const struct digit *last = &digit[count - 1];
	int64_t repeats = digit[0].extent, registers = 1, bytes = (int64_t)dtype_bytes(t->dtype);

	for (int i = 1; i < count; i++)
		registers *= digit[i].extent;
	simt_line(s, "km_%s km_%s[%lld][%lld];", dtype_name(t->dtype), name, (long long)repeats, (long long)registers);
	simt_line(s, "KM_UNROLL");
	simt_open(s, "for (int km_f = 0; km_f < %lld; km_f++)", (long long)repeats);
	for (int64_t at = 0; at < registers; at += last->extent) {
		int64_t own_at = 0, depth_at = 0, rest = at / last->extent;
		for (int i = count - 2; i > 0; i--) {
			int64_t v = rest % digit[i].extent * digit[i].div;
			rest /= digit[i].extent;
			*(digit[i].var == own ? &own_at : &depth_at) += v;
		}
		int64_t aligned = simt_run_alignment(&t->layout, simt_tile_position(t, last->var), last->div == 1 ? last->extent : 1);
		bool is_run = aligned && last->div == 1;
		struct expr *index[2];
		for (size_t i = 0; i < 2; i++) {
			bool is_own = t->index[i] == own;
			const char *text = is_own ? arena_printf(&s->arena, "%s + km_f * %lld + %lld", own_name, (long long)digit[0].div, (long long)own_at)
						  : arena_printf(&s->arena, "km_depth + %lld", (long long)depth_at);
			if (!is_run && t->index[i] == last->var)
				text = arena_printf(&s->arena, "%s + km_w * %lld", text, (long long)last->div);
			struct strbuf err = STRBUF_INIT;
			if (expr_parse(&s->arena, text, "fragment", EXPR_TILE, &index[i], &err))
				simt_fail(s, "%s", err.buf);
			strbuf_release(&err);
			if (s->failed)
				return;
			index[i] = expr_simplify(&s->arena, index[i]);
		}
		const char *from = simt_int_text(s, expr_simplify(&s->arena, layout_encode_expr(&s->arena, &t->layout, index)));
		const char *slot = simt_slot_offset(s, t, s->slot[t - s->kernel->tile]);
		if (is_run) {
			simt_line(s, "km_read<%lld, %lld>(km_%s[km_f] + %lld, t_%s%s + %s);", (long long)(aligned * bytes), (long long)last->extent, name,
				  (long long)at, t->name, slot, from);
			continue;
		}
		simt_line(s, "KM_UNROLL");
		simt_line(s, "for (int km_w = 0; km_w < %lld; km_w++) km_%s[km_f][%lld + km_w] = (t_%s%s)[%s];", (long long)last->extent, name,
			  (long long)at, t->name, slot, from);
	}
	simt_close(s, 1);
}

static void open_depth(struct simt *s, const struct groups *g, int64_t step, const char *lane)
{
	int64_t unroll = tile_knob_int(s->kernel, "KU", 1);

	simt_line(s, "_Pragma(\"unroll %lld\")", (long long)unroll);
	simt_open(s, "for (int km_k = 0; km_k < %lld; km_k += %lld)", (long long)s->kernel->index[g->depth].extent, (long long)step);
	simt_line(s, "const int km_depth = km_k%s%s;", strcmp(lane, "0") ? " + " : "", strcmp(lane, "0") ? lane : "");
}

static void contract_fma(struct simt *s, const struct groups *g, const struct tile_stmt *stmt)
{
	const struct spread *p = &s->acc;
	int64_t tm = p->reg[0].extent, outer = p->reg[1].extent, chunk = p->reg[2].extent, tn = outer * chunk;
	const char *acc = s->kernel->tile[stmt->target].name;
	const struct digit a[] = { { .var = g->row, .div = 1, .extent = 1 }, p->reg[0] }, b[] = { p->reg[1], p->reg[2] };

	simt_line(s, "const int km_row = %s, km_column = %s;", lane_text(s, p->thread, p->thread_count, g->row),
		  lane_text(s, p->thread, p->thread_count, g->column));
	open_depth(s, g, 1, "0");
	read_fragment(s, "a", g->a, g->row, "km_row", a, 2);
	read_fragment(s, "b", g->b, g->column, "km_column", b, 2);
	simt_line(s, "KM_UNROLL");
	simt_open(s, "for (int km_f = 0; km_f < %lld; km_f++)", (long long)tm);
	simt_line(s, "KM_UNROLL");
	simt_line(s, "for (int km_g = 0; km_g < %lld; km_g++) t_%s[km_f * %lld + km_g] = km_fma(km_value(km_a[0][km_f]), km_value(km_b[km_g / %lld][km_g %% %lld]), t_%s[km_f * %lld + km_g]);",
		  (long long)tn, acc, (long long)tn, (long long)chunk, (long long)chunk, acc, (long long)tn);
	simt_close(s, 2);
}

static void contract_record(struct simt *s, const struct groups *g, const struct tile_stmt *stmt)
{
	const struct mma_instr *q = s->instr;
	const struct spread *p = &s->acc;
	const int map[] = { g->row, g->column, g->depth };
	struct digit a[SIMT_MAX_DIGITS], b[SIMT_MAX_DIGITS], a_lane[SIMT_MAX_DIGITS], b_lane[SIMT_MAX_DIGITS];
	int64_t rm = p->reg[0].extent, rn = p->reg[1].extent;
	const char *acc = s->kernel->tile[stmt->target].name;

	a[0] = p->reg[0];
	b[0] = p->reg[1];
	int a_count = 1 + record_digits(s, q->a_reg, map, a + 1), b_count = 1 + record_digits(s, q->b_reg, map, b + 1);
	int a_lanes = record_digits(s, q->a_lane, map, a_lane), b_lanes = record_digits(s, q->b_lane, map, b_lane);
	const char *depth = lane_text(s, a_lane, a_lanes, g->depth), *depth_b = lane_text(s, b_lane, b_lanes, g->depth);
	if (s->failed)
		return;
	if (strcmp(depth, depth_b)) {
		simt_fail(s, "'%s': both operands must have the same lanes along the depth", q->name);
		return;
	}
	/* The warp's part by the accumulator's first two digits, the lane's by the record. */
	struct digit warp[2] = { p->thread[0], p->thread[1] };
	int64_t columns = warp[1].extent;
	simt_line(s, "const int km_row = km_tid / %lld * %lld + %s, km_column = km_tid / %d %% %lld * %lld + %s;", (long long)(q->lanes * columns),
		  (long long)warp[0].div, lane_text(s, a_lane, a_lanes, g->row), q->lanes, (long long)columns, (long long)warp[1].div,
		  lane_text(s, b_lane, b_lanes, g->column));
	open_depth(s, g, q->k, depth);
	read_fragment(s, "a", g->a, g->row, "km_row", a, a_count);
	read_fragment(s, "b", g->b, g->column, "km_column", b, b_count);
	simt_line(s, "KM_UNROLL");
	simt_open(s, "for (int km_f = 0; km_f < %lld; km_f++)", (long long)rm);
	simt_line(s, "KM_UNROLL");
	simt_line(s, "for (int km_g = 0; km_g < %lld; km_g++) km_%s(t_%s[km_f * %lld + km_g], km_a[km_f], km_b[km_g]);", (long long)rn, q->name, acc, (long long)rn);
	simt_close(s, 2);
}

void simt_contract(struct simt *s, const struct tile_stmt *stmt)
{
	struct groups g;

	if (!plain_groups(s, stmt, &g))
		return;
	if (s->kernel->tile[stmt->target].place != PLACE_ACC || g.row != s->acc.reg[0].var || g.column != s->acc.thread[1].var) {
		simt_fail(s, "an mma adds to the one accumulator of its kernel");
		return;
	}
	simt_block(s);
	if (s->instr)
		contract_record(s, &g, stmt);
	else
		contract_fma(s, &g, stmt);
	simt_close(s, 1);
}
