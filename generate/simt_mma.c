/* Copies into shared memory and contractions of printed SIMT code. */
#include "generate/simt_print.h"

#include <string.h>

static int64_t gcd(int64_t a, int64_t b)
{
	return b ? gcd(b, a % b) : a;
}

/*
 * Do n aligned neighbours along `var` lie next to each other?  Then the elements
 * their address is a multiple of, at most n; else 0.
 */
static int64_t run_alignment(const struct layout *layout, int var, int64_t n)
{
	const struct digit *last = layout->count ? &layout->digit[layout->count - 1] : NULL;
	int64_t aligned = n, stride = last ? last->extent : 1;

	if (!last || last->var != var || last->div != 1 || last->xor_var >= 0 || (last->mod && last->mod % n))
		return n == 1;
	for (size_t i = layout->count - 1; i-- > 0;) {
		const struct digit *d = &layout->digit[i];
		if (d->xor_var == var && d->xor_div % n)
			return 0;
		aligned = gcd(aligned, stride);
		stride *= d->extent;
	}
	return aligned;
}

static int tile_position(const struct tile *t, int index)
{
	for (size_t i = 0; i < t->rank; i++)
		if (t->index[i] == index)
			return (int)i;
	return -1;
}

static const char *slot_offset(struct simt *s, const struct tile *t, const char *slot)
{
	int64_t step = round_up(t->layout.elems * (int64_t)dtype_bytes(t->dtype), 16) / (int64_t)dtype_bytes(t->dtype);

	return slot ? arena_printf(&s->arena, " + %s * %lld", slot, (long long)step) : "";
}

/* ---- copies ---------------------------------------------------------- */

/*
 * A thread copies blocks of `across` neighbours along index v (read together) by `down`
 * neighbours along index u (written together).
 */
struct copy {
	const struct tile *tile;
	const struct tile_buffer *buffer;
	int v, u;             /* kernel indices; u: -1 when blocks are rows */
	int64_t across, down; /* of a block */
	int64_t blocks, trips;
	bool writes_rows;     /* the neighbours along v are written together */
};

/* Halves the block until every thread has one. */
static void shrink(struct copy *c, int64_t points, int threads)
{
	while (c->across > 1 && points / (c->across * c->down) < threads)
		c->across /= 2;
}

static bool plan_copy(struct simt *s, const struct tile_stmt *stage, struct copy *c)
{
	const struct tile *t = &s->kernel->tile[stage->target];
	const struct expr *from = stage->value;
	const struct expr *otherwise = from->otherwise;
	const char *lanes;
	int64_t points = 1;

	*c = (struct copy){ .tile = t, .buffer = simt_buffer(s, from->name), .v = -1, .u = -1, .across = 1, .down = 1 };
	if (!c->buffer || t->place != PLACE_SHARED || (c->buffer->dtype != DTYPE_f32 && c->buffer->dtype != DTYPE_bf16)) {
		simt_fail(s, "a copy goes from an f32 or bf16 buffer to a shared tile");
		return false;
	}
	if (simt_reads_index(from)) {
		simt_fail(s, "a copy from where another buffer says is not printed for SIMT yet");
		return false;
	}
	if (otherwise && !((otherwise->kind == EXPR_INT && !otherwise->int_value) || (otherwise->kind == EXPR_REAL && otherwise->real_value == 0))) {
		simt_fail(s, "a copy with an 'else' other than 0 is not printed for SIMT");
		return false;
	}
	for (size_t i = 0; i < t->rank; i++) {
		points *= s->kernel->index[t->index[i]].extent;
		if (simt_is_chunk(s, from, t->index[i], "1", &lanes))
			c->v = t->index[i];
	}
	if (c->v >= 0) {
		const struct digit *last = &t->layout.digit[t->layout.count - 1];
		int64_t extent = s->kernel->index[c->v].extent;
		c->across = gcd(16 / (int64_t)dtype_bytes(c->buffer->dtype), extent);
		shrink(c, points, s->kernel->threads);
		c->writes_rows = c->across > 1 && run_alignment(&t->layout, tile_position(t, c->v), c->across) > 0;
		if (!c->writes_rows && t->index[last->var] != c->v) {
			c->u = t->index[last->var];
			extent = s->kernel->index[c->u].extent;
			c->down = gcd(16 / (int64_t)dtype_bytes(t->dtype), last->mod ? gcd(last->mod, extent) : extent);
			while (c->down > 1 && (!run_alignment(&t->layout, last->var, c->down) || points / c->down < s->kernel->threads))
				c->down /= 2;
			shrink(c, points, s->kernel->threads);
			if (c->down == 1)
				c->u = -1;
		}
	}
	c->blocks = points / (c->across * c->down);
	c->trips = (c->blocks + s->kernel->threads - 1) / s->kernel->threads;
	if (c->trips * c->across * c->down > 256)
		simt_fail(s, "copying tile '%s' takes %lld registers of a thread", t->name, (long long)(c->trips * c->across * c->down));
	return !s->failed;
}

