/*
 * wgmma_tma: contractions on Hopper's warp-group matrix instructions (wgmma, sm_90a).  One
 * warp group asks the copy engine (TMA) for the blocks of both operands, `pipe` of them in
 * a ring in shared memory; the others contract them.  Blocks of the grid stay on their
 * multiprocessor and take one instance after another, so that the next instance's operands
 * arrive while the present one's accumulators are stored.
 *
 *   NVIDIA, "Parallel Thread Execution ISA" 9.0: 9.7.16 (wgmma, its descriptors), 9.7.9.27
 *   (cp.async.bulk.tensor), 9.7.14.16 (mbarrier), 9.7.20.5 (setmaxnreg).
 *
 * A kernel of it is
 *   accumulators = 0;  for k0 .. pipe n { copies;  mma };  maps and stores
 * with operands in simt_swizzled() digits, along the depth or across it.  Or, of operands in
 * parts (skeleton f32_parts),
 *   sum = small = block = 0
 *   for k0 .. pipe n { copies;  small += mma, ...;  block += mma;  sum = sum + block;  block = 0 }
 * where `block` keeps the products of one trip only: adding in the tensor core cuts off, by
 * 2^-23 of the sum a step and always towards zero; outside it is added by Kahan's summation
 * ("Further remarks on reducing truncation errors", 1965): what rounding loses stays in
 * `block`, which in exact arithmetic were 0.  The small products of the next trip are queued
 * behind the block's, so that the instructions go on while it is added.
 *
 * Operands may come as f32 and be made parts of f16 on the way ("fused"):
 *   for k0 .. pipe n { f <- ..; g <- ..;  a0 = f * scale; a1 = (f * scale - a0) / c; ..;  products }
 * Then three warps of the copying group take numbers from a second ring, of FUSED_RING tiles,
 * and write their parts into the first.  What a warp met is a row of buffer _found: greatest
 * and least magnitude of A's first parts, then of B's, as bits of f16.  Knobs:
 *   WALK    rows of blocks that are walked together, for the second-level cache   [8]
 *   CLUSTER 2: blocks of neighbouring rows run on multiprocessors beside each other, and
 *           each brings half of the columns' operand to both                      [1]
 *   TURN    1: a thread's accumulators are put eight columns together before they
 *           are stored, 16 bytes of a 2-byte type                                 [1]
 */
#include "generate/micro.h"
#include "generate/simt_print.h"

#include <string.h>

enum { ROW_BYTES = 128, GROUP_THREADS = 128, MAX_STAGES = PLAN_MAX_TENSORS, MAX_PRODUCTS = 9, BARRIER_BYTES = 8, ALIGNMENT = 1024, FUSED_RING = 3,
       FUSED_WARPS = MICRO_FOUND_ROWS };

struct operand {
	const struct tile *tile;
	const struct tile_stmt *stage;
	int fast, slow;       /* kernel indices: along a row in shared memory, and across */
	bool is_depth_fast;
	bool is_shared;       /* by the blocks of a cluster: that of the columns */
	int64_t at;           /* bytes in a slot */
	int map;              /* number of its tensor map */
};

struct product {
	const struct tile *acc;
	const struct operand *a, *b;
};

struct pipeline {
	const struct tile_stmt *loop;
	size_t loop_at;       /* its place among the kernel's statements */
	struct operand operand[MAX_STAGES];
	int operand_count;
	struct operand source[2];      /* of f32, whose parts are the operands, two and two; fused kernels alone */
	int source_count;
	int64_t source_bytes;          /* of the larger tile */
	struct product product[MAX_PRODUCTS];
	int product_count;
	const struct tile *sum, *block; /* of all trips, of one; NULL: none is */
	bool is_forgotten;              /* the block, at the trip's end */
	int64_t slot_bytes;
	int consumers;        /* warp groups */
	int cluster;          /* blocks */
	struct mma_groups groups;
};

/* ---- what the kernel is ---------------------------------------------- */

static int64_t tile_bytes(const struct operand *o)
{
	return o->tile->layout.elems * (int64_t)dtype_bytes(o->tile->dtype);
}

/* How the tile that the statement fills lies in shared memory, beginning at a slot's byte `at`. */
static bool find_tile(struct simt *s, const struct pipeline *p, const struct tile_stmt *stmt, int64_t at, int map, struct operand *o)
{
	const struct tile_kernel *k = s->kernel;
	const struct tile *t = &k->tile[stmt->target];

	if (t->rank != 2 || t->place != PLACE_SHARED || stmt->value->otherwise) {
		simt_fail(s, "'%s' is no shared tile of two indices", t->name);
		return false;
	}
	*o = (struct operand){ .tile = t, .stage = stmt, .at = at, .map = map };
	int64_t row = ROW_BYTES / (int64_t)dtype_bytes(t->dtype);
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
		if (k->index[o->fast].extent % row || k->index[o->slow].extent > 256 || tile_bytes(o) % ALIGNMENT)
			simt_fail(s, "tile '%s' is no whole number of rows that the copy engine takes", t->name);
		return !s->failed;
	}
	simt_fail(s, "tile '%s' has not the digits of swizzled rows", t->name);
	return false;
}

static void find_operand(struct simt *s, struct pipeline *p, const struct tile_stmt *stmt)
{
	struct operand *o = &p->operand[p->operand_count];

	if (!find_tile(s, p, stmt, p->slot_bytes, p->operand_count, o))
		return;
	if (o->tile->dtype != s->instr->ab)
		simt_fail(s, "tile '%s' is not of the instruction's type", o->tile->name);
	if (!o->is_depth_fast && dtype_bytes(o->tile->dtype) != 2)
		simt_fail(s, "tile '%s' lies across the depth, which '%s' does not take", o->tile->name, s->instr->name);
	p->operand_count++;
	p->slot_bytes += tile_bytes(o);
}

