/* Kernels and their statement lists as printed SIMT code. */
#include "generate/micro.h"
#include "generate/simt_points.h"

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

/* ---- lists of statements --------------------------------------------- */

static void mark_shared(struct simt *s, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		s->read |= simt_shared_reads(s, &stmt[i]);
		s->written |= stmt[i].kind == TILE_STAGE ? UINT32_C(1) << stmt[i].target : 0;
		mark_shared(s, stmt[i].body, stmt[i].body_count);
	}
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
		simt_barrier(s);
	for (size_t i = 0; i < n; i++)
		simt_put(s, &stmt[i], first + (int)i, NULL);
	s->written |= mask;
	return n;
}

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
	simt_barrier(s);
	simt_line(s, "const bool km_more = %s + %lld < %s;", var, (long long)f->step, hi);
	simt_line(s, "const long km_next = %s + %lld;", var, (long long)f->step);
	simt_open(s, "if (km_more)");
	simt_line(s, "const long %s = km_next;", var);
	for (size_t i = 0; i < copies; i++)
		simt_fetch(s, &f->body[i], first + (int)i);
	simt_close(s, 1);
	for (size_t i = 0; i < copies; i++)
		s->slot[f->body[i].target] = "km_slot";
	simt_statements(s, f->body + copies, f->body_count - copies);
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
	simt_statements(s, f->body, f->body_count);
	s->for_count--;
	simt_close(s, 1);
}

void simt_statements(struct simt *s, const struct tile_stmt *stmt, size_t count)
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
			if (simt_shared_reads(s, &stmt[i]) & s->written)
				simt_barrier(s);
			s->read |= simt_shared_reads(s, &stmt[i]);
			simt_contract(s, &stmt[i]);
			break;
		case TILE_ATOMIC:
			simt_fail(s, "atomic stores are not printed for SIMT yet");
			break;
		case TILE_BARRIER:
			simt_barrier(s);
			break;
		default:
			simt_assign(s, &stmt[i]);
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

void simt_declare_registers(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;
	int64_t held = 0;

	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (t->place == PLACE_SHARED)
			continue;
		const struct spread *q = t->place == PLACE_ACC ? &s->acc : &s->block;
		int64_t registers = simt_register_count(q, t), vector = 1;
		for (int d = q->outer_count; d < q->reg_count; d++)
			vector *= q->reg[d].extent;
		/* Beside the accumulators, which have registers of their own, the unrolled code wants room. */
		held += t->place == PLACE_REG ? registers * (dtype_bytes(t->dtype) == 8 ? 2 : 1) : 0;
		if (held > 128 || registers > 256)
			simt_fail(s, "tile '%s' takes a thread's registers to %lld", t->name, (long long)(held > 128 ? held : registers));
		if (q->outer_count)
			simt_line(s, "km_vector<float, %lld>::type t_%s[%lld];", (long long)vector, t->name, (long long)(registers / vector));
		else
			simt_line(s, "km_%s t_%s[%lld];", dtype_name(t->dtype), t->name, (long long)registers);
	}
}

int simt_blocks(const struct simt *s)
{
	return (int)tile_knob_int(s->kernel, "BLOCKS", 1);
}

