/* Statements and kernels of printed SIMT code. */
#include "generate/simt_print.h"

#include <string.h>

void simt_fail(struct simt *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	strbuf_addf(s->err, "kernel '%s': ", s->kernel->name);
	va_start(ap, fmt);
	strbuf_vaddf(s->err, fmt, ap);
	va_end(ap);
}

static void add_line(struct simt *s, const char *fmt, va_list ap, const char *end)
{
	for (int i = 0; i < s->depth; i++)
		strbuf_addch(s->out, '\t');
	strbuf_vaddf(s->out, fmt, ap);
	strbuf_addstr(s->out, end);
}

void simt_line(struct simt *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(s, fmt, ap, "\n");
	va_end(ap);
}

void simt_open(struct simt *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(s, fmt, ap, " {\n");
	va_end(ap);
	s->depth++;
}

void simt_block(struct simt *s)
{
	simt_line(s, "{");
	s->depth++;
}

void simt_close(struct simt *s, int count)
{
	while (count-- > 0) {
		s->depth--;
		simt_line(s, "}");
	}
}

/* ---- what a statement touches ---------------------------------------- */

static bool touches(const struct tile_kernel *k, const struct tile_stmt *stmt, const struct tile *t)
{
	bool writes = (stmt->kind == TILE_MAP || stmt->kind == TILE_STAGE || stmt->kind == TILE_MMA) && &k->tile[stmt->target] == t;

	return writes || (stmt->value && expr_uses(stmt->value, t->name));
}

static bool touches_accumulator(const struct tile_kernel *k, const struct tile_stmt *stmt)
{
	for (size_t i = 0; i < k->tile_count; i++)
		if (k->tile[i].place == PLACE_ACC && touches(k, stmt, &k->tile[i]))
			return true;
	return false;
}

/* Indices in the statement's target. */
static uint32_t free_indices(const struct tile_kernel *k, const struct tile_stmt *stmt)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < k->index_count; i++)
		for (size_t a = 0; a < stmt->at_count; a++)
			if (expr_uses(stmt->at[a], k->index[i].name))
				mask |= UINT32_C(1) << i;
	return mask;
}

static void collect_reductions(struct simt *s, const struct expr *x)
{
	if (x->kind == EXPR_REDUCE) {
		if (s->reduce_count < (int)ARRAY_SIZE(s->reduce))
			s->reduce[s->reduce_count++] = x;
		else
			simt_fail(s, "too many reductions in one statement");
		return;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		collect_reductions(s, x->arg[i]);
}

/* The tile index a reduction runs over, or -1 after simt_fail(). */
static int reduced_index(struct simt *s, const struct expr *r)
{
	if (r->op == OP_SCAN)
		simt_fail(s, "scan is not printed for SIMT yet");
	else if (r->op > OP_MIN)
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
		if (stmt[i].kind == TILE_STAGE || stmt[i].kind == TILE_MMA || stmt[i].kind == TILE_BARRIER || touches_accumulator(s->kernel, &stmt[i]))
			continue;
		mask |= free_indices(s->kernel, &stmt[i]);
		s->reduce_count = 0;
		collect_reductions(s, stmt[i].value);
		for (int r = 0; r < s->reduce_count && !s->failed; r++) {
			int index = reduced_index(s, s->reduce[r]);
			if (*column >= 0 && *column != index)
				simt_fail(s, "reductions over two indices are not printed for SIMT yet");
			*column = index;
			mask |= UINT32_C(1) << (index < 0 ? 0 : index);
		}
		s->reduce_count = 0;
	}
	return mask;
}

/* Widest chunk that 16 bytes of the narrowest buffer hold and that leaves no thread idle. */
static int64_t fitting_chunk(struct simt *s, int64_t columns, int64_t points)
{
	int64_t chunk = 4;

	for (size_t i = 0; i < s->program->buffer_count; i++)
		if (s->program->buffer[i].dtype == DTYPE_bf16)
			chunk = 8;
	chunk = tile_knob_int(s->kernel, "VEC", chunk);
	while (chunk > 1 && (columns % chunk || chunk * s->kernel->threads > points))
		chunk /= 2;
	return chunk;
}

