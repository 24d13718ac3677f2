/* Assignments of printed SIMT code: maps, reductions, stores. */
#include "generate/polynomial.h"
#include "generate/simt_print.h"

#include <string.h>

/* ---- loops over a thread's registers --------------------------------- */

bool simt_is_cut(struct simt *s, int index)
{
	const struct tile_index *x = &s->kernel->index[index];
	struct facts facts = simt_facts(s);

	return x->live && !affine_le(&s->arena, &facts, expr_int(&s->arena, x->extent), x->live);
}

static bool needs_end(struct simt *s, int index)
{
	return (!s->is_whole && !s->is_uncut && simt_is_cut(s, index)) || simt_capacity(s->spread, index) > s->kernel->index[index].extent;
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
		if (!is_fixed && !d->mod && (needs_end(s, d->var) || simt_is_cut(s, d->var)))
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

/* Is it one aligned access, where the block is whole? */
static bool is_whole_chunk(struct simt *s, const struct expr *access, const char *lanes)
{
	return s->is_whole && !simt_reads_index(access) && !strcmp(lanes, all_lanes(s));
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
		enum simt_kind kind = simt_kind(s, x);
		const char *fill = x->otherwise ? simt_value_text(s, x->otherwise, kind) : "0";
		simt_line(s, "%s km_x%d[%d];", simt_type(s, kind), s->load_count, s->chunk);
		if (is_whole_chunk(s, x, lanes)) {
			simt_line(s, "km_load_whole<%d>(km_x%d, %s);", s->chunk, s->load_count, simt_chunk_pointer(s, x));
			s->load[s->load_count++] = x;
			return;
		}
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
uint32_t simt_shared_reads(const struct simt *s, const struct tile_stmt *stmt)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < s->kernel->tile_count; i++)
		if (s->kernel->tile[i].place == PLACE_SHARED && stmt->value && expr_uses(stmt->value, s->kernel->tile[i].name))
			mask |= UINT32_C(1) << i;
	return mask;
}

void simt_barrier(struct simt *s)
{
	simt_line(s, "km_barrier();");
	s->written = s->read = 0;
}

static void print_assignment(struct simt *s, const struct tile_stmt *stmt, uint32_t mask)
{
	bool is_store = stmt->kind == TILE_STORE;
	const char *name = is_store ? s->program->buffer[stmt->target].name : s->kernel->tile[stmt->target].name;
	enum dtype dtype = is_store ? s->program->buffer[stmt->target].dtype : s->kernel->tile[stmt->target].dtype;
	struct expr *target = expr_access(&s->arena, name, stmt->at, stmt->at_count);
	const char *lanes = NULL;

	s->load_count = 0;
	if (s->column >= 0)
		print_loads(s, stmt->value);
	if (!is_store) {
		const struct tile *t = &s->kernel->tile[stmt->target];
		if (s->column >= 0)
			open_lanes(s);
		simt_line(s, "t_%s%s = %s;", t->name, simt_register(s, t), simt_text_for(s, stmt->value, dtype));
		simt_close(s, s->column >= 0);
	} else if (s->column >= 0 && simt_is_chunk(s, target, s->column, all_lanes(s), &lanes)) {
		simt_line(s, "%s km_y[%d];", simt_type_for(s, dtype), s->chunk);
		open_lanes(s);
		simt_line(s, "km_y[km_v] = %s;", simt_text_for(s, stmt->value, dtype));
		simt_close(s, 1);
		if (is_whole_chunk(s, target, lanes))
			simt_line(s, "km_store_whole<%d>(%s, km_y);", s->chunk, simt_chunk_pointer(s, target));
		else
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
			  simt_int_text(s, simt_address(s, target)), simt_text_for(s, stmt->value, dtype));
		simt_close(s, s->column >= 0);
		strbuf_release(&condition);
	}
	s->load_count = 0;
}

/* The greatest of no truths is none, the least all: as of reals. */
static const char *identity(enum expr_op op, enum simt_kind kind)
{
	if (kind == SIMT_TRUTH && op >= OP_MAX)
		return op == OP_MAX ? "0" : "1";
	if (kind != SIMT_REAL)
		return op == OP_SUM ? "0" : op == OP_PROD ? "1" : op == OP_MAX ? "(-__LONG_MAX__ - 1)" : "__LONG_MAX__";
	return op == OP_SUM ? "0.0f" : op == OP_PROD ? "1.0f" : op == OP_MAX ? "-KM_INFINITY" : "KM_INFINITY";
}

static const char *const reduction_type[] = { [OP_SUM] = "km_sum", [OP_PROD] = "km_product", [OP_MAX] = "km_greatest", [OP_MIN] = "km_smallest" };

