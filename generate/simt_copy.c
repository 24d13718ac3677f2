/* Copies into shared memory of printed SIMT code. */
#include "generate/simt_print.h"

int64_t simt_gcd(int64_t a, int64_t b)
{
	return b ? simt_gcd(b, a % b) : a;
}

/*
 * Do n aligned neighbours along `var` lie next to each other?  Then the elements
 * their address is a multiple of, at most n; else 0.
 */
int64_t simt_run_alignment(const struct layout *layout, int var, int64_t n)
{
	const struct digit *last = layout->count ? &layout->digit[layout->count - 1] : NULL;
	int64_t aligned = n, stride = last ? last->extent : 1;

	if (!last || last->var != var || last->div != 1 || last->xor_var >= 0 || (last->mod && last->mod % n))
		return n == 1;
	for (size_t i = layout->count - 1; i-- > 0;) {
		const struct digit *d = &layout->digit[i];
		if (d->xor_var == var && d->xor_div % n)
			return 0;
		aligned = simt_gcd(aligned, stride);
		stride *= d->extent;
	}
	return aligned;
}

int simt_tile_position(const struct tile *t, int index)
{
	for (size_t i = 0; i < t->rank; i++)
		if (t->index[i] == index)
			return (int)i;
	return -1;
}

const char *simt_slot_offset(struct simt *s, const struct tile *t, const char *slot)
{
	int64_t step = round_up(t->layout.elems * (int64_t)dtype_bytes(t->dtype), 16) / (int64_t)dtype_bytes(t->dtype);

	return slot ? arena_printf(&s->arena, " + %s * %lld", slot, (long long)step) : "";
}

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
	if (!c->buffer || t->place != PLACE_SHARED || dtype_is_real(c->buffer->dtype) != dtype_is_real(t->dtype)) {
		simt_fail(s, "a copy goes from a buffer to a shared tile, reals to reals");
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
		c->across = simt_gcd(16 / (int64_t)dtype_bytes(c->buffer->dtype), extent);
		shrink(c, points, s->kernel->threads);
		c->writes_rows = c->across > 1 && simt_run_alignment(&t->layout, simt_tile_position(t, c->v), c->across) > 0;
		if (!c->writes_rows && t->index[last->var] != c->v) {
			c->u = t->index[last->var];
			extent = s->kernel->index[c->u].extent;
			c->down = simt_gcd(16 / (int64_t)dtype_bytes(t->dtype), last->mod ? simt_gcd(last->mod, extent) : extent);
			while (c->down > 1 && (!simt_run_alignment(&t->layout, last->var, c->down) || points / c->down < s->kernel->threads))
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
			simt_line(s, "km_c%d[%s][0] = %s ? %s : (km_%s)0;", number, place, condition.buf, from, dtype_name(c.buffer->dtype));
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
	const char *to = arena_printf(&s->arena, "t_%s%s + %s", c.tile->name, simt_slot_offset(s, c.tile, slot), own_address(s, c.tile));
	int opened = open_blocks(s, &c);
	int64_t bytes = (int64_t)dtype_bytes(c.tile->dtype);
	if (c.v < 0) {
		simt_line(s, "km_put<%lld, 1>(%s, km_c%d[km_e]);", (long long)bytes, to, number);
		simt_close(s, opened);
		return;
	}
	const char *v = s->kernel->index[c.v].name;
	if (c.writes_rows || c.across == 1) {
		int64_t aligned = simt_run_alignment(&c.tile->layout, simt_tile_position(c.tile, c.v), c.across);
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
		aligned = simt_run_alignment(&c.tile->layout, simt_tile_position(c.tile, c.u), c.down);
	}
	simt_line(s, "km_put<%lld, %lld>(%s, km_t);", (long long)(aligned * bytes), (long long)c.down, to);
	simt_close(s, opened);
}