static void block_spread(struct simt *s)
{
	int reduced = -1, threads = s->kernel->threads;
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
static int64_t capacity(const struct spread *p, int index)
{
	int64_t n = 1;

	for (int i = 0; i < p->thread_count; i++)
		n *= p->thread[i].var == index ? p->thread[i].extent : 1;
	for (int i = 0; i < p->reg_count; i++)
		n *= p->reg[i].var == index ? p->reg[i].extent : 1;
	return n;
}

/* ---- loops over a thread's registers --------------------------------- */

bool simt_is_cut(struct simt *s, int index)
{
	const struct tile_index *x = &s->kernel->index[index];
	struct facts facts = simt_facts(s);

	return x->live && !affine_le(&s->arena, &facts, expr_int(&s->arena, x->extent), x->live);
}

static bool needs_end(struct simt *s, int index)
{
	return simt_is_cut(s, index) || capacity(s->spread, index) > s->kernel->index[index].extent;
}

static void print_ends(struct simt *s, uint32_t mask)
{
	for (size_t i = 0; i < s->kernel->index_count; i++) {
		const struct tile_index *x = &s->kernel->index[i];
		if (!(mask >> i & 1) || !needs_end(s, (int)i))
			continue;
		if (simt_is_cut(s, (int)i))
			simt_line(s, "const int %s_end = (int)km_least(%lld, %s);", x->name, (long long)x->extent, simt_int_text(s, x->live));
		else
			simt_line(s, "const int %s_end = %lld;", x->name, (long long)x->extent);
	}
}

/*
 * Opens a loop per register digit of the indices in `mask`, the chunk's left out.  Loops
 * over `fixed` indices run their whole extent, unrolled: registers have no run-time
 * numbers, and barriers want all threads.  Others end with the live points.
 */
static int open_loops(struct simt *s, uint32_t mask, uint32_t fixed)
{
	const struct spread *p = s->spread;
	int opened = 0;

	for (int i = 0; i < p->reg_count; i++) {
		const struct digit *d = &p->reg[i];
		if (!(mask >> d->var & 1) || d->extent == 1 || (p->column >= 0 && i + 1 == p->reg_count))
			continue;
		bool is_fixed = fixed >> d->var & 1;
		if (is_fixed)
			simt_line(s, "KM_UNROLL");
		if (!is_fixed && !d->mod && needs_end(s, d->var))
			simt_open(s, "for (int km_r%d = 0; %s < %s_end; km_r%d++)", i, simt_index_text(s, p, d->var, i + 1),
				  s->kernel->index[d->var].name, i);
		else
			simt_open(s, "for (int km_r%d = 0; km_r%d < %lld; km_r%d++)", i, i, (long long)d->extent, i);
		opened++;
	}
	return opened;
}

/* Does a loop of open_loops() end with the index's live points? */
static bool loop_ends(const struct simt *s, int index, uint32_t fixed)
{
	for (int i = 0; i < s->spread->reg_count && !(fixed >> index & 1); i++)
		if (s->spread->reg[i].var == index && !s->spread->reg[i].mod && s->spread->reg[i].extent > 1)
			return true;
	return false;
}

/*
 * Declares the points of the indices in `mask`; sets column, chunk and lanes for what is
 * printed at them.  `alive`: a further condition for any to count, or NULL.
 */
static void print_points(struct simt *s, uint32_t mask, uint32_t fixed, const char *alive)
{
	const struct spread *p = s->spread;
	struct strbuf condition = STRBUF_INIT;
	bool has_column = p->column >= 0 && mask >> p->column & 1;
	const char *count = NULL;

	if (alive)
		strbuf_addstr(&condition, alive);
	for (int i = 0; i < (int)s->kernel->index_count; i++) {
		const char *name = s->kernel->index[i].name;
		bool is_column = has_column && i == p->column;
		if (!(mask >> i & 1))
			continue;
		simt_line(s, "const int %s%s = %s;", name, is_column ? "_0" : "", simt_index_text(s, p, i, p->reg_count));
		if (!needs_end(s, i))
			continue;
		if (is_column)
			count = arena_printf(&s->arena, "km_clip(%s_end - %s_0, %d)", name, name, p->chunk);
		else if (!loop_ends(s, i, fixed))
			strbuf_addf(&condition, "%s%s < %s_end", condition.len ? " && " : "", name, name);
	}
	s->column = has_column ? p->column : -1;
	s->chunk = has_column ? p->chunk : 1;
	s->lanes = count || condition.len ? "km_n" : NULL;
	if (condition.len)
		simt_line(s, "const int km_n = %s ? %s : 0;", condition.buf, count ? count : arena_printf(&s->arena, "%d", s->chunk));
	else if (count)
		simt_line(s, "const int km_n = %s;", count);
	strbuf_release(&condition);
}

static const char *all_lanes(struct simt *s)
{
	return s->lanes ? s->lanes : arena_printf(&s->arena, "%d", s->chunk);
}

static bool reads_any(const struct expr *x)
{
	bool reads = x->kind == EXPR_ACCESS;

	for (size_t i = 0; i < x->arg_count && !reads; i++)
		reads = reads_any(x->arg[i]);
	return reads;
}

/* Fetches what x reads in chunks. */
static void print_loads(struct simt *s, const struct expr *x)
{
	const char *lanes;

	if (x->kind == EXPR_ACCESS) {
		for (int i = 0; i < s->load_count; i++)
			if (expr_equal(s->load[i], x))
				return;
		if (s->load_count == SIMT_MAX_LOADS || (x->otherwise && reads_any(x->otherwise)) ||
		    !simt_is_chunk(s, x, s->column, all_lanes(s), &lanes))
			return;
		const char *fill = x->otherwise ? simt_real_text(s, x->otherwise) : "0.0f";
		simt_line(s, "float km_x%d[%d];", s->load_count, s->chunk);
		if (s->lanes && simt_reads_index(x))
			simt_line(s, "km_fill<%d>(km_x%d, %s);", s->chunk, s->load_count, fill);
		simt_line(s, "%skm_load<%d>(km_x%d, %s, %s, %s);", s->lanes && simt_reads_index(x) ? "if (km_n > 0) " : "", s->chunk, s->load_count,
			  simt_chunk_pointer(s, x), lanes, fill);
		s->load[s->load_count++] = x;
		return;
	}
	for (size_t i = 0; i < x->arg_count; i++)
		print_loads(s, x->arg[i]);
}

static void open_lanes(struct simt *s)
{
	const char *name = s->kernel->index[s->column].name;

	simt_line(s, "KM_UNROLL");
	simt_open(s, "for (int km_v = 0; km_v < %d; km_v++)", s->chunk);
	simt_line(s, "const int %s = %s_0 + km_v;", name, name);
}

/* ---- statements ------------------------------------------------------ */

/* Shared tiles that the statement reads, as a set. */
static uint32_t shared_reads(const struct simt *s, const struct tile_stmt *stmt)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < s->kernel->tile_count; i++)
		if (s->kernel->tile[i].place == PLACE_SHARED && stmt->value && expr_uses(stmt->value, s->kernel->tile[i].name))
			mask |= UINT32_C(1) << i;
	return mask;
}

