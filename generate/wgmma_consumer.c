/* Warp groups that contract what the ring has, and store. */
#include "generate/wgmma.h"

/* The descriptor of an operand for the consumer's rows `repeat` at depth `step` of a slot. */
static const char *descriptor(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o, bool is_rows, int64_t repeat, int64_t step)
{
	int64_t slow = s->kernel->index[o->slow].extent, depth = step * s->instr->k, rows = tile_knob_int(s->kernel, "WM", s->instr->m);
	int64_t row_length = wgmma_row_elems(o), bytes = WGMMA_ROW_BYTES / row_length;
	const char *group = !is_rows ? "" : arena_printf(&s->arena, " + km_tid / %d * %lld", WGMMA_GROUP_THREADS,
							    (long long)(rows * (o->is_depth_fast ? WGMMA_ROW_BYTES : slow * bytes)));
	/* Along the depth: a row is a row of the operand.  Across: a row is a depth, 64 rows of the operand beside each other. */
	int64_t at = o->at + (o->is_depth_fast ? depth / row_length * WGMMA_ROW_BYTES * slow + depth % row_length * bytes + repeat * s->instr->m * WGMMA_ROW_BYTES
						: depth * WGMMA_ROW_BYTES + repeat * s->instr->m * slow * bytes);

	return arena_printf(&s->arena, "km_descriptor<%lld>(%s + %lld%s)", (long long)(o->is_depth_fast ? 16 : slow * WGMMA_ROW_BYTES), wgmma_slot(s, p), (long long)at, group);
}

/* Queues the slot's products into the block's accumulator, or into the others. */
static void print_products(struct simt *s, const struct wgmma_pipeline *p, bool is_block)
{
	const struct mma_instr *q = s->instr;
	int64_t steps = s->kernel->index[p->groups.depth[0]].extent / q->k, repeats = s->acc.reg[0].extent;

	for (int64_t step = 0; step < steps; step++)
		for (int i = 0; i < p->product_count; i++) {
			const struct wgmma_product *x = &p->product[i];
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
static void print_release(struct simt *s, const struct wgmma_pipeline *p)
{
	if (p->cluster > 1)
		simt_line(s, "if (km_before >= 0 && km_tid %% KM_WARP < %d) km_barrier_arrive_at(km_empty + km_before * %d, km_tid %% KM_WARP);", p->cluster, WGMMA_BARRIER_BYTES);
	else
		simt_line(s, "if (km_before >= 0 && km_tid %% KM_WARP == 0) km_barrier_arrive(km_empty + km_before * %d);", WGMMA_BARRIER_BYTES);
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
static void print_contraction(struct simt *s, const struct wgmma_pipeline *p)
{
	const struct tile_stmt *f = p->loop;
	const char *acc = p->product[0].acc->name;

	simt_line(s, "int km_before = -1;");
	/* A slot's phase is told by its parity: who waits for it must be next. */
	if (p->relays > 1)
		simt_line(s, "km_barrier_wait(km_order + km_relay * %d, km_order_phase); km_order_phase ^= 1;", WGMMA_BARRIER_BYTES);
	simt_open(s, "%s", loop_head(s, f, 0));
	simt_line(s, "km_barrier_wait(km_full + km_slot * %d, km_phase);", WGMMA_BARRIER_BYTES);
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
	if (p->relays > 1)
		simt_line(s, "if (km_tid %% KM_WARP == 0) km_barrier_arrive(km_order + (km_relay + 1) %% %d * %d);", p->relays, WGMMA_BARRIER_BYTES);
	simt_line(s, "km_group_wait<0>();");
	simt_line(s, "km_pin(t_%s);", acc);
	print_release(s, p);
}

static void print_small(struct simt *s, const struct wgmma_pipeline *p)
{
	simt_line(s, "km_barrier_wait(km_full + km_slot * %d, km_phase);", WGMMA_BARRIER_BYTES);
	for (int i = 0; i < p->product_count; i++)
		if (p->product[i].acc != p->block && (!i || p->product[i].acc != p->product[i - 1].acc))
			simt_line(s, "km_pin(t_%s);", p->product[i].acc->name);
	simt_line(s, "km_group_begin();");
	print_products(s, p, false);
	simt_line(s, "km_group_commit();");
}

static void print_block(struct simt *s, const struct wgmma_pipeline *p)
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
static void print_contraction_of_parts(struct simt *s, const struct wgmma_pipeline *p)
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

/* An instance of another party's: past its slots. */
static void print_pass(struct simt *s, const struct wgmma_pipeline *p)
{
	const struct tile_stmt *f = p->loop;

	simt_open(s, "if (km_number++ %% %d != km_relay)", p->relays);
	simt_line(s, "const unsigned km_next = km_slot + (unsigned)km_most(%s - %s + %lld, 0) / %lld;", simt_int_text(s, f->hi), simt_int_text(s, f->lo),
		  (long long)f->step - 1, (long long)f->step);
	simt_line(s, "km_slot = km_next %% %d; km_phase ^= km_next / %d & 1;", f->pipe, f->pipe);
	simt_line(s, "continue;");
	simt_close(s, 1);
}

void wgmma_print_consumer(struct simt *s, const struct wgmma_pipeline *p)
{
	const struct tile_kernel *k = s->kernel;

	simt_line(s, "km_take_registers<%d>();", p->source_count ? 224 : p->consumers < 3 ? p->consumers < 2 ? 240 : 232 : 160);
	if (p->relays > 1)
		simt_line(s, "const int km_tid = (KM_TID - %d) %% %d, km_relay = (KM_TID - %d) / %d;", WGMMA_GROUP_THREADS, k->threads, WGMMA_GROUP_THREADS, k->threads);
	else
		simt_line(s, "const int km_tid = KM_TID - %d;", WGMMA_GROUP_THREADS);
	simt_line(s, "int km_slot = 0; unsigned km_phase = 0;");
	if (p->relays > 1)
		simt_line(s, "int km_number = 0; unsigned km_order_phase = km_relay == 0;");
	wgmma_open_instances(s, p);
	if (p->relays > 1)
		print_pass(s, p);
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