int simt_threads(const struct simt *s)
{
	return s->kernel->threads * simt_blocks(s);
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
	int64_t told = simt_scanned_blocks(s, k->stmt, k->stmt_count);
	int64_t scratch = across_warps ? round_up(8 * k->threads / s->target->warp * (told > 1 ? told : 1), 16) : 0;
	int64_t total = bytes + scratch + (simt_blocks(s) > 1 ? SIMT_MAX_TOLD * SIMT_TOLD_BYTES : 0);
	if (total > s->target->shared_bytes)
		simt_fail(s, "shared tiles of %lld bytes exceed the target's %lld", (long long)total, (long long)s->target->shared_bytes);
	if (total && s->target->static_shared_bytes && total > s->target->static_shared_bytes) {
		s->launch->shared_bytes = total;
		simt_line(s, "KM_SHARED_GIVEN(km_shared);");
	} else if (total) {
		simt_line(s, "KM_SHARED(km_shared, %lld);", (long long)total);
	}
	if (across_warps)
		simt_line(s, "char *const km_red = km_shared + %lld;", (long long)bytes);
	if (simt_blocks(s) > 1)
		simt_line(s, "char *const km_told = km_shared + %lld;", (long long)(bytes + scratch));
	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (t->place == PLACE_SHARED)
			simt_line(s, "km_%s *const t_%s = (km_%s *)(km_shared + %lld);", dtype_name(t->dtype), t->name, dtype_name(t->dtype), (long long)at[i]);
	}
	simt_declare_registers(s);
}

void simt_head(struct simt *s, const char *symbol, const char *attribute, const char *more)
{
	const struct tile_kernel *k = s->kernel;
	const char *separator = "";
	bool is_short = tile_has_short_indices(k);

	strbuf_addf(s->out, "%s %s_%s(", attribute, symbol, k->name);
	for (size_t i = 0; i < s->program->buffer_count; i++) {
		const struct tile_buffer *b = &s->program->buffer[i];
		strbuf_addf(s->out, "%s%skm_%s *__restrict__ b_%s", separator, b->role == PLAN_IN ? "const " : "", dtype_name(b->dtype), b->name);
		separator = ", ";
	}
	for (size_t i = 0; i < s->program->dim_count; i++)
		if (!s->program->dim[i].is_static)
			strbuf_addf(s->out, "%slong %s%s", separator, is_short ? "km_given_" : "", s->program->dim[i].name);
	strbuf_addf(s->out, "%s)\n{\n", more);
	s->depth = 1;
	for (size_t i = 0; i < s->program->dim_count; i++)
		if (s->program->dim[i].is_static)
			simt_line(s, "const %s %s = %lld;", is_short ? "int" : "long", s->program->dim[i].name, (long long)s->program->dim[i].value);
		else if (is_short)
			simt_line(s, "const int %s = (int)km_given_%s;", s->program->dim[i].name, s->program->dim[i].name);
	if (tile_knob(k, "WHEN", NULL))
		simt_line(s, "if (!(%s >> *b__class & 1)) return;", tile_knob(k, "WHEN", NULL));
}

void simt_place(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;
	struct strbuf ids = STRBUF_INIT;

	const int blocks = simt_blocks(s);

	simt_line(s, blocks > 1 ? "const int km_tid = KM_BID %% %d * %d + KM_TID;" : "const int km_tid = KM_TID;", blocks, k->threads);
	for (int g = 1; g < k->grid_count; g++)
		simt_line(s, "const unsigned km_g%d = (unsigned)%s;", g, simt_int_text(s, k->grid[g]));
	tile_print_ids(k, tile_has_short_indices(k) ? "int" : "long", blocks > 1 ? arena_printf(&s->arena, "(KM_BID / %d)", blocks) : "KM_BID", &ids);
	simt_line(s, "%s", ids.buf);
	strbuf_release(&ids);
}

static bool check_device(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;

	if (s->target->warp < 2)
		simt_fail(s, "target '%s' is no SIMT device", s->target->name);
	else if (k->threads % s->target->warp || k->threads > s->target->max_threads)
		simt_fail(s, "%d threads a block: wants a multiple of %d, at most %d", k->threads, s->target->warp, s->target->max_threads);
	return !s->failed;
}