static void mark_shared(struct simt *s, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		s->read |= shared_reads(s, &stmt[i]);
		s->written |= stmt[i].kind == TILE_STAGE ? UINT32_C(1) << stmt[i].target : 0;
		mark_shared(s, stmt[i].body, stmt[i].body_count);
	}
}

static void barrier(struct simt *s)
{
	simt_line(s, "km_barrier();");
	s->written = s->read = 0;
}

static void print_assignment(struct simt *s, const struct tile_stmt *stmt, uint32_t mask)
{
	const char *name = stmt->kind == TILE_STORE ? s->program->buffer[stmt->target].name : s->kernel->tile[stmt->target].name;
	struct expr *target = expr_access(&s->arena, name, stmt->at, stmt->at_count);
	const char *lanes = NULL;

	s->load_count = 0;
	if (s->column >= 0)
		print_loads(s, stmt->value);
	if (stmt->kind == TILE_MAP) {
		const struct tile *t = &s->kernel->tile[stmt->target];
		if (s->column >= 0)
			open_lanes(s);
		simt_line(s, "t_%s%s = %s;", t->name, simt_register(s, t), simt_real_text(s, stmt->value));
		simt_close(s, s->column >= 0);
	} else if (s->column >= 0 && simt_is_chunk(s, target, s->column, all_lanes(s), &lanes)) {
		simt_line(s, "float km_y[%d];", s->chunk);
		open_lanes(s);
		simt_line(s, "km_y[km_v] = %s;", simt_real_text(s, stmt->value));
		simt_close(s, 1);
		simt_line(s, "%skm_store<%d>(%s, km_y, %s);", s->lanes && simt_reads_index(target) ? "if (km_n > 0) " : "", s->chunk, simt_chunk_pointer(s, target), lanes);
	} else {
		struct strbuf condition = STRBUF_INIT;
		/* Threads that hold the same point: the first of them stores it. */
		for (int i = 0, stride = 1; i < s->spread->thread_count; i++) {
			const struct digit *d = &s->spread->thread[s->spread->thread_count - 1 - i];
			if (!(mask >> d->var & 1) && d->extent > 1)
				strbuf_addf(&condition, "%skm_tid / %d %% %lld == 0", condition.len ? " && " : "", stride, (long long)d->extent);
			stride *= (int)d->extent;
		}
		if (s->lanes)
			strbuf_addf(&condition, "%s%s", condition.len ? " && " : "", s->column >= 0 ? "km_v < km_n" : "km_n > 0");
		const char *guard = simt_guard(s, target);
		if (*guard)
			strbuf_addf(&condition, "%s%s", condition.len ? " && " : "", guard);
		if (s->column >= 0)
			open_lanes(s);
		simt_line(s, "%s%s%skm_assign(b_%s + %s, %s);", condition.len ? "if (" : "", condition.buf, condition.len ? ") " : "", name,
			  simt_int_text(s, simt_address(s, target)), simt_real_text(s, stmt->value));
		simt_close(s, s->column >= 0);
		strbuf_release(&condition);
	}
	s->load_count = 0;
}