/* A tile of f32, of which the next two operands are the parts. */
static void find_source(struct simt *s, struct pipeline *p, const struct tile_stmt *stmt)
{
	struct operand *o = &p->source[p->source_count];

	if (p->source_count == 2 || p->cluster > 1) {
		simt_fail(s, "two tiles of f32 are wanted, and no cluster");
	} else if (find_tile(s, p, stmt, 0, p->source_count, o)) {
		p->source_count++;
		p->source_bytes = tile_bytes(o) > p->source_bytes ? tile_bytes(o) : p->source_bytes;
	}
}

/* Part 0 or 1 of the source at hand: as it lies, in another type. */
static void find_part(struct simt *s, struct pipeline *p, const struct tile_stmt *stmt)
{
	const struct operand *from = &p->source[p->operand_count / 2 % 2], *o = &p->operand[p->operand_count];

	find_operand(s, p, stmt);
	if (!s->failed && (p->operand_count > 4 || s->instr->ab != DTYPE_f16 || !expr_uses(stmt->value, from->tile->name) || o->fast != from->fast))
		simt_fail(s, "tile '%s' is no part in f16 of '%s'", o->tile->name, from->tile->name);
}

static const struct operand *operand_of(const struct pipeline *p, const char *tile)
{
	for (int i = 0; i < p->operand_count; i++)
		if (!strcmp(p->operand[i].tile->name, tile))
			return &p->operand[i];
	return NULL;
}

static void find_product(struct simt *s, struct pipeline *p, const struct tile_stmt *stmt)
{
	struct mma_groups g;
	struct strbuf why = STRBUF_INIT;
	struct product *x = &p->product[p->product_count];

	bool is_mma = tile_mma_groups(s->kernel, stmt, &g, &why) && p->product_count < MAX_PRODUCTS;
	if (is_mma)
		*x = (struct product){ &s->kernel->tile[stmt->target], operand_of(p, g.a->name), operand_of(p, g.b->name) };
	if (!is_mma || !x->a || !x->b)
		simt_fail(s, "an operand of mma is not copied in its loop, or too many are %s", why.buf);
	else
		p->product_count++;
	strbuf_release(&why);
}

/* "sum = sum + block" behind the products, then "block = 0". */
static void find_sum(struct simt *s, struct pipeline *p, const struct tile_stmt *stmt)
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