/* What a thread holds of reduction `number`, into km_s<number>; of no column where `rows`, a text, is 0. */
static void print_reduced(struct simt *s, int number, uint32_t mask, uint32_t fixed, const char *rows)
{
	const struct expr *r = s->reduce[number];
	int held = s->reduce_count, opened = open_loops(s, mask, fixed);

	if (!opened)
		simt_block(s);
	/* Dead rows take part with no columns: all threads must come to the barriers. */
	if (rows)
		simt_line(s, "const int km_alive = %s;", rows);
	print_points(s, mask, fixed, rows ? "km_alive" : NULL);
	s->load_count = 0;
	s->reduce_count = 0;
	print_loads(s, r->arg[0]);
	open_lanes(s);
	simt_line(s, "const %s km_u = %s;", simt_type(s, simt_kind(s, r)), simt_value_text(s, r->arg[0], simt_kind(s, r)));
	simt_line(s, "%skm_s%d[km_v] = %s::of(km_u, km_s%d[km_v]);", s->lanes ? "if (km_v < km_n) " : "", number, reduction_type[r->op], number);
	simt_close(s, 1 + (opened ? opened : 1));
	s->reduce_count = held;
	s->load_count = 0;
	s->column = -1;
	s->lanes = rows;
}

/* The value of reduction `number` for the row at hand, in km_q<number> of all its threads. */
static void print_reduction(struct simt *s, int number)
{
	const struct expr *r = s->reduce[number];
	int index = simt_reduced_index(s, r);
	const struct spread *p = s->spread;
	uint32_t mask = UINT32_C(1) << index, fixed = 0;
	const char *rows = s->lanes, *value = simt_type(s, simt_kind(s, r));

	for (size_t i = 0; i < s->kernel->tile_count; i++)
		if (s->kernel->tile[i].place == PLACE_REG && simt_tile_has(&s->kernel->tile[i], index) && expr_uses(r, s->kernel->tile[i].name))
			fixed = mask;
	if (index != p->column) {
		simt_fail(s, "a reduction beside its own index is not printed for SIMT");
		return;
	}
	simt_line(s, "%s km_s%d[%d];", value, number, p->chunk);
	simt_line(s, "km_fill<%d>(km_s%d, %s);", p->chunk, number, identity(r->op, simt_kind(s, r->arg[0])));
	/* Rows of the tile's whole length are asked so once, not at every point: a condition takes a register. */
	const struct tile_index *column = &s->kernel->index[index];
	bool has_whole = fixed && mask == fixed && !s->is_whole && simt_is_cut(s, index) && simt_capacity(p, index) == column->extent;
	if (has_whole) {
		simt_open(s, "if (%s_end == %lld)", column->name, (long long)column->extent);
		s->is_uncut = true;
		print_reduced(s, number, mask, fixed, rows);
		s->is_uncut = false;
		s->depth--;
		simt_open(s, "} else");
	}
	print_reduced(s, number, mask, fixed, rows);
	simt_close(s, has_whole);
	if (simt_blocks(s) > 1)
		simt_line(s, "const %s km_q%d = km_across_cluster<%s, %d, %d>(km_fold<%s, %d>(km_s%d), km_red, km_told + %d);", value, number, reduction_type[r->op],
			  simt_blocks(s), s->kernel->threads, reduction_type[r->op], p->chunk, number, SIMT_TOLD_BYTES * s->told++);
	else
		simt_line(s, "const %s km_q%d = km_across<%s, %lld, %d>(km_fold<%s, %d>(km_s%d), %s);", value, number, reduction_type[r->op],
			  (long long)p->thread[p->thread_count - 1].extent, s->kernel->threads, reduction_type[r->op], p->chunk, number,
			  p->thread[p->thread_count - 1].extent > s->target->warp ? "km_red" : "0");
}

/* ---- whole blocks ----------------------------------------------------- */

/* Adds what must hold for the access's chunks to be aligned: at the block's start, and from point to point of every index. */
static bool add_alignment(struct simt *s, const struct expr *access, uint32_t mask, struct strbuf *condition)
{
	const struct tile_buffer *b = simt_buffer(s, access->name);
	struct facts facts = simt_facts(s);
	struct polynomial rest = polynomial_of(&s->arena, &facts, simt_address(s, access)), by;
	int64_t bytes = (int64_t)dtype_bytes(b->dtype), width = s->spread->chunk * bytes < 16 ? s->spread->chunk * bytes : 16, number;

	for (size_t i = 0; i < s->kernel->index_count; i++) {
		struct polynomial next;
		if (!(mask >> i & 1))
			continue;
		if (!polynomial_split(&s->arena, &rest, s->kernel->index[i].name, &by, &next))
			return false;
		rest = next;
		/* The chunk's own index goes in whole chunks. */
		if ((int)i == s->spread->column || (polynomial_is_int(&by, &number) && number * bytes % width == 0))
			continue;
		const char *step = simt_int_text(s, polynomial_expr(&s->arena, &by));
		if (strstr(condition->buf, step))
			continue;
		strbuf_addf(condition, "%s(%s) * %lld %% %lld == 0", condition->len ? " && " : "", step, (long long)bytes, (long long)width);
	}
	strbuf_addf(condition, "%s(unsigned long)(b_%s + %s) %% %lld == 0", condition->len ? " && " : "", b->name,
		    simt_int_text(s, polynomial_expr(&s->arena, &rest)), (long long)width);
	return true;
}