static const char *identity(enum expr_op op)
{
	return op == OP_SUM ? "0.0f" : op == OP_PROD ? "1.0f" : op == OP_MAX ? "-KM_INFINITY" : "KM_INFINITY";
}

/* The value of reduction `number` for the row at hand, in km_q<number> of all its threads. */
static void print_reduction(struct simt *s, int number)
{
	static const char *const type[] = { [OP_SUM] = "km_sum", [OP_PROD] = "km_product", [OP_MAX] = "km_greatest", [OP_MIN] = "km_smallest" };
	const struct expr *r = s->reduce[number];
	int index = reduced_index(s, r), held = s->reduce_count;
	const struct spread *p = s->spread;
	uint32_t mask = UINT32_C(1) << index, fixed = 0;
	const char *rows = s->lanes;

	for (size_t i = 0; i < s->kernel->tile_count; i++)
		if (s->kernel->tile[i].place == PLACE_REG && simt_tile_has(&s->kernel->tile[i], index) && expr_uses(r, s->kernel->tile[i].name))
			fixed = mask;
	if (index != p->column) {
		simt_fail(s, "a reduction beside its own index is not printed for SIMT");
		return;
	}
	simt_line(s, "float km_s%d[%d];", number, p->chunk);
	simt_line(s, "km_fill<%d>(km_s%d, %s);", p->chunk, number, identity(r->op));
	int opened = open_loops(s, mask, fixed);
	if (!opened)
		simt_block(s);
	/* Dead rows take part with no columns: all threads must come to the barriers. */
	if (rows)
		simt_line(s, "const int km_alive = km_n;");
	print_points(s, mask, fixed, rows ? "km_alive" : NULL);
	s->load_count = 0;
	s->reduce_count = 0;
	print_loads(s, r->arg[0]);
	open_lanes(s);
	simt_line(s, "const float km_u = %s;", simt_real_text(s, r->arg[0]));
	simt_line(s, "%skm_s%d[km_v] = %s::of(km_u, km_s%d[km_v]);", s->lanes ? "if (km_v < km_n) " : "", number, type[r->op], number);
	simt_close(s, 1 + (opened ? opened : 1));
	s->reduce_count = held;
	s->load_count = 0;
	s->column = -1;
	s->lanes = rows;
	simt_line(s, "const float km_q%d = km_across<%s, %lld, %d>(km_fold<%s, %d>(km_s%d), %s);", number, type[r->op],
		  (long long)p->thread[p->thread_count - 1].extent, s->kernel->threads, type[r->op], p->chunk, number,
		  p->thread[p->thread_count - 1].extent > s->target->warp ? "km_red" : "0");
}