void simt_declare_copy(struct simt *s, const struct tile_stmt *stage, int number)
{
	struct copy c;

	if (plan_copy(s, stage, &c))
		simt_line(s, "km_%s km_c%d[%lld][%lld];", dtype_name(c.buffer->dtype), number, (long long)(c.trips * c.down), (long long)c.across);
}

/* Opens the loop over a thread's blocks and declares where each begins: <name>_0 for v and u, the name for others. */
static int open_blocks(struct simt *s, const struct copy *c)
{
	int opened = 1;
	int64_t stride = 1;
	int order[8], n = 0;

	simt_line(s, "KM_UNROLL");
	simt_open(s, "for (int km_e = 0; km_e < %lld; km_e++)", (long long)c->trips);
	simt_line(s, "const int km_b = km_tid + km_e * %d;", s->kernel->threads);
	if (c->blocks % s->kernel->threads) {
		simt_open(s, "if (km_b < %lld)", (long long)c->blocks);
		opened++;
	}
	/* Neighbouring threads read neighbouring blocks: v is fastest. */
	for (size_t i = 0; i < c->tile->rank; i++)
		if (c->tile->index[i] != c->v)
			order[n++] = c->tile->index[i];
	if (c->v >= 0)
		order[n++] = c->v;
	while (n-- > 0) {
		const struct tile_index *x = &s->kernel->index[order[n]];
		int64_t step = order[n] == c->v ? c->across : order[n] == c->u ? c->down : 1, count = x->extent / step;
		struct strbuf text = STRBUF_INIT;
		strbuf_addstr(&text, "km_b");
		if (stride > 1)
			strbuf_addf(&text, " / %lld", (long long)stride);
		if (n)
			strbuf_addf(&text, " %% %lld", (long long)count);
		if (step > 1)
			strbuf_addf(&text, " * %lld", (long long)step);
		simt_line(s, "const int %s%s = %s;", x->name, order[n] == c->v || order[n] == c->u ? "_0" : "", text.buf);
		strbuf_release(&text);
		stride *= count;
	}
	return opened;
}

void simt_fetch(struct simt *s, const struct tile_stmt *stage, int number)
{
	struct copy c;
	struct strbuf condition = STRBUF_INIT;
	const char *count, *lanes = NULL;

	if (!plan_copy(s, stage, &c))
		return;
	simt_block(s);
	for (size_t i = 0; i < c.tile->rank; i++) {
		const struct tile_index *x = &s->kernel->index[c.tile->index[i]];
		if (simt_is_cut(s, c.tile->index[i]))
			simt_line(s, "const int %s_end = (int)km_least(%lld, %s);", x->name, (long long)x->extent, simt_int_text(s, x->live));
	}
	int opened = open_blocks(s, &c);
	const char *place = "km_e";
	if (c.u >= 0) {
		const char *u = s->kernel->index[c.u].name;
		simt_line(s, "KM_UNROLL");
		simt_open(s, "for (int km_u = 0; km_u < %lld; km_u++)", (long long)c.down);
		simt_line(s, "const int %s = %s_0 + km_u;", u, u);
		place = arena_printf(&s->arena, "km_e * %lld + km_u", (long long)c.down);
		opened++;
	}
	for (size_t i = 0; i < c.tile->rank; i++) {
		const struct tile_index *x = &s->kernel->index[c.tile->index[i]];
		if (simt_is_cut(s, c.tile->index[i]) && c.tile->index[i] != c.v)
			strbuf_addf(&condition, "%s%s < %s_end", condition.len ? " && " : "", x->name, x->name);
	}
	if (c.v >= 0) {
		const struct tile_index *x = &s->kernel->index[c.v];
		count = arena_printf(&s->arena, "%lld", (long long)c.across);
		if (simt_is_cut(s, c.v))
			count = arena_printf(&s->arena, "km_clip(%s_end - %s_0, %s)", x->name, x->name, count);
		if (condition.len)
			count = arena_printf(&s->arena, "%s ? %s : 0", condition.buf, count);
		simt_line(s, "const int km_n = %s;", count);
		s->column = c.v;
		if (simt_is_chunk(s, stage->value, c.v, "km_n", &lanes))
			simt_line(s, "km_fetch<%lld>(km_c%d[%s], %s, %s);", (long long)c.across, number, place, simt_chunk_pointer(s, stage->value), lanes);
		s->column = -1;
	} else {
		const char *guard = simt_guard(s, stage->value);
		if (*guard)
			strbuf_addf(&condition, "%s%s", condition.len ? " && " : "", guard);
		const char *from = arena_printf(&s->arena, "b_%s[%s]", c.buffer->name, simt_int_text(s, simt_address(s, stage->value)));
		if (condition.len)
			simt_line(s, "km_c%d[%s][0] = %s ? %s : 0;", number, place, condition.buf, from);
		else
			simt_line(s, "km_c%d[%s][0] = %s;", number, place, from);
	}
	simt_close(s, opened + 1);
	strbuf_release(&condition);
}