static void find_statement(struct simt *s, struct pipeline *p, const struct tile_stmt *stmt)
{
	const struct tile *t = &s->kernel->tile[stmt->target];
	bool is_free = p->operand_count < MAX_STAGES;

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

static bool find_pipeline(struct simt *s, struct pipeline *p)
{
	const struct tile_kernel *k = s->kernel;
	struct strbuf why = STRBUF_INIT;
	const struct tile_stmt *mma = NULL;

	*p = (struct pipeline){ .consumers = k->threads / GROUP_THREADS, .cluster = (int)tile_knob_int(k, "CLUSTER", 1) };
	while (p->loop_at < k->stmt_count && k->stmt[p->loop_at].kind != TILE_FOR)
		p->loop_at++;
	p->loop = p->loop_at < k->stmt_count ? &k->stmt[p->loop_at] : NULL;
	for (size_t i = 0; p->loop && i < p->loop->body_count; i++)
		if (p->loop->body[i].kind == TILE_MMA)
			mma = &p->loop->body[i];
	if (!mma || !tile_mma_groups(k, mma, &p->groups, &why) || p->loop->pipe < 2 || k->threads % GROUP_THREADS || p->consumers > 3)
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
	return !s->failed;
}

/* Elements of a swizzled row. */
static int64_t row_elems(const struct operand *o)
{
	return ROW_BYTES / (int64_t)dtype_bytes(o->tile->dtype);
}

/* ---- tensor maps ----------------------------------------------------- */

static void add_text(struct strbuf *out, const char *separator, const struct expr *e)
{
	struct strbuf text = STRBUF_INIT;

	expr_print(e, &text);
	strbuf_replace(&text, " ", "");
	strbuf_addf(out, "%s%s", separator, text.buf);
	strbuf_release(&text);
}

/* The plan's line for an operand: the buffer's dimensions, fastest first; a box as wide as the tile along each index. */
static void print_tensor(struct simt *s, const struct pipeline *p, const struct operand *o)
{
	const struct expr *from = o->stage->value;
	const struct tile_buffer *b = simt_buffer(s, from->name);
	struct strbuf *out = &s->launch->tensor, boxes = STRBUF_INIT, strides = STRBUF_INIT;
	struct expr *stride = NULL;

	if (!b || *b->layout_text || b->dtype != o->tile->dtype || b->rank < 2 || b->rank > PLAN_MAX_RANK) {
		simt_fail(s, "the copy engine cannot copy '%s' to tile '%s'", from->name, o->tile->name);
		return;
	}
	strbuf_addf(out, "tensor: %s dims=", b->name);
	for (size_t i = 0; i < b->rank; i++) {
		size_t d = b->rank - 1 - i;
		int64_t box = 1, step;
		for (int x = 0; x < 2; x++) {
			int index = x ? o->slow : o->fast;
			if (!affine_stride(&s->arena, from->arg[d], s->kernel->index[index].name, &step) || (step && step != 1) || (i == 0 && !x && !step))
				simt_fail(s, "'%s' is not read in rows that the copy engine takes", from->name);
			else if (step)
				box = x ? s->kernel->index[index].extent / (o->is_shared && o->is_depth_fast ? p->cluster : 1) : row_elems(o);
		}
		add_text(out, i ? "," : "", b->dim[d]);
		if (i)
			add_text(&strides, i > 1 ? "," : "", stride);
		stride = stride ? expr_binary(&s->arena, OP_MUL, stride, b->dim[d]) : b->dim[d];
		strbuf_addf(&boxes, "%s%lld", i ? "," : "", (long long)box);
	}
	strbuf_addf(out, " strides=%s box=%s swizzle=%d\n", strides.buf, boxes.buf, ROW_BYTES);
	strbuf_release(&strides);
	strbuf_release(&boxes);
}

/* Coordinates of the box that begins at these points, as texts, of the tile's indices. */
static const char *coordinates(struct simt *s, const struct operand *o, const char *fast, const char *slow)
{
	const struct expr *from = o->stage->value;
	const struct tile_buffer *b = simt_buffer(s, from->name);
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < b->rank; i++) {
		struct expr *at = expr_replace_name(&s->arena, from->arg[b->rank - 1 - i], s->kernel->index[o->slow].name, expr_name(&s->arena, slow));
		at = expr_replace_name(&s->arena, at, s->kernel->index[o->fast].name, expr_name(&s->arena, fast));
		strbuf_addf(&text, ", (int)%s", simt_int_text(s, expr_simplify(&s->arena, at)));
	}
	const char *kept = arena_strdup(&s->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* ---- the two roles --------------------------------------------------- */

/* Opens the walk over instances, groups of WALK rows of the last two grid dimensions at a time. */
static void open_instances(struct simt *s, const struct pipeline *p)
{
	const struct tile_kernel *k = s->kernel;
	int rows = k->grid_count - 2, columns = k->grid_count - 1;

	const char *rank = p->cluster > 1 ? arena_printf(&s->arena, " * %d + KM_BID %% %d", p->cluster, p->cluster) : "";
	long long walk = tile_knob_int(k, "WALK", 8);
	simt_line(s, "const unsigned km_rows = km_g%d / %d, km_columns = km_g%d;", rows, p->cluster, columns);
	simt_open(s, "for (unsigned km_at = KM_BID / %d; km_at < km_rows * km_columns%s; km_at += KM_BLOCKS / %d)", p->cluster, rows ? " * km_g0" : "", p->cluster);
	simt_line(s, "const unsigned km_in = km_at %% (km_rows * km_columns), km_wide = %lld * km_columns, km_first = km_in / km_wide * %lld;", walk, walk);
	simt_line(s, "const unsigned km_high = (unsigned)km_least(km_rows - km_first, %lld);", walk);
	simt_line(s, "const long p%d = (km_first + km_in %% km_wide %% km_high)%s, p%d = km_in %% km_wide / km_high;", rows, rank, columns);
	if (rows)
		simt_line(s, "const long p0 = km_at / (km_rows * km_columns);");
}

static const char *slot(struct simt *s, const struct pipeline *p)
{
	return arena_printf(&s->arena, "km_base + km_slot * %lld", (long long)p->slot_bytes);
}

/* Asks for an operand's boxes, to a slot that begins at `to`; of a shared one for this block's part, for all blocks of the cluster. */
static void print_copies(struct simt *s, const struct pipeline *p, const struct operand *o, const char *to, const char *barrier)
{
	int64_t fast = s->kernel->index[o->fast].extent, slow = s->kernel->index[o->slow].extent, row_length = row_elems(o);
	const char *word = o->is_shared ? "km_copy_box_to_all" : "km_copy_box", *map = arena_printf(&s->arena, "&km_map%d, %s", o->map, barrier);
	int64_t boxes = fast / row_length / (o->is_shared && !o->is_depth_fast ? p->cluster : 1);

	for (int64_t b = 0; b < boxes; b++) {
		simt_block(s);
		const char *first = "0", *row = "0";
		if (o->is_shared && o->is_depth_fast)
			row = arena_printf(&s->arena, "KM_BID %% %d * %lld", p->cluster, (long long)(slow / p->cluster));
		else if (o->is_shared)
			first = arena_printf(&s->arena, "KM_BID %% %d * %lld", p->cluster, (long long)(boxes * row_length));
		simt_line(s, "const int km_fast = %s + %lld, km_slow = %s;", first, (long long)(b * row_length), row);
		simt_line(s, "%s(%s + %lld + km_fast / %lld * %lld + km_slow * %d, %s%s);", word, to, (long long)o->at, (long long)row_length,
			  (long long)(slow * ROW_BYTES), ROW_BYTES, map, coordinates(s, o, "km_fast", "km_slow"));
		simt_close(s, 1);
	}
}

static void print_producer(struct simt *s, const struct pipeline *p)
{
	const struct tile_stmt *f = p->loop;

	simt_line(s, "km_give_registers<%d>();", p->consumers < 3 ? 40 : 32);
	simt_open(s, "if (KM_TID == 0)");
	simt_line(s, "int km_slot = 0; unsigned km_phase = 1;");
	open_instances(s, p);
	simt_open(s, "for (long %s = %s; %s < %s; %s += %lld)", f->var, simt_int_text(s, f->lo), f->var, simt_int_text(s, f->hi), f->var, (long long)f->step);
	simt_line(s, "km_barrier_wait(km_empty + km_slot * %d, km_phase);", BARRIER_BYTES);
	simt_line(s, "km_barrier_expect(km_full + km_slot * %d, %lld);", BARRIER_BYTES, (long long)p->slot_bytes);
	for (int i = 0; i < p->operand_count; i++)
		print_copies(s, p, &p->operand[i], slot(s, p), arena_printf(&s->arena, "km_full + km_slot * %d", BARRIER_BYTES));
	simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", f->pipe);
	simt_close(s, 3);
}

static void open_trips(struct simt *s, const struct pipeline *p)
{
	const struct tile_stmt *f = p->loop;

	open_instances(s, p);
	simt_open(s, "for (long %s = %s; %s < %s; %s += %lld)", f->var, simt_int_text(s, f->lo), f->var, simt_int_text(s, f->hi), f->var, (long long)f->step);
}

/* Copies f32 into the second ring, tile after tile. */
static void print_fused_copies(struct simt *s, const struct pipeline *p)
{
	simt_line(s, "int km_slot = 0; unsigned km_phase = 1;");
	open_trips(s, p);
	for (int i = 0; i < p->source_count; i++) {
		simt_line(s, "km_barrier_wait(km_source_empty + km_slot * %d, km_phase);", BARRIER_BYTES);
		simt_line(s, "km_barrier_expect(km_source_full + km_slot * %d, %lld);", BARRIER_BYTES, (long long)tile_bytes(&p->source[i]));
		print_copies(s, p, &p->source[i], arena_printf(&s->arena, "km_source + km_slot * %lld", (long long)p->source_bytes),
			     arena_printf(&s->arena, "km_source_full + km_slot * %d", BARRIER_BYTES));
		simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", FUSED_RING);
	}
	simt_close(s, 2);
}

/* Takes tiles of the second ring, and puts their parts into the slots of the first. */
static void print_fused_parts(struct simt *s, const struct pipeline *p)
{
	simt_line(s, "int km_slot = 0, km_source_slot = 0; unsigned km_phase = 1, km_source_phase = 0;");
	simt_line(s, "km_met km_of_a, km_of_b; const float km_scale_a = b__scale[0], km_scale_b = b__scale[1];");
	open_trips(s, p);
	simt_line(s, "km_barrier_wait(km_empty + km_slot * %d, km_phase);", BARRIER_BYTES);
	for (int i = 0; i < p->source_count; i++) {
		const struct operand *o = &p->source[i];
		simt_line(s, "km_barrier_wait(km_source_full + km_source_slot * %d, km_source_phase);", BARRIER_BYTES);
		simt_line(s, "km_to_parts<%lld, %lld, %d>(km_source + km_source_slot * %lld, %s + %lld, %s + %lld, km_scale_%c, KM_TID - KM_WARP, km_of_%c);",
			  (long long)s->kernel->index[o->slow].extent, (long long)s->kernel->index[o->fast].extent, FUSED_WARPS * s->target->warp,
			  (long long)p->source_bytes, slot(s, p), (long long)p->operand[2 * i].at, slot(s, p), (long long)p->operand[2 * i + 1].at, "ab"[i], "ab"[i]);
		simt_line(s, "km_warp_together(); if (KM_TID %% KM_WARP == 0) km_barrier_arrive(km_source_empty + km_source_slot * %d);", BARRIER_BYTES);
		simt_line(s, "if (++km_source_slot == %d) { km_source_slot = 0; km_source_phase ^= 1; }", FUSED_RING);
	}
	simt_line(s, "km_shared_written(); km_warp_together(); if (KM_TID %% KM_WARP == 0) km_barrier_arrive(km_full + km_slot * %d);", BARRIER_BYTES);
	simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", p->loop->pipe);
	simt_close(s, 2);
	simt_line(s, "int *const km_row = (int *)b__found + (KM_BID * %d + KM_TID / KM_WARP - 1) * %d;", FUSED_WARPS, MICRO_FOUND_WORDS);
	simt_line(s, "km_of_a.tell(km_row); km_of_b.tell(km_row + 2);");
}

static void print_fused_producer(struct simt *s, const struct pipeline *p)
{
	simt_line(s, "km_give_registers<56>();");
	simt_line(s, "if (KM_BID == 0 && KM_TID == 0) *b__blocks = (int)KM_BLOCKS;");
	simt_open(s, "if (KM_TID == 0)");
	print_fused_copies(s, p);
	s->depth--;
	simt_open(s, "} else if (KM_TID >= KM_WARP)");
	print_fused_parts(s, p);
	simt_close(s, 1);
}

/* The descriptor of an operand for the consumer's rows `repeat` at depth `step` of a slot. */
static const char *descriptor(struct simt *s, const struct pipeline *p, const struct operand *o, bool is_rows, int64_t repeat, int64_t step)
{
	int64_t slow = s->kernel->index[o->slow].extent, depth = step * s->instr->k, rows = tile_knob_int(s->kernel, "WM", s->instr->m);
	int64_t row_length = row_elems(o), bytes = ROW_BYTES / row_length;
	const char *group = !is_rows ? "" : arena_printf(&s->arena, " + km_tid / %d * %lld", GROUP_THREADS,
							    (long long)(rows * (o->is_depth_fast ? ROW_BYTES : slow * bytes)));
	/* Along the depth: a row is a row of the operand.  Across: a row is a depth, 64 rows of the operand beside each other. */
	int64_t at = o->at + (o->is_depth_fast ? depth / row_length * ROW_BYTES * slow + depth % row_length * bytes + repeat * s->instr->m * ROW_BYTES
						: depth * ROW_BYTES + repeat * s->instr->m * slow * bytes);

	return arena_printf(&s->arena, "km_descriptor<%lld>(%s + %lld%s)", (long long)(o->is_depth_fast ? 16 : slow * ROW_BYTES), slot(s, p), (long long)at, group);
}

/* Queues the slot's products into the block's accumulator, or into the others. */
static void print_products(struct simt *s, const struct pipeline *p, bool is_block)
{
	const struct mma_instr *q = s->instr;
	int64_t steps = s->kernel->index[p->groups.depth[0]].extent / q->k, repeats = s->acc.reg[0].extent;

	for (int64_t step = 0; step < steps; step++)
		for (int i = 0; i < p->product_count; i++) {
			const struct product *x = &p->product[i];
			for (int64_t r = 0; r < repeats && is_block == (x->acc == p->block); r++)
				simt_line(s, "km_%s<%d, %d>(t_%s + %lld, %s, %s);", q->name, !x->a->is_depth_fast, !x->b->is_depth_fast, x->acc->name,
					  (long long)(r * q->m * q->n / q->lanes), descriptor(s, p, x->a, true, r, step), descriptor(s, p, x->b, false, 0, step));
		}
}

/* After it a quad's threads hold eight neighbouring columns each: digits, and the registers with them. */
static void turn(struct simt *s, const struct tile *acc)
{
	struct spread *p = &s->acc;
	int column = p->reg[p->reg_count - 1].var, row = p->reg[0].var;
	int64_t n = s->instr->n;

	simt_line(s, "km_turn(t_%s);", acc->name);
	p->thread[p->thread_count - 1] = (struct digit){ .var = column, .div = 8, .mod = 4, .extent = 4 };
	p->reg_count = 5;
	p->reg[2] = (struct digit){ .var = column, .div = 32, .mod = n / 32, .extent = n / 32 };
	p->reg[3] = (struct digit){ .var = row, .div = 8, .mod = 2, .extent = 2 };
	p->reg[4] = (struct digit){ .var = column, .div = 1, .mod = 8, .extent = 8 };
	p->column = column;
	p->chunk = 8;
}

/* Slot km_before is read: told to all who fill it. */
static void print_release(struct simt *s, const struct pipeline *p)
{
	if (p->cluster > 1)
		simt_line(s, "if (km_before >= 0 && km_tid %% KM_WARP < %d) km_barrier_arrive_at(km_empty + km_before * %d, km_tid %% KM_WARP);", p->cluster, BARRIER_BYTES);
	else
		simt_line(s, "if (km_before >= 0 && km_tid %% KM_WARP == 0) km_barrier_arrive(km_empty + km_before * %d);", BARRIER_BYTES);
}

/* The head of the loop over trips, but for so many at its end. */
static const char *loop_head(struct simt *s, const struct tile_stmt *f, int64_t without)
{
	const char *end = simt_int_text(s, without ? expr_binary(&s->arena, OP_SUB, f->hi, expr_int(&s->arena, without * f->step)) : f->hi);

	return arena_printf(&s->arena, "for (long %s = %s; %s < %s; %s += %lld)", f->var, simt_int_text(s, f->lo), f->var, end, f->var, (long long)f->step);
}

static void print_advance(struct simt *s, const struct tile_stmt *f)
{
	simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", f->pipe);
}

/* One accumulator for all of the depth. */
static void print_contraction(struct simt *s, const struct pipeline *p)
{
	const struct tile_stmt *f = p->loop;
	const char *acc = p->product[0].acc->name;

	simt_line(s, "int km_before = -1;");
	simt_open(s, "%s", loop_head(s, f, 0));
	simt_line(s, "km_barrier_wait(km_full + km_slot * %d, km_phase);", BARRIER_BYTES);
	simt_line(s, "km_pin(t_%s);", acc);
	simt_line(s, "km_group_begin();");
	print_products(s, p, false);
	simt_line(s, "km_group_commit();");
	/* The products of the block before are done: its slot is free. */
	simt_line(s, "km_group_wait<1>();");
	print_release(s, p);
	simt_line(s, "km_before = km_slot;");
	print_advance(s, f);
	simt_close(s, 1);
	simt_line(s, "km_group_wait<0>();");
	simt_line(s, "km_pin(t_%s);", acc);
	print_release(s, p);
}

static void print_small(struct simt *s, const struct pipeline *p)
{
	simt_line(s, "km_barrier_wait(km_full + km_slot * %d, km_phase);", BARRIER_BYTES);
	for (int i = 0; i < p->product_count; i++)
		if (p->product[i].acc != p->block && (!i || p->product[i].acc != p->product[i - 1].acc))
			simt_line(s, "km_pin(t_%s);", p->product[i].acc->name);
	simt_line(s, "km_group_begin();");
	print_products(s, p, false);
	simt_line(s, "km_group_commit();");
}

static void print_block(struct simt *s, const struct pipeline *p)
{
	simt_line(s, "km_pin(t_%s);", p->block->name);
	simt_line(s, "km_group_begin();");
	print_products(s, p, true);
	simt_line(s, "km_group_commit();");
	simt_line(s, "km_before = km_slot;");
	print_advance(s, p->loop);
}

/*
 * An accumulator of one trip beside those for all of the depth.  Only the latter are in flight
 * where the loop turns: for others the assembler makes every instruction wait for the one before.
 */
static void print_contraction_of_parts(struct simt *s, const struct pipeline *p)
{
	const struct tile_stmt *f = p->loop;

	simt_open(s, "if (%s < %s)", simt_int_text(s, f->lo), simt_int_text(s, f->hi));
	simt_line(s, "int km_before;");
	print_small(s, p);
	simt_open(s, "%s", loop_head(s, f, 1));
	print_block(s, p);
	print_small(s, p);
	simt_line(s, "km_group_wait<1>();");
	simt_line(s, "km_pin(t_%s);", p->block->name);
	print_release(s, p);
	simt_line(s, "km_add_up(t_%s, t_%s);", p->sum->name, p->block->name);
	simt_close(s, 1);
	print_block(s, p);
	simt_line(s, "km_group_wait<0>();");
	for (int i = 0; i < p->product_count; i++)
		if (!i || p->product[i].acc != p->product[i - 1].acc)
			simt_line(s, "km_pin(t_%s);", p->product[i].acc->name);
	print_release(s, p);
	simt_line(s, "km_add_up(t_%s, t_%s);", p->sum->name, p->block->name);
	simt_close(s, 1);
}

static void print_consumer(struct simt *s, const struct pipeline *p)
{
	const struct tile_kernel *k = s->kernel;

	simt_line(s, "km_take_registers<%d>();", p->source_count ? 224 : p->consumers < 3 ? p->consumers < 2 ? 240 : 232 : 160);
	simt_line(s, "const int km_tid = KM_TID - %d;", GROUP_THREADS);
	simt_line(s, "int km_slot = 0; unsigned km_phase = 0;");
	open_instances(s, p);
	simt_declare_registers(s);
	simt_statements(s, k->stmt, p->loop_at);
	if (p->block)
		print_contraction_of_parts(s, p);
	else
		print_contraction(s, p);
	if (tile_knob_int(k, "TURN", 1))
		turn(s, p->product[0].acc);
	simt_statements(s, k->stmt + p->loop_at + 1, k->stmt_count - p->loop_at - 1);
	simt_close(s, 1);
}

static bool drives(const struct simt *s)
{
	return s->instr && !strncmp(s->instr->name, "wgmma_", 6);
}

static void print(struct simt *s, const char *symbol)
{
	const struct tile_kernel *k = s->kernel;
	struct pipeline p;
	struct strbuf maps = STRBUF_INIT;

	if (!find_pipeline(s, &p))
		return;
	if (k->grid_count < 2) {
		simt_fail(s, "a contraction by warp groups has a grid of rows and columns");
		return;
	}
	int pipe = p.loop->pipe, threads = k->threads + GROUP_THREADS;
	s->launch->threads = threads;
	s->launch->resident = 1;
	s->launch->cluster = p.cluster > 1 ? p.cluster : 0;
	int ring = p.source_count ? FUSED_RING : 0;
	s->launch->shared_bytes = pipe * (p.slot_bytes + 2 * BARRIER_BYTES) + ring * (p.source_bytes + 2 * BARRIER_BYTES) + ALIGNMENT;
	if (s->launch->shared_bytes > s->target->shared_bytes)
		simt_fail(s, "a ring of %lld bytes exceeds the target's %lld", (long long)s->launch->shared_bytes, (long long)s->target->shared_bytes);
	for (int i = 0; i < (ring ? p.source_count : p.operand_count) && !s->failed; i++) {
		print_tensor(s, &p, ring ? &p.source[i] : &p.operand[i]);
		strbuf_addf(&maps, ", KM_TENSOR_MAP km_map%d", i);
	}
	if (s->failed)
		goto out;
	simt_head(s, symbol, arena_printf(&s->arena, "KM_KERNEL_ALONE(%d)", threads), maps.buf);
	for (int g = 0; g < k->grid_count; g++)
		simt_line(s, "const unsigned km_g%d = (unsigned)%s;", g, simt_int_text(s, k->grid[g]));
	simt_line(s, "KM_SHARED_GIVEN(km_shared);");
	simt_line(s, "const unsigned km_base = km_shared_address(km_shared) + %d & -%d;", ALIGNMENT - 1, ALIGNMENT);
	if (ring)
		simt_line(s, "const unsigned km_source = km_base + %lld;", (long long)(pipe * p.slot_bytes));
	simt_line(s, "const unsigned km_full = km_base + %lld, km_empty = km_full + %d;", (long long)(pipe * p.slot_bytes + ring * p.source_bytes), pipe * BARRIER_BYTES);
	if (ring)
		simt_line(s, "const unsigned km_source_full = km_empty + %d, km_source_empty = km_source_full + %d;", pipe * BARRIER_BYTES, ring * BARRIER_BYTES);
	simt_open(s, "if (KM_TID == 0)");
	simt_open(s, "for (int km_i = 0; km_i < %d; km_i++)", pipe);
	simt_line(s, "km_barrier_start(km_full + km_i * %d, %d);", BARRIER_BYTES, ring ? FUSED_WARPS : 1);
	simt_line(s, "km_barrier_start(km_empty + km_i * %d, %d);", BARRIER_BYTES, k->threads / s->target->warp * p.cluster);
	simt_close(s, 1);
	for (int i = 0; i < ring; i++)
		simt_line(s, "km_barrier_start(km_source_full + %d, 1); km_barrier_start(km_source_empty + %d, %d);", i * BARRIER_BYTES, i * BARRIER_BYTES, FUSED_WARPS);
	simt_line(s, "km_barriers_started();");
	simt_close(s, 1);
	/* Nobody signals a block that is not ready, or one that has gone. */
	simt_line(s, p.cluster > 1 ? "km_cluster_barrier();" : "km_barrier();");
	simt_open(s, "if (KM_TID < %d)", GROUP_THREADS);
	if (ring)
		print_fused_producer(s, &p);
	else
		print_producer(s, &p);
	s->depth--;
	simt_open(s, "} else");
	print_consumer(s, &p);
	simt_close(s, 1);
	if (p.cluster > 1)
		simt_line(s, "km_cluster_barrier();");
	strbuf_addstr(s->out, "}\n");
out:
	strbuf_release(&maps);
}

/* ---- vocabulary ------------------------------------------------------ */

static const char words[] =
	"/* Hopper: warp-group matrix instructions, the copy engine, barriers in shared memory */\n"
	"#define KM_KERNEL_ALONE(n) extern \"C\" __attribute__((global)) __attribute__((launch_bounds(n, 1))) void\n"
	"struct __attribute__((aligned(64))) km_tensor_map { char bytes[128]; };\n"
	"#define KM_TENSOR_MAP const __attribute__((grid_constant)) km_tensor_map\n"
	"KM_D unsigned km_shared_address(const void *p) { return (unsigned)(unsigned long)(const __attribute__((address_space(3))) char *)p; }\n"
	"KM_D void km_barrier_start(unsigned b, int count) { asm volatile(\"mbarrier.init.shared::cta.b64 [%0], %1;\" :: \"r\"(b), \"r\"(count) : \"memory\"); }\n"
	"KM_D void km_barriers_started() { asm volatile(\"fence.mbarrier_init.release.cluster;\" ::: \"memory\"); }\n"
	"KM_D void km_barrier_expect(unsigned b, int bytes) { asm volatile(\"mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\" :: \"r\"(b), \"r\"(bytes) : \"memory\"); }\n"
	"KM_D void km_barrier_arrive(unsigned b) { asm volatile(\"mbarrier.arrive.shared::cta.b64 _, [%0];\" :: \"r\"(b) : \"memory\"); }\n"
	"KM_D void km_barrier_wait(unsigned b, unsigned phase) {\n"
	" asm volatile(\"{\\n.reg .pred p;\\nkm_again:\\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\\n@p bra km_done;\\nbra km_again;\\nkm_done:\\n}\" :: \"r\"(b), \"r\"(phase) : \"memory\"); }\n"
	"KM_D void km_copy_box(unsigned to, const km_tensor_map *m, unsigned b, int x, int y) {\n"
	" asm volatile(\"cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];\"\n"
	" :: \"r\"(to), \"l\"(m), \"r\"(b), \"r\"(x), \"r\"(y) : \"memory\"); }\n"
	"KM_D void km_copy_box(unsigned to, const km_tensor_map *m, unsigned b, int x, int y, int z) {\n"
	" asm volatile(\"cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];\"\n"
	" :: \"r\"(to), \"l\"(m), \"r\"(b), \"r\"(x), \"r\"(y), \"r\"(z) : \"memory\"); }\n"
	"KM_D void km_copy_box_to_all(unsigned to, const km_tensor_map *m, unsigned b, int x, int y) {\n"
	" asm volatile(\"cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;\"\n"
	" :: \"r\"(to), \"l\"(m), \"r\"(b), \"r\"(x), \"r\"(y), \"h\"((unsigned short)3) : \"memory\"); }\n"
	"KM_D void km_copy_box_to_all(unsigned to, const km_tensor_map *m, unsigned b, int x, int y, int z) {\n"
	" asm volatile(\"cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%3, %4, %5}], [%2], %6;\"\n"
	" :: \"r\"(to), \"l\"(m), \"r\"(b), \"r\"(x), \"r\"(y), \"r\"(z), \"h\"((unsigned short)3) : \"memory\"); }\n"
	"KM_D void km_barrier_arrive_at(unsigned b, int block) {\n"
	" asm volatile(\"{\\n.reg .b32 there;\\nmapa.shared::cluster.u32 there, %0, %1;\\nmbarrier.arrive.release.cluster.shared::cluster.b64 _, [there];\\n}\" :: \"r\"(b), \"r\"(block) : \"memory\"); }\n"
	"KM_D void km_cluster_barrier() { asm volatile(\"barrier.cluster.arrive.aligned;\\nbarrier.cluster.wait.aligned;\" ::: \"memory\"); }\n"
	/* 128-byte swizzling; 1024 bytes from eight rows to the next. */
	"template <int Leading> KM_D unsigned long km_descriptor(unsigned at) {\n"
	" return (unsigned long)((at & 0x3ffff) >> 4) | (unsigned long)(Leading >> 4) << 16 | (unsigned long)(1024 >> 4) << 32 | 1ul << 62; }\n"
	"template <int N> KM_D void km_give_registers() { asm volatile(\"setmaxnreg.dec.sync.aligned.u32 %0;\" :: \"n\"(N)); }\n"
	"template <int N> KM_D void km_take_registers() { asm volatile(\"setmaxnreg.inc.sync.aligned.u32 %0;\" :: \"n\"(N)); }\n"
	"KM_D void km_group_begin() { asm volatile(\"wgmma.fence.sync.aligned;\" ::: \"memory\"); }\n"
	"KM_D void km_group_commit() { asm volatile(\"wgmma.commit_group.sync.aligned;\" ::: \"memory\"); }\n"
	"template <int N> KM_D void km_group_wait() { asm volatile(\"wgmma.wait_group.sync.aligned %0;\" :: \"n\"(N) : \"memory\"); }\n"
	/* What is computed from these registers stays behind this place, and what goes into them before. */
	"template <int N> KM_D void km_pin(float (&x)[N]) { KM_UNROLL for (int i = 0; i < N; i++) asm volatile(\"\" : \"+f\"(x[i]) :: \"memory\"); }\n"
	/* Sums stay in their registers: with t for the new one the assembler would want room for both. */
	"template <int N> KM_D void km_add_up(float (&sum)[N], float (&x)[N]) { KM_UNROLL for (int i = 0; i < N; i++)\n"
	" asm volatile(\"{\\n.reg .f32 t;\\nadd.rn.f32 t, %0, %1;\\nsub.rn.f32 t, t, %0;\\nsub.rn.f32 %1, %1, t;\\nadd.rn.f32 %0, %0, t;\\n}\" : \"+f\"(sum[i]), \"+f\"(x[i])); }\n"
	/* Shared memory written by threads, for what reads it without them. */
	"KM_D void km_shared_written() { asm volatile(\"fence.proxy.async.shared::cta;\" ::: \"memory\"); }\n"
	"KM_D void km_warp_together() { asm volatile(\"bar.warp.sync -1;\" ::: \"memory\"); }\n"
	"KM_D void km_shared_read(float *x, unsigned at) { asm volatile(\"ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];\" : \"=f\"(x[0]), \"=f\"(x[1]), \"=f\"(x[2]), \"=f\"(x[3]) : \"r\"(at)); }\n"
	"KM_D void km_shared_write(unsigned at, const unsigned (&x)[4]) { asm volatile(\"st.shared.v4.b32 [%0], {%1, %2, %3, %4};\" :: \"r\"(at), \"r\"(x[0]), \"r\"(x[1]), \"r\"(x[2]), \"r\"(x[3]) : \"memory\"); }\n"
	/* Of pairs of f16: magnitudes met, NaN above all. */
	"struct km_met { unsigned most = 0, least = 0x7fff7fff;\n"
	" KM_D void add(unsigned h) { h &= 0x7fff7fff; asm(\"max.NaN.f16x2 %0, %0, %1;\" : \"+r\"(most) : \"r\"(h)); asm(\"min.f16x2 %0, %0, %1;\" : \"+r\"(least) : \"r\"(h)); }\n"
	" KM_D void tell(int *row) { unsigned m = km_top(most & 0xffff, most >> 16), l = ~km_top(~(least & 0xffff), ~(least >> 16));\n"
	"  m = km_warp_top(m); l = ~km_warp_top(~l); if (KM_TID % KM_WARP == 0) { row[0] = (int)m; row[1] = (int)l; } } };\n"
	/* Eight numbers at a time: rows of 32 f32 become rows of 64 f16, both swizzled; neighbouring threads take rows below each other. */
	"template <int Rows, int Length, int Threads> KM_D void km_to_parts(unsigned from, unsigned high, unsigned low, float scale, int thread, km_met &met) {\n"
	" for (int g = thread; g < Rows * Length / 8; g += Threads) {\n"
	"  const int row = g % Rows, part = g / Rows, odd = row & 7, at = part % 4 * 2; float x[8]; unsigned h[4], l[4];\n"
	"  const unsigned source = from + (part / 4 * Rows + row) * 128, to = (part / 8 * Rows + row) * 128 + ((part % 8 ^ odd) << 4);\n"
	"  km_shared_read(x, source + ((at ^ odd) << 4)); km_shared_read(x + 4, source + ((at + 1 ^ odd) << 4));\n"
	"  KM_UNROLL for (int i = 0; i < 4; i++) { const float a = x[2 * i] * scale, b = x[2 * i + 1] * scale; float c, d;\n"
	"   asm(\"cvt.rn.f16x2.f32 %0, %1, %2;\" : \"=r\"(h[i]) : \"f\"(b), \"f\"(a)); met.add(h[i]);\n"
	"   asm(\"{.reg .b16 p, q;\\nmov.b32 {p, q}, %2;\\ncvt.f32.f16 %0, p;\\ncvt.f32.f16 %1, q;}\" : \"=f\"(c), \"=f\"(d) : \"r\"(h[i]));\n"
	"   asm(\"cvt.rn.f16x2.f32 %0, %1, %2;\" : \"=r\"(l[i]) : \"f\"((b - d) * 4096.0f), \"f\"((a - c) * 4096.0f)); }\n"
	"  km_shared_write(high + to, h); km_shared_write(low + to, l); } }\n"
	/* Four threads with pairs of columns 8c + 2l, of c = 0..3: then thread l has all eight of c = l. */
	"template <int N> KM_D void km_turn(float (&x)[N]) {\n"
	" const int lane = KM_TID % 4; const bool odd = lane & 1, high = lane & 2;\n"
	" KM_UNROLL for (int at = 0; at < N; at += 16) { KM_UNROLL for (int half = 0; half < 2; half++) {\n"
	"  float v[4][2];\n"
	"  KM_UNROLL for (int c = 0; c < 4; c++) { v[c][0] = x[at + c * 4 + half * 2]; v[c][1] = x[at + c * 4 + half * 2 + 1]; }\n"
	"  KM_UNROLL for (int e = 0; e < 2; e++) {\n"
	"   KM_UNROLL for (int c = 0; c < 4; c += 2) {\n"
	"    float t = km_lane_value(odd ? v[c][e] : v[c + 1][e], KM_TID % KM_WARP ^ 1); v[c][e] = odd ? t : v[c][e]; v[c + 1][e] = odd ? v[c + 1][e] : t; }\n"
	"   KM_UNROLL for (int c = 0; c < 2; c++) {\n"
	"    float t = km_lane_value(high ? v[c][e] : v[c + 2][e], KM_TID % KM_WARP ^ 2); v[c][e] = high ? t : v[c][e]; v[c + 2][e] = high ? v[c + 2][e] : t; } }\n"
	"  KM_UNROLL for (int c = 0; c < 4; c++) { x[at + half * 2 + c * 4] = v[c][0]; x[at + half * 2 + c * 4 + 1] = v[c][1]; } }\n"
	"  float y[16]; KM_UNROLL for (int half = 0; half < 2; half++) { KM_UNROLL for (int c = 0; c < 8; c++) y[half * 8 + c] = x[at + half * 2 + c / 2 * 4 + c % 2]; }\n"
	"  KM_UNROLL for (int c = 0; c < 16; c++) x[at + c] = y[c]; } }\n";

/*
 * The instruction over n columns as a function of its accumulators and both descriptors; <1, .>, <., 1>:
 * that operand lies across the depth, which those of other than 2 bytes cannot.
 */
static void print_instruction(const struct mma_instr *q, struct strbuf *out)
{
	int registers = q->m * q->n / q->lanes;
	const char *type = strrchr(q->name, '_') + 1;
	bool has_order = dtype_bytes(q->ab) == 2;

	strbuf_addf(out, "template <int A, int B> KM_D void km_%s(float *c, unsigned long a, unsigned long b) {\n asm volatile(\"wgmma.mma_async.sync.aligned.m%dn%dk%d.f32.%s.%s {",
		    q->name, q->m, q->n, q->k, type, type);
	for (int i = 0; i < registers; i++)
		strbuf_addf(out, "%s%%%d", i ? ", " : "", i);
	strbuf_addf(out, "}, %%%d, %%%d, 1, 1, 1", registers, registers + 1);
	if (has_order)
		strbuf_addf(out, ", %%%d, %%%d", registers + 2, registers + 3);
	strbuf_addstr(out, ";\"\n : ");
	for (int i = 0; i < registers; i++)
		strbuf_addf(out, "%s\"+f\"(c[%d])", i ? ", " : "", i);
	strbuf_addf(out, "\n : \"l\"(a), \"l\"(b)%s); }\n", has_order ? ", \"n\"(A), \"n\"(B)" : "");
}

static void prologue(const struct target *target, struct strbuf *out)
{
	if (!(target->isa & ISA_BIT(wgmma)))
		return;
	strbuf_addstr(out, words);
	for (const struct mma_instr *q = target->mma; q && q->name; q++)
		if (!q->a_lane)
			print_instruction(q, out);
}

const struct micro_kernel micro_wgmma_tma = {
	.name = "wgmma_tma",
	.drives = drives,
	.print = print,
	.prologue = prologue,
};