static void emit_assign(struct simt *s, const struct tile_stmt *stmt)
{
	const struct tile_kernel *k = s->kernel;
	bool is_acc = touches_accumulator(k, stmt);
	uint32_t mask = free_indices(k, stmt), fixed = 0;
	uint32_t reads = shared_reads(s, stmt);

	s->spread = is_acc ? &s->acc : &s->block;
	s->reduce_count = 0;
	collect_reductions(s, stmt->value);
	if (is_acc && s->reduce_count)
		simt_fail(s, "a reduction beside an accumulator is not printed for SIMT yet");
	if (is_acc && !s->acc.reg_count)
		simt_fail(s, "an accumulator without mma is not printed for SIMT");
	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (!touches(k, stmt, t))
			continue;
		if (is_acc && t->place == PLACE_REG)
			simt_fail(s, "register tile '%s' beside an accumulator is not printed for SIMT yet", t->name);
		for (size_t r = 0; r < t->rank && (t->place == PLACE_REG || t->place == PLACE_ACC); r++)
			fixed |= UINT32_C(1) << t->index[r];
	}
	if (stmt->kind == TILE_MAP && k->tile[stmt->target].place == PLACE_SHARED)
		simt_fail(s, "shared tile '%s' is filled by copies only", k->tile[stmt->target].name);
	if (s->failed)
		return;
	if (reads & s->written)
		barrier(s);
	s->read |= reads;
	if (s->reduce_count)
		fixed |= mask;
	simt_block(s);
	uint32_t all = mask;
	for (int i = 0; i < s->reduce_count; i++)
		all |= UINT32_C(1) << reduced_index(s, s->reduce[i]);
	print_ends(s, all);
	int opened = open_loops(s, mask, fixed), count = s->reduce_count;
	print_points(s, mask, fixed, NULL);
	if (count && s->column >= 0)
		simt_fail(s, "a reduction beside its own index is not printed for SIMT");
	for (int i = 0; i < count && !s->failed; i++)
		print_reduction(s, i);
	if (!s->failed)
		print_assignment(s, stmt, mask);
	s->reduce_count = 0;
	s->lanes = NULL;
	s->column = -1;
	simt_close(s, opened + 1);
}

/* Copies that follow each other: all fetched, then all put where everyone has read what was there. */
static size_t emit_copies(struct simt *s, const struct tile_stmt *stmt, size_t count)
{
	uint32_t mask = 0;
	size_t n = 0;
	int first = s->copies;

	for (; n < count && stmt[n].kind == TILE_STAGE; n++) {
		simt_declare_copy(s, &stmt[n], s->copies);
		simt_fetch(s, &stmt[n], s->copies++);
		mask |= UINT32_C(1) << stmt[n].target;
	}
	if (mask & (s->read | s->written))
		barrier(s);
	for (size_t i = 0; i < n; i++)
		simt_put(s, &stmt[i], first + (int)i, NULL);
	s->written |= mask;
	return n;
}

static void emit_list(struct simt *s, const struct tile_stmt *stmt, size_t count);