/* The tile at its own indices. */
static const char *own_address(struct simt *s, const struct tile *t)
{
	struct expr *at[8];

	for (size_t i = 0; i < t->rank; i++)
		at[i] = expr_name(&s->arena, s->kernel->index[t->index[i]].name);
	return simt_int_text(s, expr_simplify(&s->arena, layout_encode_expr(&s->arena, &t->layout, at)));
}

void simt_put(struct simt *s, const struct tile_stmt *stage, int number, const char *slot)
{
	struct copy c;

	if (!plan_copy(s, stage, &c))
		return;
	const char *to = arena_printf(&s->arena, "t_%s%s + %s", c.tile->name, slot_offset(s, c.tile, slot), own_address(s, c.tile));
	int opened = open_blocks(s, &c);
	int64_t bytes = (int64_t)dtype_bytes(c.tile->dtype);
	if (c.v < 0) {
		simt_line(s, "km_put<%lld, 1>(%s, km_c%d[km_e]);", (long long)bytes, to, number);
		simt_close(s, opened);
		return;
	}
	const char *v = s->kernel->index[c.v].name;
	if (c.writes_rows || c.across == 1) {
		int64_t aligned = run_alignment(&c.tile->layout, tile_position(c.tile, c.v), c.across);
		simt_line(s, "const int %s = %s_0;", v, v);
		if (c.u < 0) {
			simt_line(s, "km_put<%lld, %lld>(%s, km_c%d[km_e]);", (long long)(aligned * bytes), (long long)c.across, to, number);
			simt_close(s, opened);
			return;
		}
	}
	/* The block turns over in registers: down neighbours along u, written together. */
	if (!c.writes_rows && c.across > 1) {
		simt_line(s, "KM_UNROLL");
		simt_open(s, "for (int km_w = 0; km_w < %lld; km_w++)", (long long)c.across);
		simt_line(s, "const int %s = %s_0 + km_w;", v, v);
		opened++;
	} else {
		simt_line(s, "const int km_w = 0;");
	}
	simt_line(s, "km_%s km_t[%lld];", dtype_name(c.buffer->dtype), (long long)c.down);
	simt_line(s, "KM_UNROLL");
	simt_line(s, "for (int km_u = 0; km_u < %lld; km_u++) km_t[km_u] = km_c%d[km_e * %lld + km_u][km_w];", (long long)c.down, number, (long long)c.down);
	int64_t aligned = 1;
	if (c.u >= 0) {
		const char *u = s->kernel->index[c.u].name;
		simt_line(s, "const int %s = %s_0;", u, u);
		aligned = run_alignment(&c.tile->layout, tile_position(c.tile, c.u), c.down);
	}
	simt_line(s, "km_put<%lld, %lld>(%s, km_t);", (long long)(aligned * bytes), (long long)c.down, to);
	simt_close(s, opened);
}

/* ---- contractions ---------------------------------------------------- */

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
	*p = (struct spread){ .column = -1, .chunk = 1, .outer_count = 2 };
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
		int64_t aligned = run_alignment(&t->layout, tile_position(t, last->var), last->div == 1 ? last->extent : 1);
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
		const char *slot = slot_offset(s, t, s->slot[t - s->kernel->tile]);
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