static bool add_alignments(struct simt *s, const struct expr *x, uint32_t mask, struct strbuf *condition, int *chunks)
{
	const char *lanes;

	for (size_t i = 0; i < x->arg_count; i++)
		if (!add_alignments(s, x->arg[i], mask, condition, chunks))
			return false;
	if (x->kind != EXPR_ACCESS || simt_reads_index(x) || !simt_is_chunk(s, x, s->spread->column, "all", &lanes) || strcmp(lanes, "all"))
		return true;
	++*chunks;
	return add_alignment(s, x, mask, condition);
}

/*
 * The condition, equal for all threads, under which nothing cuts the statement's indices and
 * its chunks are aligned: then they are single accesses without a question.  NULL: not worth it.
 */
static const char *whole_condition(struct simt *s, const struct tile_stmt *stmt, uint32_t mask, uint32_t fixed)
{
	struct strbuf condition = STRBUF_INIT;
	const char *kept = NULL;
	int chunks = 0;

	if (s->spread->column < 0 || !(mask >> s->spread->column & 1) || s->spread->chunk < 2)
		return NULL;
	for (int i = 0; i < (int)s->kernel->index_count; i++) {
		const struct tile_index *x = &s->kernel->index[i];
		if (!(mask >> i & 1) || !simt_is_cut(s, i))
			continue;
		/* A loop over chunks may end early, with a whole one. */
		if (i == s->spread->column && loop_ends(s, i, fixed))
			strbuf_addf(&condition, "%s%s_end %% %d == 0", condition.len ? " && " : "", x->name, s->spread->chunk);
		else
			strbuf_addf(&condition, "%s%s_end == %lld", condition.len ? " && " : "", x->name, (long long)x->extent);
	}
	bool is_linear = add_alignments(s, stmt->value, mask, &condition, &chunks);
	if (is_linear && stmt->kind == TILE_STORE) {
		const struct expr *target = expr_access(&s->arena, s->program->buffer[stmt->target].name, stmt->at, stmt->at_count);
		is_linear = add_alignments(s, target, mask, &condition, &chunks);
	}
	if (is_linear && chunks)
		kept = arena_strdup(&s->arena, condition.buf);
	strbuf_release(&condition);
	return kept;
}

static void print_statement(struct simt *s, const struct tile_stmt *stmt, uint32_t mask, uint32_t fixed)
{
	int opened = open_loops(s, mask, fixed), count = s->reduce_count;

	print_points(s, mask, fixed, NULL);
	if (count && s->column >= 0)
		simt_fail(s, "a reduction beside its own index is not printed for SIMT");
	for (int i = 0; i < count && !s->failed; i++)
		print_reduction(s, i);
	if (!s->failed)
		print_assignment(s, stmt, mask);
	s->reduce_count = count;
	s->lanes = NULL;
	s->column = -1;
	simt_close(s, opened);
}

void simt_assign(struct simt *s, const struct tile_stmt *stmt)
{
	const struct tile_kernel *k = s->kernel;
	bool is_acc = simt_touches_accumulator(k, stmt);
	uint32_t mask = simt_free_indices(k, stmt), fixed = 0;
	uint32_t reads = simt_shared_reads(s, stmt);

	s->spread = is_acc ? &s->acc : &s->block;
	s->reduce_count = 0;
	simt_collect_reductions(s, stmt->value);
	if (is_acc && s->reduce_count)
		simt_fail(s, "a reduction beside an accumulator is not printed for SIMT yet");
	if (is_acc && !s->acc.reg_count)
		simt_fail(s, "an accumulator without mma is not printed for SIMT");
	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (!simt_touches(k, stmt, t))
			continue;
		if (is_acc && t->place == PLACE_REG)
			simt_fail(s, "register tile '%s' beside an accumulator is not printed for SIMT yet", t->name);
		for (size_t r = 0; r < t->rank && (t->place == PLACE_REG || t->place == PLACE_ACC); r++)
			fixed |= UINT32_C(1) << t->index[r];
	}
	enum expr_op of;
	if (expr_is_scan(stmt->value, &of)) {
		simt_scan(s, stmt);
		return;
	}
	if (stmt->kind == TILE_MAP && k->tile[stmt->target].place == PLACE_SHARED)
		simt_fail(s, "shared tile '%s' is filled by copies only", k->tile[stmt->target].name);
	if (s->failed)
		return;
	if (reads & s->written)
		simt_barrier(s);
	s->read |= reads;
	if (s->reduce_count)
		fixed |= mask;
	simt_block(s);
	uint32_t all = mask;
	for (int i = 0; i < s->reduce_count; i++)
		all |= UINT32_C(1) << simt_reduced_index(s, s->reduce[i]);
	print_ends(s, all);
	const char *whole = whole_condition(s, stmt, all, fixed);
	if (whole) {
		simt_open(s, "if (%s)", whole);
		s->is_whole = true;
		print_statement(s, stmt, mask, fixed);
		s->is_whole = false;
		s->depth--;
		simt_open(s, "} else");
	}
	print_statement(s, stmt, mask, fixed);
	s->reduce_count = 0;
	simt_close(s, whole ? 2 : 1);
}