/* A loop that begins with copies, two slots each: the next block is on its way while this one is used. */
static void emit_ring(struct simt *s, const struct tile_stmt *f, size_t copies)
{
	const char *var = f->var, *hi = simt_int_text(s, f->hi);
	int first = s->copies;
	uint32_t mask = 0;

	s->copies += (int)copies;
	simt_line(s, "int km_slot = 0;");
	simt_open(s, "if (%s < %s)", simt_int_text(s, f->lo), hi);
	simt_line(s, "const long %s = %s;", var, simt_int_text(s, f->lo));
	s->fors[s->for_count++] = f;
	for (size_t i = 0; i < copies; i++) {
		simt_declare_copy(s, &f->body[i], first + (int)i);
		simt_fetch(s, &f->body[i], first + (int)i);
	}
	for (size_t i = 0; i < copies; i++) {
		simt_put(s, &f->body[i], first + (int)i, NULL);
		mask |= UINT32_C(1) << f->body[i].target;
	}
	simt_close(s, 1);
	simt_open(s, "for (long %s = %s; %s < %s; %s += %lld)", var, simt_int_text(s, f->lo), var, hi, var, (long long)f->step);
	for (size_t i = 0; i < copies; i++)
		simt_declare_copy(s, &f->body[i], first + (int)i);
	barrier(s);
	simt_line(s, "const bool km_more = %s + %lld < %s;", var, (long long)f->step, hi);
	simt_line(s, "const long km_next = %s + %lld;", var, (long long)f->step);
	simt_open(s, "if (km_more)");
	simt_line(s, "const long %s = km_next;", var);
	for (size_t i = 0; i < copies; i++)
		simt_fetch(s, &f->body[i], first + (int)i);
	simt_close(s, 1);
	for (size_t i = 0; i < copies; i++)
		s->slot[f->body[i].target] = "km_slot";
	emit_list(s, f->body + copies, f->body_count - copies);
	memset(s->slot, 0, sizeof(s->slot));
	simt_open(s, "if (km_more)");
	for (size_t i = 0; i < copies; i++)
		simt_put(s, &f->body[i], first + (int)i, "(1 - km_slot)");
	simt_close(s, 1);
	simt_line(s, "km_slot = 1 - km_slot;");
	simt_close(s, 1);
	s->for_count--;
	s->read |= mask;
	s->written |= mask;
}

static void emit_for(struct simt *s, const struct tile_stmt *f)
{
	size_t copies = 0;

	if (s->for_count == SIMT_MAX_FORS) {
		simt_fail(s, "loops nested too deeply");
		return;
	}
	while (copies < f->body_count && f->body[copies].kind == TILE_STAGE)
		copies++;
	if (f->pipe > 2) {
		simt_fail(s, "pipe %d is not printed for SIMT yet", f->pipe);
		return;
	}
	if (f->pipe == 2 && copies) {
		simt_block(s);
		emit_ring(s, f, copies);
		simt_close(s, 1);
		return;
	}
	simt_open(s, "for (long %s = %s; %s < %s; %s += %lld)", f->var, simt_int_text(s, f->lo), f->var, simt_int_text(s, f->hi), f->var,
		  (long long)f->step);
	s->fors[s->for_count++] = f;
	/* What a trip does to shared tiles, the trip before it may have done last. */
	mark_shared(s, f->body, f->body_count);
	emit_list(s, f->body, f->body_count);
	s->for_count--;
	simt_close(s, 1);
}

static void emit_list(struct simt *s, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count && !s->failed; i++) {
		switch (stmt[i].kind) {
		case TILE_FOR:
			emit_for(s, &stmt[i]);
			break;
		case TILE_STAGE:
			i += emit_copies(s, &stmt[i], count - i) - 1;
			break;
		case TILE_MMA:
			if (shared_reads(s, &stmt[i]) & s->written)
				barrier(s);
			s->read |= shared_reads(s, &stmt[i]);
			simt_contract(s, &stmt[i]);
			break;
		case TILE_ATOMIC:
			simt_fail(s, "atomic stores are not printed for SIMT yet");
			break;
		case TILE_BARRIER:
			barrier(s);
			break;
		default:
			emit_assign(s, &stmt[i]);
		}
	}
}