/* Blocks share nothing but what reductions tell, each once. */
static bool check_cluster(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;
	int blocks = simt_blocks(s);

	if (blocks > s->target->max_cluster || k->threads <= s->target->warp)
		simt_fail(s, "a cluster of %d blocks of %d threads: the target has clusters of at most %d", blocks, k->threads, s->target->max_cluster);
	for (size_t i = 0; i < k->tile_count; i++)
		if (k->tile[i].place != PLACE_REG)
			simt_fail(s, "tile '%s' is a block's own, not a cluster's", k->tile[i].name);
	for (size_t i = 0; i < k->stmt_count; i++)
		if (k->stmt[i].kind != TILE_MAP && k->stmt[i].kind != TILE_STORE)
			simt_fail(s, "a cluster's blocks assign and reduce only");
	return !s->failed;
}

static bool check_kernel(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;

	if (k->index_count > SIMT_MAX_INDICES || k->tile_count > SIMT_MAX_TILES)
		simt_fail(s, "too many indices or tiles");
	for (size_t i = 0; i < k->tile_count && !s->failed; i++) {
		const struct tile *t = &k->tile[i];
		bool is_narrow = dtype_bytes(t->dtype) < 4 && dtype_is_real(t->dtype);
		if (t->place == PLACE_VIEW)
			simt_fail(s, "view '%s' is not printed for SIMT", t->name);
		else if (t->place != PLACE_SHARED && is_narrow)
			simt_fail(s, "tile '%s': registers hold no %s", t->name, dtype_name(t->dtype));
	}
	return !s->failed;
}

static void emit_kernel(struct simt *s, const char *symbol)
{
	const struct tile_kernel *k = s->kernel;
	const struct tile_stmt *mma = find_mma(k->stmt, k->stmt_count);

	if (!check_device(s))
		return;
	if (simt_is_points(k)) {
		simt_print_points(s, symbol);
		return;
	}
	if (!check_kernel(s) || (mma && !simt_accumulator_spread(s, mma)))
		return;
	const struct micro_kernel *micro = micro_drives(s);
	if (micro) {
		micro->print(s, symbol);
		return;
	}
	if (s->instr && !s->instr->a_lane) {
		simt_fail(s, "no micro-kernel drives '%s'", s->instr->name);
		return;
	}
	const int blocks = simt_blocks(s);
	if (blocks > 1 && !check_cluster(s))
		return;
	simt_block_spread(s);
	if (s->failed)
		return;
	simt_head(s, symbol, arena_printf(&s->arena, "KM_KERNEL(%d)", k->threads), "");
	simt_place(s);
	declare_tiles(s);
	simt_statements(s, k->stmt, k->stmt_count);
	if (blocks > 1) {
		/* None ends while another reads what it told. */
		simt_line(s, "km_cluster_barrier();");
		s->launch->cluster = s->launch->blocks = blocks;
		if (s->told > SIMT_MAX_TOLD)
			simt_fail(s, "a cluster's blocks tell each other of more than %d reductions", SIMT_MAX_TOLD);
	}
	strbuf_addstr(s->out, "}\n");
}

const char *simt_swizzled(struct arena *arena, enum dtype dtype, const char *fast, const char *slow)
{
	int row = 128 / (int)dtype_bytes(dtype), part = row / 8;

	return arena_printf(arena, "%s/%d %s %s/%d%%8^%s%%8 %s%%%d", fast, row, slow, fast, part, slow, fast, part);
}

int simt_print(const struct tile_program *program, const struct target *target, const char *symbol, struct printed *out,
	       struct strbuf *err)
{
	int ret = 0;

	for (size_t i = 0; i < program->kernel_count && !ret; i++) {
		struct simt s = { .program = program, .kernel = &program->kernel[i], .target = target, .out = &out->source, .err = err,
				  .launch = &out->launch[i], .column = -1, .is_double = simt_is_double(program, &program->kernel[i]) };
		emit_kernel(&s, symbol);
		ret = s.failed ? -1 : 0;
		arena_release(&s.arena);
	}
	return ret;
}

bool simt_accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	struct printed printed = PRINTED_INIT;

	/* The printer alone knows what it can print. */
	bool accepted = !simt_print(program, target, "accepts", &printed, why_not);
	printed_release(&printed);
	return accepted;
}