/* ---- kernels --------------------------------------------------------- */

static const struct tile_stmt *find_mma(const struct tile_stmt *stmt, size_t count)
{
	const struct tile_stmt *found = NULL;

	for (size_t i = 0; i < count && !found; i++)
		found = stmt[i].kind == TILE_MMA ? &stmt[i] : find_mma(stmt[i].body, stmt[i].body_count);
	return found;
}

static bool reduces(const struct expr *x)
{
	bool found = x->kind == EXPR_REDUCE;

	for (size_t i = 0; i < x->arg_count && !found; i++)
		found = reduces(x->arg[i]);
	return found;
}

static bool has_reduction(const struct tile_stmt *stmt, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count && !found; i++)
		found = (stmt[i].kind != TILE_MMA && stmt[i].value && reduces(stmt[i].value)) || has_reduction(stmt[i].body, stmt[i].body_count);
	return found;
}

static int slots_of(const struct tile_stmt *stmt, size_t count, int target, int pipe)
{
	int slots = 1;

	for (size_t i = 0; i < count; i++) {
		int n = stmt[i].kind == TILE_FOR ? slots_of(stmt[i].body, stmt[i].body_count, target, stmt[i].pipe) : 1;
		if (stmt[i].kind == TILE_STAGE && stmt[i].target == target)
			n = pipe;
		slots = n > slots ? n : slots;
	}
	return slots;
}

static void declare_tiles(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;
	const struct spread *p = &s->block;
	int64_t at[SIMT_MAX_TILES] = { 0 }, bytes = 0;
	bool across_warps = p->thread_count && p->thread[p->thread_count - 1].extent > s->target->warp && has_reduction(k->stmt, k->stmt_count);

	for (size_t i = 0; i < k->tile_count; i++) {
		if (k->tile[i].place != PLACE_SHARED)
			continue;
		at[i] = bytes;
		bytes += round_up(k->tile[i].layout.elems * (int64_t)dtype_bytes(k->tile[i].dtype), 16) * slots_of(k->stmt, k->stmt_count, (int)i, 1);
	}
	int64_t total = bytes + (across_warps ? round_up(4 * k->threads / s->target->warp, 16) : 0);
	if (total > s->target->shared_bytes)
		simt_fail(s, "shared tiles of %lld bytes exceed the target's %lld", (long long)total, (long long)s->target->shared_bytes);
	if (total)
		simt_line(s, "KM_SHARED(km_shared, %lld);", (long long)total);
	if (across_warps)
		simt_line(s, "float *const km_red = (float *)(km_shared + %lld);", (long long)bytes);
	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (t->place == PLACE_SHARED) {
			simt_line(s, "km_%s *const t_%s = (km_%s *)(km_shared + %lld);", dtype_name(t->dtype), t->name, dtype_name(t->dtype), (long long)at[i]);
			continue;
		}
		const struct spread *q = t->place == PLACE_ACC ? &s->acc : &s->block;
		int64_t registers = simt_register_count(q, t), vector = 1;
		for (int d = q->outer_count; d < q->reg_count; d++)
			vector *= q->reg[d].extent;
		if (registers > 512)
			simt_fail(s, "tile '%s' takes %lld registers of a thread", t->name, (long long)registers);
		if (q->outer_count)
			simt_line(s, "km_vector<float, %lld>::type t_%s[%lld];", (long long)vector, t->name, (long long)(registers / vector));
		else
			simt_line(s, "float t_%s[%lld];", t->name, (long long)registers);
	}
}

static void print_head(struct simt *s, const char *symbol)
{
	const struct tile_kernel *k = s->kernel;
	const char *separator = "";

	strbuf_addf(s->out, "KM_KERNEL(%d) %s_%s(", k->threads, symbol, k->name);
	for (size_t i = 0; i < s->program->buffer_count; i++) {
		const struct tile_buffer *b = &s->program->buffer[i];
		strbuf_addf(s->out, "%s%skm_%s *__restrict__ b_%s", separator, b->role == PLAN_IN ? "const " : "", dtype_name(b->dtype), b->name);
		separator = ", ";
	}
	for (size_t i = 0; i < s->program->dim_count; i++)
		if (!s->program->dim[i].is_static)
			strbuf_addf(s->out, "%slong %s", separator, s->program->dim[i].name);
	strbuf_addstr(s->out, ")\n{\n");
	s->depth = 1;
	for (size_t i = 0; i < s->program->dim_count; i++)
		if (s->program->dim[i].is_static)
			simt_line(s, "const long %s = %lld;", s->program->dim[i].name, (long long)s->program->dim[i].value);
	simt_line(s, "const int km_tid = KM_TID;");
	for (int g = 1; g < k->grid_count; g++)
		simt_line(s, "const unsigned km_g%d = (unsigned)%s;", g, simt_int_text(s, k->grid[g]));
	if (k->grid_count == 1)
		simt_line(s, "const long p0 = KM_BID;");
	else if (k->grid_count == 2)
		simt_line(s, "const long p0 = KM_BID / km_g1, p1 = KM_BID %% km_g1;");
	else
		simt_line(s, "const long p0 = KM_BID / (km_g1 * km_g2), p1 = KM_BID / km_g2 %% km_g1, p2 = KM_BID %% km_g2;");
}

static bool check_kernel(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;

	if (s->target->warp < 2)
		simt_fail(s, "target '%s' is no SIMT device", s->target->name);
	else if (k->index_count > SIMT_MAX_INDICES || k->tile_count > SIMT_MAX_TILES)
		simt_fail(s, "too many indices or tiles");
	else if (k->threads % s->target->warp || k->threads > s->target->max_threads)
		simt_fail(s, "%d threads a block: wants a multiple of %d, at most %d", k->threads, s->target->warp, s->target->max_threads);
	for (size_t i = 0; i < k->tile_count && !s->failed; i++) {
		enum dtype d = k->tile[i].dtype;
		if (k->tile[i].place == PLACE_VIEW)
			simt_fail(s, "view '%s' is not printed for SIMT", k->tile[i].name);
		else if (d != DTYPE_f32 && (k->tile[i].place != PLACE_SHARED || d != DTYPE_bf16))
			simt_fail(s, "tile '%s' of %s is not printed for SIMT yet", k->tile[i].name, dtype_name(d));
	}
	for (size_t i = 0; i < s->program->buffer_count && !s->failed; i++) {
		enum dtype d = s->program->buffer[i].dtype;
		if (d != DTYPE_f32 && d != DTYPE_bf16 && d != DTYPE_i64 && d != DTYPE_i32)
			simt_fail(s, "buffer '%s' of %s is not printed for SIMT yet", s->program->buffer[i].name, dtype_name(d));
	}
	return !s->failed;
}

static void emit_kernel(struct simt *s, const char *symbol)
{
	const struct tile_kernel *k = s->kernel;
	const struct tile_stmt *mma = find_mma(k->stmt, k->stmt_count);

	if (!check_kernel(s) || (mma && !simt_accumulator_spread(s, mma)))
		return;
	block_spread(s);
	if (s->failed)
		return;
	print_head(s, symbol);
	declare_tiles(s);
	emit_list(s, k->stmt, k->stmt_count);
	strbuf_addstr(s->out, "}\n");
}

int simt_print(const struct tile_program *program, const struct target *target, const char *symbol, struct strbuf *out,
	       struct strbuf *err)
{
	int ret = 0;

	for (size_t i = 0; i < program->kernel_count && !ret; i++) {
		struct simt s = { .program = program, .kernel = &program->kernel[i], .target = target, .out = out, .err = err, .column = -1 };
		emit_kernel(&s, symbol);
		ret = s.failed ? -1 : 0;
		arena_release(&s.arena);
	}
	return ret;
}

bool simt_accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	struct strbuf text = STRBUF_INIT;

	/* The printer alone knows what it can print. */
	bool accepted = !simt_print(program, target, "accepts", &text, why_not);
	strbuf_release(&text);
	return accepted;
}
